"""The causes: why a proof or an act was refused, who may learn it, and what gets past it.

Rules
  1. A cause has a tier. A visitor below it sees the public twin, never the cause: same words, status and remedies.
  2. No cause is without remedies, and none has a remedy that leads only back to itself. `visit-outlet` is always
     open: at an outlet a person with an ID card is let in by people.
  3. Names never change their meaning: support quotes them, translations are keyed by them.
  4. Before possession is shown, every cause raised depends on what the visitor typed or on their own journey,
     never on the customer. The checker holds this (promise 3).

A remedy is the name of a journey, or of something a page can do at once (`REMEDY_ACTIONS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from foregate.rules.words import Tier


class Cause(msgspec.Struct, frozen=True):
    """One reason. `status` is the HTTP status of the problem that tells it."""

    name: str
    tier: Tier
    remedies: tuple[str, ...]
    status: int = 403
    twin: str | None = None


Causes = Mapping[str, Cause]

# What a page can do at once, where a journey would be too much.
REMEDY_ACTIONS: Final = frozenset(
    {
        "try-again",  # answer the same step once more
        "ask-new-code",  # have another code sent
        "text-us",  # prove the number by sending a message from it
        "another-way",  # take another proof of the same journey
        "start-again",  # the same journey from its beginning
        "wait",  # the seconds are in the answer
        "another-time",  # choose another free time of the same service
        "visit-outlet",  # a person with an ID card is let in by people
        "check-network",  # is it the link, the browser or the bank? One page finds out
        "update-client",  # how the app, WeChat, Alipay or the browser is brought up to date
    }
)

# What is wrong with a picture, as its maker can mend it.
FACE_QUALITY: Final = (
    "no-face", "several-faces", "face-too-far", "face-too-near", "face-not-centred", "face-look-away", "face-too-dark",
    "face-too-bright", "face-too-blurred", "face-covered", "face-unreadable",
)  # fmt: skip

TWIN: Final = "not-recognised"
ANYONE, POSSESSION, CUSTOMER = Tier.ANYONE, Tier.POSSESSION, Tier.CUSTOMER


def _rows(*causes: Cause) -> Causes:
    return {cause.name: cause for cause in causes}


def _anyone(name: str, status: int, *remedies: str) -> Cause:
    return Cause(name, ANYONE, remedies, status)


def _earned(name: str, tier: Tier, *remedies: str, status: int = 403) -> Cause:
    return Cause(name, tier, remedies, status, TWIN)


# fmt: off
CAUSES: Final[Causes] = _rows(
    # The public twin: what a stranger hears, whatever the reason.
    _anyone("not-recognised", 403, "try-again", "another-way", "reopen", "reset-password", "register", "visit-outlet"),
    # What was typed.
    _anyone("input-invalid", 422, "try-again", "visit-outlet"),
    # Codes: each depends on the visitor's own journey alone.
    _anyone("code-wrong", 403, "try-again", "ask-new-code", "text-us", "another-way", "visit-outlet"),
    _anyone("code-expired", 403, "ask-new-code", "text-us", "another-way", "visit-outlet"),
    _anyone("code-used-up", 403, "start-again", "another-way", "visit-outlet"),
    _anyone("code-too-soon", 429, "wait", "text-us", "another-way", "visit-outlet"),
    _anyone("codes-spent", 429, "text-us", "another-way", "wait", "visit-outlet"),
    # Of the range that the visitor typed, or of the house: the same for whoever has the number.
    _anyone("codes-held-back", 429, "text-us", "another-way", "wait", "visit-outlet"),
    _anyone("link-over", 410, "freeze", "visit-outlet"),
    _anyone("text-not-arrived", 403, "try-again", "ask-new-code", "another-way", "visit-outlet"),
    # After possession: the visitor holds the number or the device.
    _earned("password-wrong", POSSESSION, "try-again", "another-way", "reset-password", "reopen", "visit-outlet"),
    _earned("card-pin-wrong", POSSESSION, "try-again", "another-way", "visit-outlet"),
    _earned("proof-blocked", POSSESSION, "another-way", "reopen", "reset-password", "wait", "visit-outlet"),
    _earned("proof-disabled", POSSESSION, "another-way", "reset-password", "renew-face", "visit-outlet"),
    _earned("not-registered", POSSESSION, "register", "sign-in", "visit-outlet"),
    _earned("details-mismatch", POSSESSION, "start-again", "sign-in", "visit-outlet"),
    _earned("number-changed-hands", POSSESSION, "another-way", "wait", "visit-outlet"),
    _earned("closed-by-failures", POSSESSION, "reopen", "reset-password", "visit-outlet"),
    _earned("closed-by-customer", POSSESSION, "reopen", "visit-outlet"),
    _earned("closed-by-disuse", POSSESSION, "reopen", "visit-outlet"),
    _earned("closed-by-bank", POSSESSION, "visit-outlet"),
    _earned("permit-wrong", POSSESSION, "try-again", "another-way", "visit-outlet"),
    _earned("permit-over", POSSESSION, "another-way", "visit-outlet", status=410),
    _earned("cooling-off", POSSESSION, "wait", "freeze", "visit-outlet"),
    _earned("passkey-too-new", POSSESSION, "start-again", "wait", "freeze", "visit-outlet"),
    # After the customer is certain.
    _earned("already-registered", CUSTOMER, "sign-in", "reset-password", "reopen", "visit-outlet", status=409),
    _earned("too-young", CUSTOMER, "visit-outlet"),
    _earned("number-taken", CUSTOMER, "visit-outlet", status=409),
    _earned("user-name-taken", CUSTOMER, "try-again", "visit-outlet", status=422),
    _earned("password-refused", CUSTOMER, "try-again", "visit-outlet", status=422),
    # Identity documents.
    _earned("document-expired", CUSTOMER, "renew-document", "visit-outlet"),
    _earned("document-lapsed", CUSTOMER, "visit-outlet"),
    _earned("document-mismatch", CUSTOMER, "try-again", "visit-outlet", status=422),
    _earned("document-unconfirmed", CUSTOMER, "try-again", "visit-outlet", status=422),
    _earned("document-paused", CUSTOMER, "wait", "visit-outlet"),
    _earned("no-such-device", CUSTOMER, "sign-out-everywhere", "visit-outlet", status=404),
    _earned("no-such-session", CUSTOMER, "sign-out-everywhere", "visit-outlet", status=404),
    # Faces: what a picture lacks is told in full, how near a face came never.
    *(_earned(name, POSSESSION, "try-again", "another-way", "visit-outlet", status=422) for name in FACE_QUALITY),
    _earned("face-gesture-missed", POSSESSION, "try-again", "another-way", "visit-outlet"),
    _earned("face-challenge-over", POSSESSION, "try-again", "another-way", "start-again", "visit-outlet"),
    _earned("face-not-live", POSSESSION, "try-again", "another-way", "visit-outlet"),
    _earned("face-not-you", POSSESSION, "try-again", "another-way", "renew-face", "visit-outlet"),
    _earned("face-nothing-expired", POSSESSION, "another-way", "visit-outlet", "renew-face", "try-again"),
    _earned("face-expired", POSSESSION, "renew-face", "another-way", "visit-outlet"),
    _earned("face-none", POSSESSION, "another-way", "renew-face", "visit-outlet"),
    _earned("face-off", POSSESSION, "another-way", "renew-face", "visit-outlet"),
    _earned("face-too-young", CUSTOMER, "another-way", "visit-outlet"),
    _earned("face-document-expired", POSSESSION, "another-way", "renew-document", "visit-outlet"),
    # Passkeys.
    _earned("passkey-not-made", CUSTOMER, "try-again", "visit-outlet", status=422),
    _earned("too-many-passkeys", CUSTOMER, "remove-passkey", "visit-outlet", status=409),
    _earned("no-such-passkey", CUSTOMER, "sign-out-everywhere", "visit-outlet", status=404),
    _earned("last-way-in", CUSTOMER, "remember-device", "add-passkey", "visit-outlet", status=409),
    # Appointments. What is free, and what a secret link leads to, is nobody's secret from whoever asks.
    _anyone("place-taken", 409, "another-time", "visit-outlet"),
    _anyone("appointment-unknown", 404, "book-appointment", "visit-outlet"),
    _anyone("appointment-over", 409, "book-appointment", "visit-outlet"),
    _anyone("check-in-closed", 409, "wait", "visit-outlet"),
    # These are about the number's holder: told when a code has proved the number.
    _earned("booked-already", CUSTOMER, "start-again", "visit-outlet", status=409),
    _earned("too-many-bookings", CUSTOMER, "another-time", "visit-outlet", status=409),
    _earned("booking-paused", CUSTOMER, "wait", "visit-outlet"),
    # WeChat and Alipay. What a provider says of the visitor's own account is told to whoever holds that account.
    _anyone("provider-down", 503, "try-again", "another-way", "sign-in-basic", "sign-in", "check-network", "visit-outlet"),
    _anyone("social-refused", 403, "try-again", "another-way", "sign-in-basic", "visit-outlet"),
    _anyone("social-state", 403, "start-again", "sign-in-basic", "visit-outlet"),
    _anyone("social-preview", 403, "try-again", "another-way", "sign-in-basic", "visit-outlet"),
    _anyone("social-not-linked", 403, "sign-in-basic", "sign-in", "register", "visit-outlet"),
    _earned("social-taken", CUSTOMER, "start-again", "visit-outlet", status=409),
    _earned("social-linked-already", CUSTOMER, "unlink-social", "visit-outlet", status=409),
    _earned("no-such-link", CUSTOMER, "start-again", "visit-outlet", status=404),
    # Sessions.
    _anyone("not-signed-in", 401, "sign-in", "reset-password", "visit-outlet"),
    _anyone("session-ended", 401, "sign-in", "reset-password", "visit-outlet"),
    _anyone("needs-full-session", 403, "finish-sign-in", "visit-outlet"),
    # Journeys.
    _anyone("journey-unknown", 404, "sign-in", "visit-outlet"),
    _anyone("journey-not-open", 404, "sign-in", "visit-outlet"),
    _anyone("journey-expired", 410, "start-again", "sign-in", "visit-outlet"),
    _anyone("journey-ended", 409, "start-again", "sign-in", "visit-outlet"),
    _anyone("journey-moved-on", 409, "try-again", "start-again", "visit-outlet"),
    _anyone("still-working", 409, "try-again", "wait", "check-network", "visit-outlet"),
    _anyone("key-reused", 422, "try-again", "start-again", "visit-outlet"),
    # The door itself.
    # What the bank's own machines lack today.
    _anyone("accounts-away", 503, "wait", "try-again", "visit-outlet"),
    _anyone("no-printer", 503, "try-again", "visit-outlet"),
    _anyone("client-too-old", 403, "update-client", "freeze", "book-appointment", "visit-outlet"),
    _anyone("not-found", 404, "sign-in", "visit-outlet"),
    _anyone("method-not-allowed", 405, "sign-in", "visit-outlet"),
    _anyone("misdirected", 421, "start-again", "visit-outlet"),
    _anyone("origin-refused", 403, "start-again", "visit-outlet"),
    _anyone("not-json", 415, "try-again", "visit-outlet"),
    _anyone("too-large", 413, "try-again", "visit-outlet"),
    _anyone("too-many-requests", 429, "wait", "check-network", "visit-outlet"),
    _anyone("busy", 503, "wait", "try-again", "check-network", "visit-outlet"),
    _anyone("internal-error", 500, "try-again", "start-again", "check-network", "visit-outlet"),
)
# fmt: on


def visible(cause: Cause, earned: Tier, causes: Causes = CAUSES) -> Cause:
    """Return what a visitor who has shown `earned` may learn: the cause, or its public twin."""
    if earned.rank >= cause.tier.rank or cause.twin is None:
        return cause
    return causes[cause.twin]


def when_off(counter: str) -> str:
    """Return the cause that says that too many failures turned off what `counter` counts."""
    return "face-off" if counter == "face" else "proof-disabled"


def cause_as_json(cause: Cause) -> dict[str, Any]:
    """Return one cause in the shape that `foregate causes --format json` promises."""
    return {
        "cause": cause.name,
        "tier": cause.tier.value,
        "twin": cause.twin,
        "status": cause.status,
        "remedies": list(cause.remedies),
    }
