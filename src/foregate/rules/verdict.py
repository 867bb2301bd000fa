"""Why can't they get in? One sentence, what each rule says, and the journeys that lead back in, for a teller.

Rules
  1. The verdict asks the engine, on the rows that the server runs: what it says works, works at the door.
  2. It never promises more than the checker's model does; a test holds the two against each other.
  3. What the customer says they lost counts as lost. What the bank knows to be off counts as off.

Theory of operation
  A `Footing` is what a customer holds, in which lanes their login is open, and which proofs the bank does not take
  now. `can_do` walks one row by `engine.decide`, always giving every proof that is asked for and at hand: a proof
  more never closes a way. `way_in` tries sequences of rows, the short ones first, until one opens a full session.
  Waiting is no step here: a block that ends by itself is told as a finding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from foregate.rules import documents, engine, limits, permission
from foregate.rules.engine import Progress
from foregate.rules.journeys import Built, Journey, Table
from foregate.rules.permission import Event, NoTransition, Permission
from foregate.rules.words import PROOFS, CodeTo, Level, Who


class Lost(StrEnum):
    """What a customer may say they have not got any more."""

    PHONE = "phone"  # the number registered for e-banking
    BOUND_PHONE = "bound-phone"  # the number bound to their card
    CARD = "card"
    PIN = "pin"
    PASSWORD = "password"
    DEVICE = "device"
    PASSKEY = "passkey"
    FACE = "face"
    SOCIAL = "social"


REGISTERED_SIM: Final = "registered_sim"
BOUND_SIM: Final = "bound_sim"
_SIMS: Final[Mapping[CodeTo, frozenset[str]]] = {
    CodeTo.REGISTERED: frozenset({REGISTERED_SIM}),
    CodeTo.BOUND: frozenset({BOUND_SIM}),
    CodeTo.EITHER: frozenset({REGISTERED_SIM, BOUND_SIM}),
    CodeTo.TYPED: frozenset({REGISTERED_SIM, BOUND_SIM, "another"}),
}
_NEEDS_CARD: Final = frozenset({Who.CARD, Who.CARD_AND_PHONE, Who.CARD_NAME_DOCUMENT})
_NEEDS_MORE: Final = frozenset({Who.SESSION, Who.PASSKEY, Who.WECHAT, Who.ALIPAY, Who.LINK})

# What an act leaves in the customer's hands.
_GIVES: Final[Mapping[str, str]] = {
    "customer": REGISTERED_SIM, "password": "password", "registered_phone": REGISTERED_SIM, "permit": "permit",
}  # fmt: skip
# How an act moves login permission; `set-password` opens only what failures closed.
_OPENS: Final[Mapping[str, tuple[Event, ...]]] = {
    "reopen": (Event.REOPENED,),
    "set-password": (Event.REOPENED,),
    "replace-phone-at-counter": (Event.REOPENED,),
    "unfreeze-at-counter": (Event.BANK_RELEASED, Event.REOPENED),
}
_ONLY_FAILURES: Final = "set-password"
_IMPROVES: Final = frozenset({*_OPENS, "register", "renew-document", "correct-document-at-counter"})
# Longer than any way there is: document, number, unfreeze, password, sign-in.
_STEPS_MAX: Final = 5


class Footing(NamedTuple):
    """Where a customer stands. `off` are proofs that are not taken now, with the cause, by lane."""

    holds: frozenset[str]
    everywhere: Permission = Permission.OPEN
    unknown: Permission = Permission.OPEN
    device: Permission = Permission.OPEN
    off: frozenset[tuple[str, str]] = frozenset()
    off_on_device: frozenset[tuple[str, str]] = frozenset()
    is_registered: bool = True
    is_document_valid: bool = True
    is_document_lapsed: bool = False  # expired for longer than the grace lasts
    has_card: bool = True
    cooling: frozenset[str] = frozenset()  # proofs too new to buy a seasoned row


class Rules(NamedTuple):
    """The tables that the server runs."""

    journeys: Table
    built: Built


# ---------------------------------------------------------------- what works


def can_do(row: Journey, at: Footing, rules: Rules, *, is_at_counter: bool) -> bool:
    """Say whether this customer gets the row's act done now, by any lane open to them."""
    if not row.open or at.is_registered == (row.act == "register"):
        return False
    if documents.is_closed(row.act, _document_of(at)):
        return False
    if row.is_at_counter:
        # An expired card is no ID check; the one act that needs a new card is the one that notes it.
        return is_at_counter and (at.is_document_valid or row.act == "correct-document-at-counter")
    return any(_is_let_in(row, at, on_device) and _gets_done(row, at, rules, on_device) for on_device in _lanes(at))


def _document_of(at: Footing) -> documents.State:
    if at.is_document_lapsed:
        return documents.State.EXPIRED
    return documents.State.VALID if at.is_document_valid else documents.State.GRACE


def _lanes(at: Footing) -> tuple[bool, ...]:
    return (False, True) if "device" in at.holds else (False,)


def _is_let_in(row: Journey, at: Footing, on_device: bool) -> bool:
    own = at.device if on_device else at.unknown
    return not row.needs_permission or (at.everywhere is Permission.OPEN and own is Permission.OPEN)


def _gets_done(row: Journey, at: Footing, rules: Rules, on_device: bool) -> bool:
    off = dict(at.off_on_device if on_device else at.off)
    given = provable(row, at, on_device) - set(off) - (at.cooling if row.seasoned else frozenset())
    silent = frozenset(name for name in given if PROOFS[name].silent and name in rules.built.proofs)
    for who in engine.who_open(row, rules.built):
        if who in _NEEDS_MORE or who is Who.IN_PERSON or (who in _NEEDS_CARD and not at.has_card):
            continue
        if _walk(row, Progress(who=who, proved=silent, unusable=off), given, rules.built):
            return True
    return False


def _walk(row: Journey, progress: Progress, given: frozenset[str], built: Built) -> bool:
    while True:
        match engine.decide(row, progress, built):
            case engine.Perform():
                return True
            case engine.Prove(proof=proof, others=others):
                able = {option.name for option in (proof, *others)} & given
                if not able:
                    return False
                progress = msgspec.structs.replace(progress, proved=progress.proved | able)
            case _:
                return False


def provable(row: Journey, at: Footing, on_device: bool) -> frozenset[str]:
    """Return the proofs that this customer can give on `row`, with their remembered device or without it."""
    given = {name for name in at.holds if name in PROOFS and (on_device or name != "device")}
    if at.holds & _SIMS[row.code_to]:
        given.add("phone_code")
    return frozenset(given)


# ---------------------------------------------------------------- what leads there


def way_in(at: Footing, rules: Rules, *, is_at_counter: bool) -> tuple[str, ...] | None:
    """Return the shortest sequence of journeys that ends in a full session, or None."""
    queue: deque[tuple[Footing, tuple[str, ...]]] = deque([(at, ())])
    seen, useful = {at}, _useful(rules)
    while queue:
        footing, done = queue.popleft()
        if len(done) == _STEPS_MAX:
            continue
        for row in useful:
            if not can_do(row, footing, rules, is_at_counter=is_at_counter):
                continue
            if row.session is Level.FULL:
                return (*done, row.name)
            after = improved(footing, row)
            if after not in seen:
                seen.add(after)
                queue.append((after, (*done, row.name)))
    return None


def _useful(rules: Rules) -> tuple[Journey, ...]:
    """Return the rows that let in or improve something: those that sign in first, the counter's last."""
    rows = (row for row in rules.journeys.values() if row.session is Level.FULL or row.act in _IMPROVES)
    return tuple(sorted(rows, key=lambda row: (row.session is not Level.FULL, row.is_at_counter)))


def improved(at: Footing, row: Journey) -> Footing:
    """Return where the customer stands after the row's act."""
    holds = at.holds | {_GIVES[word] for word in row.changes if word in _GIVES}
    if "devices" in row.changes:
        holds -= {"device"}
    renewed = "password" in row.changes
    return at._replace(
        holds=holds,
        everywhere=_moved(at.everywhere, row.act),
        unknown=_moved(at.unknown, row.act),
        device=_moved(at.device, row.act),
        off=frozenset(pair for pair in at.off if not (renewed and pair[0] == "password")),
        off_on_device=frozenset(pair for pair in at.off_on_device if not (renewed and pair[0] == "password")),
        is_registered=at.is_registered or "customer" in row.changes,
        is_document_valid=at.is_document_valid or "document" in row.changes,
        is_document_lapsed=at.is_document_lapsed and "document" not in row.changes,
    )


def _moved(state: Permission, act: str) -> Permission:
    if act == _ONLY_FAILURES and state is not Permission.CLOSED_BY_FAILURES:
        return state
    for event in _OPENS.get(act, ()):
        try:
            state = permission.after(state, event)
        except NoTransition:
            continue
    return state


# ---------------------------------------------------------------- what is told


class Finding(msgspec.Struct, frozen=True):
    """What one rule says of this customer: `verdict.finding.<name>` of the catalogue, with `facts`."""

    name: str
    is_good: bool
    facts: Mapping[str, int] = {}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`headline` is `verdict.headline.<name>`. A way is a sequence of journeys; None: there is none of that kind."""

    headline: str
    findings: tuple[Finding, ...]
    alone: tuple[str, ...] | None  # on their own phone
    at_counter: tuple[str, ...] | None  # with the counter's help, where that is another way

    @property
    def remedies(self) -> tuple[str, ...]:
        """The journeys to name, in order: what the customer can do alone, else the counter's way."""
        return self.alone or self.at_counter or ()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank knows of a customer, apart from the footing: for the findings."""

    lost: frozenset[Lost] = frozenset()
    has_password: bool = False
    has_device: bool = False
    has_active_card: bool = False
    has_bound_phone: bool = False
    is_bound_registered: bool = False  # both numbers are one
    blocked_seconds: Mapping[str, int] = {}  # by proof, in the lane of unknown devices
    cooling_seconds: int = 0
    codes_wait_seconds: int = 0
    idle_days: int = 0
    has_face: bool = False  # also one whose time is over: that is in `Footing.off`
    has_passkey: bool = False
    passkey_cools_seconds: int = 0  # the newest, where all of them cool
    has_social: bool = False
    document_days_left: int | None = None  # until its end, or that of the grace; see `documents.Standing`


def footing(at: Footing, known: Known) -> Footing:
    """Return `at` with what the bank knows the customer to have, less what they say they lost."""
    lost = known.lost
    has_lost_bound = Lost.BOUND_PHONE in lost or (known.is_bound_registered and Lost.PHONE in lost)
    has = {
        REGISTERED_SIM: at.is_registered and Lost.PHONE not in lost,
        BOUND_SIM: known.has_bound_phone and not has_lost_bound,
        "device": known.has_device and Lost.DEVICE not in lost,
        "password": known.has_password and Lost.PASSWORD not in lost,
        "card_pin": known.has_active_card and Lost.PIN not in lost and Lost.CARD not in lost,
        "passkey": known.has_passkey and Lost.PASSKEY not in lost,
        "face": known.has_face and Lost.FACE not in lost,
        "social": known.has_social and Lost.SOCIAL not in lost,
    }
    return at._replace(
        holds=at.holds | {name for name, is_held in has.items() if is_held},
        has_card=known.has_active_card and Lost.CARD not in lost,
    )


def verdict(at: Footing, known: Known, rules: Rules) -> Verdict:
    """Return why this customer cannot get in, and what gets them in. `at.holds` as `footing` returned it."""
    # What is not open at this bank is nobody's trouble.
    open_here = rules.built.proofs
    at = at._replace(off=_of(at.off, open_here), off_on_device=_of(at.off_on_device, open_here))
    alone = way_in(at, rules, is_at_counter=False)
    helped = way_in(at, rules, is_at_counter=True)
    return Verdict(
        headline=_headline(at, known, alone),
        findings=tuple(_findings(at, known, open_here)),
        alone=alone,
        at_counter=helped if helped != alone else None,
    )


def _of(off: frozenset[tuple[str, str]], proofs: frozenset[str]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for pair in off if pair[0] in proofs)


def _headline(at: Footing, known: Known, alone: tuple[str, ...] | None) -> str:
    if not at.is_registered:
        return "not-registered" if alone else "not-registered-stuck"
    if at.everywhere is not Permission.OPEN:
        return at.everywhere.value
    if at.unknown is not Permission.OPEN and ("device" not in at.holds or at.device is not Permission.OPEN):
        return Permission.CLOSED_BY_FAILURES.value
    if alone is not None and len(alone) == 1:
        return "another-way" if known.lost or at.off else "nothing-wrong"
    if REGISTERED_SIM not in at.holds:
        return "number-lost" if Lost.PASSWORD not in known.lost else "number-and-password-lost"
    if at.off:
        return "proof-blocked" if alone is None and known.blocked_seconds else "proof-off"
    return "password-lost" if alone is not None else "nothing-left"


def _findings(at: Footing, known: Known, open_here: frozenset[str]) -> Iterator[Finding]:
    if not at.is_registered:
        yield Finding("not-registered", False)
    else:
        yield from _about_permission(at, known)
        yield _lost_or("number", REGISTERED_SIM in at.holds)
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


HEADLINES: Final = (
    "not-registered", "not-registered-stuck", "closed-by-bank", "closed-by-customer", "closed-by-disuse",
    "closed-by-failures", "another-way", "nothing-wrong", "number-lost", "number-and-password-lost", "proof-blocked",
    "proof-off", "password-lost", "nothing-left",
)  # fmt: skip
FINDINGS: Final = (
    "not-registered", "permission-open", "closed-by-bank", "closed-by-customer", "closed-by-disuse",
    "elsewhere-closed", "device-closed", "number-held", "number-lost", "password-none", "password-blocked",
    "password-disabled", "password-lost", "password-usable", "device-held", "device-lost", "device-none", "card-none",
    "card-held", "card-lost", "pin-blocked", "pin-disabled", "pin-lost", "pin-usable", "bound-is-registered",
    "bound-held", "bound-lost", "bound-none", "document-valid", "document-expiring", "document-grace",
    "document-expired", "cooling", "codes-spent", "passkey-held", "passkey-lost", "passkey-new", "passkey-none",
    "face-usable", "face-expired", "face-blocked", "face-disabled", "face-lost", "face-none", "social-held",
    "social-lost",
)  # fmt: skip
