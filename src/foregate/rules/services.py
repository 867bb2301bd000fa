"""What outlets do for people: each service with its length, the people it needs, and what to bring.

Rules
  1. A service belongs to a pool: the windows, or the advisers, that it occupies. Services of one pool share its
     capacity; a place taken for one is gone for all of them.
  2. Codes never change their meaning: outlets list them, links carry them, tickets are called by their pool's letter.
  3. Which service a refusal leads to follows from what the visitor was told and asked for, never from what is true
     of the customer: the link would tell it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from foregate.rules.limits import DAY, HOUR


class Pool(msgspec.Struct, frozen=True):
    """People who do the same work at an outlet. `letter` stands on their tickets; `capacity` is how many there are
    where the bank has not said otherwise."""

    name: str
    letter: str
    capacity: int


COUNTER: Final = Pool("counter", "A", 2)
CASH: Final = Pool("cash", "B", 1)
ADVISER: Final = Pool("adviser", "C", 1)
POOLS: Final[Mapping[str, Pool]] = {pool.name: pool for pool in (COUNTER, CASH, ADVISER)}


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service. `lead_seconds`: how long before it has to be booked; `bring`: names of documents and things."""

    code: str
    pool: Pool
    minutes: int
    bring: tuple[str, ...]
    lead_seconds: int = HOUR


# fmt: off
_ROWS: Final = (
    # The ways back in stand first: who comes from a refusal needs one of these.
    Service(code="phone-change", pool=COUNTER, minutes=20, bring=("id", "new-phone", "card")),
    Service(code="document-update", pool=COUNTER, minutes=15, bring=("id-new", "id-old", "card")),
    Service(code="password-reset", pool=COUNTER, minutes=15, bring=("id", "phone", "card")),
    Service(code="unfreeze-login", pool=COUNTER, minutes=20, bring=("id", "phone", "card")),
    Service(code="face-update", pool=COUNTER, minutes=15, bring=("id", "phone")),
    Service(code="open-account", pool=COUNTER, minutes=45, bring=("id", "phone", "address")),
    Service(code="card-replacement", pool=COUNTER, minutes=20, bring=("id", "card")),
    Service(code="cash", pool=CASH, minutes=15, bring=("id", "card"), lead_seconds=DAY),
    Service(code="foreign-exchange", pool=CASH, minutes=30, bring=("id", "card", "purpose"), lead_seconds=DAY),
    Service(code="loan", pool=ADVISER, minutes=60, bring=("id", "income", "card"), lead_seconds=DAY),
    Service(code="wealth", pool=ADVISER, minutes=45, bring=("id", "card")),
    Service(code="other", pool=COUNTER, minutes=20, bring=("id", "card")),
)
# fmt: on
SERVICES: Final[Mapping[str, Service]] = {service.code: service for service in _ROWS}
BRING: Final = tuple(dict.fromkeys(thing for service in _ROWS for thing in service.bring))

# By what the visitor was told. A code that does not arrive is nearly always a number that was given up.
BY_CAUSE: Final[Mapping[str, str]] = {
    "code-expired": "phone-change",
    "code-used-up": "phone-change",
    "code-too-soon": "phone-change",
    "codes-spent": "phone-change",
    "text-not-arrived": "phone-change",
    "number-changed-hands": "phone-change",
    "number-taken": "phone-change",
    "password-wrong": "password-reset",
    "proof-disabled": "password-reset",
    "card-pin-wrong": "card-replacement",
    "details-mismatch": "document-update",
    # A document is put right at the counter, whatever it kept somebody from.
    "document-expired": "document-update",
    "document-lapsed": "document-update",
    "document-mismatch": "document-update",
    "document-unconfirmed": "document-update",
    "document-paused": "document-update",
    "face-document-expired": "document-update",
    # A face that does not do: no password is missing, whatever was wanted. The counter checks the document and puts
    # it right; the customer enrols anew on their own phone, beside the teller.
    "face-expired": "face-update",
    "face-off": "face-update",
    "face-none": "face-update",
    "face-not-you": "face-update",
    "face-nothing-expired": "face-update",
    "face-too-young": "other",  # no counter makes anybody older
    "closed-by-bank": "unfreeze-login",
    "closed-by-failures": "unfreeze-login",
    "closed-by-customer": "unfreeze-login",
    "closed-by-disuse": "unfreeze-login",
    "too-young": "open-account",
}
# By what the visitor was about to do, where the cause says nothing of its own.
BY_JOURNEY: Final[Mapping[str, str]] = {
    "register": "open-account",
    "sign-in-basic": "phone-change",
    "sign-in": "password-reset",
    "finish-sign-in": "password-reset",
    "reset-password": "password-reset",
    "reopen": "unfreeze-login",
    "renew-document": "document-update",
    "renew-face": "face-update",
    "replace-phone": "phone-change",
}


def service_for(cause: str | None, journey: str | None) -> Service:
    """Return the service that gets past `cause` as told on `journey`."""
    code = BY_CAUSE.get(cause or "") or BY_JOURNEY.get(journey or "") or "other"
    return SERVICES[code]


# Whether a wheelchair gets in, as OpenStreetMap says it.
ACCESS: Final = ("yes", "limited", "no", "unknown")

# Machines serve nobody by appointment.
UNSTAFFED: Final = frozenset({"self-service", "atm"})


def offered(kind: str, listed: tuple[str, ...]) -> tuple[Service, ...]:
    """Return the services of an outlet of `kind` that lists these; one that lists none offers them all."""
    if kind in UNSTAFFED:
        return ()
    return tuple(service for service in _ROWS if not listed or service.code in listed)
