"""What each rule says of a customer who cannot get in, one line each, for a teller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from foregate.rules import limits
from foregate.rules.footing import BOUND_SIM, REGISTERED_SIM, Footing, Known, Lost
from foregate.rules.permission import Permission


class Finding(msgspec.Struct, frozen=True):
    """What one rule says of this customer: `verdict.finding.<name>` of the catalogue, with `facts`."""

    name: str
    is_good: bool
    facts: Mapping[str, int] = {}


def findings(at: Footing, known: Known, open_here: frozenset[str]) -> Iterator[Finding]:
    """Yield what is said, in order. `open_here`: the proofs that this bank takes at all."""
    if not at.is_registered:
        yield Finding("not-registered", False)
    else:
        yield from _about_permission(at, known)
        yield _lost_or("number", REGISTERED_SIM in at.holds)
        if at.taken_over:
            yield Finding("number-doubted", False)
        yield _about("password", known.has_password, Lost.PASSWORD in known.lost, at, known)
        has_device = "device" in at.holds
        yield Finding("device-held" if has_device else "device-lost" if known.has_device else "device-none", has_device)
        yield from _about_what_may_be_added(at, known, open_here)
    yield from _about_the_card(at, known)
    yield _about_the_document(at, known.document_days_left)
    if known.cooling_seconds:
        yield Finding("cooling", True, {"hours": -(-known.cooling_seconds // 3600)})
    if known.codes_wait_seconds:
        yield Finding("codes-spent", False, {"minutes": -(-known.codes_wait_seconds // 60)})


def _about_permission(at: Footing, known: Known) -> Iterator[Finding]:
    is_open = at.everywhere is Permission.OPEN
    yield Finding("permission-open" if is_open else at.everywhere.value, is_open, {"days": known.idle_days})
    if at.unknown is not Permission.OPEN:
        yield Finding("elsewhere-closed", False)
    if at.device is not Permission.OPEN:
        yield Finding("device-closed", False)


def _about_what_may_be_added(at: Footing, known: Known, open_here: frozenset[str]) -> Iterator[Finding]:
    if "passkey" in open_here:
        if "passkey" in at.holds and known.passkey_cools_seconds:
            yield Finding("passkey-new", True, {"hours": -(-known.passkey_cools_seconds // 3600)})
        elif known.has_passkey:
            yield _lost_or("passkey", "passkey" in at.holds)
        else:
            yield Finding("passkey-none", False)
    if "face" in open_here:
        if dict(at.off).get("face") == "face-expired":
            yield Finding("face-expired", False)
        else:
            yield _about("face", known.has_face, Lost.FACE in known.lost, at, known)
    if "social" in open_here and known.has_social:
        yield _lost_or("social", "social" in at.holds)


def _about_the_document(at: Footing, days_left: int | None) -> Finding:
    if not at.is_document_valid:
        return (
            Finding("document-expired", False)
            if days_left is None
            else Finding("document-grace", False, {"days": days_left})
        )
    if days_left is not None and days_left <= limits.DOCUMENT_AHEAD_DAYS:
        return Finding("document-expiring", True, {"days": days_left})
    return Finding("document-valid", True)


def _about_the_card(at: Footing, known: Known) -> Iterator[Finding]:
    if not known.has_active_card:
        yield Finding("card-none", False)
        return
    yield Finding("card-held" if at.has_card else "card-lost", at.has_card)
    yield _about("card_pin", has=True, is_lost=Lost.PIN in known.lost, at=at, known=known)
    if known.is_bound_registered:
        yield Finding("bound-is-registered", True)
    elif known.has_bound_phone:
        yield _lost_or("bound", BOUND_SIM in at.holds)
    else:
        yield Finding("bound-none", False)


def _lost_or(what: str, is_held: bool) -> Finding:
    return Finding(f"{what}-held" if is_held else f"{what}-lost", is_held)


def _about(proof: str, has: bool, is_lost: bool, at: Footing, known: Known) -> Finding:
    name = {"card_pin": "pin"}.get(proof, proof)
    off = dict(at.off).get(proof)
    if not has:
        return Finding(f"{name}-none", False)
    if off == "proof-blocked":
        return Finding(f"{name}-blocked", False, {"minutes": -(-known.blocked_seconds.get(proof, 0) // 60)})
    if off is not None:
        return Finding(f"{name}-disabled", False)
    return Finding(f"{name}-lost" if is_lost else f"{name}-usable", not is_lost)


FINDINGS: Final = (
    "not-registered", "permission-open", "closed-by-bank", "closed-by-customer", "closed-by-disuse",
    "elsewhere-closed", "device-closed", "number-held", "number-lost", "password-none", "password-blocked",
    "password-disabled", "password-lost", "password-usable", "device-held", "device-lost", "device-none", "card-none",
    "card-held", "card-lost", "pin-blocked", "pin-disabled", "pin-lost", "pin-usable", "bound-is-registered",
    "bound-held", "bound-lost", "bound-none", "document-valid", "document-expiring", "document-grace",
    "document-expired", "cooling", "codes-spent", "passkey-held", "passkey-lost", "passkey-new", "passkey-none",
    "face-usable", "face-expired", "face-blocked", "face-disabled", "face-lost", "face-none", "social-held",
    "social-lost", "number-doubted",
)  # fmt: skip
