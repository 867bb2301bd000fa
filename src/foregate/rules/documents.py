"""Identity documents: in which state one is on a day, what that closes, and when a renewed one is right.

Rules
  1. A document is good on the whole of its last day, by the bank's own clock, whatever the customer's shows.
  2. One without an end (`None`: long-term) never expires. No far date stands for it.
  3. What an expired document closes stands in CLOSES and nowhere else. Signing in is not in it: whoever cannot sign
     in cannot renew.
  4. This file knows no clock and no registry; callers bring the day and what was found.

Theory of operation

    VALID -> EXPIRING (the last DOCUMENT_AHEAD_DAYS) -> GRACE (DOCUMENT_GRACE_DAYS after its end) -> EXPIRED

  Each state closes what the one before it closed, and perhaps more. Whoever renews is compared with what the bank
  holds, field by field, before anybody outside is asked: a number that the bank knows better is not worth a question.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from foregate.rules import limits
from foregate.rules.document_inputs import DocumentType
from foregate.rules.document_terms import LONG_TERM_FROM_YEARS, issue_fault, years_after
from foregate.rules.inputs import age_on, normal_name
from foregate.rules.spelling import BadInput


class State(StrEnum):
    """Where a document stands on a day, in the order of its life."""

    VALID = "valid"
    EXPIRING = "expiring"
    GRACE = "grace"
    EXPIRED = "expired"

    @property
    def is_good(self) -> bool:
        """True while the document proves who its holder is."""
        return self in (State.VALID, State.EXPIRING)


class Standing(msgspec.Struct, frozen=True):
    """A document's state, and the days that it lasts: until its last day, or in grace until the grace ends.

    None: it never ends, or nothing is left.
    """

    state: State
    days_left: int | None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it is read from the card, in normal form."""

    name: str
    document_type: str
    number: str
    expires_on: str | None  # ISO date; None: long-term
    issued_on: str | None = None  # ISO date; None: it says none, or nobody knows


# The act, and the state from which on it is refused with `document-expired` (or `document-lapsed`, to somebody new).
CLOSES: Final[Mapping[str, State]] = {
    "renew-face": State.GRACE,  # a face is anchored in a document, so this has to be a good one
    "register": State.EXPIRED,  # nobody new is taken in on a document that is long over
}

# A document is the bank's record of a person: it is corrected for whoever has not registered yet, too.
FOR_ANYBODY: Final = frozenset({"correct-document-at-counter"})

# These are given out anew under another number. The others keep theirs for life.
NUMBER_CHANGES: Final = frozenset(
    {
        DocumentType.PASSPORT_CN,
        DocumentType.PASSPORT_FOREIGN,
        DocumentType.FOREIGN_PR_ID,  # since December 2023 they are numbered as residents are
        DocumentType.MAINLAND_PERMIT_HKMO,  # older ones end in how often they were replaced
        DocumentType.MAINLAND_PERMIT_TW,
    }
)
_ZONE_SECONDS: Final = 8 * limits.HOUR


# ---------------------------------------------------------------- the state


def day_of(now: int) -> date:
    """Return the day that it is at the bank, `now` in seconds since 1970: eight hours ahead of UTC, all year."""
    return datetime.fromtimestamp(now + _ZONE_SECONDS, UTC).date()


def hour_of(now: int) -> int:
    """Return the hour that it is at the bank."""
    return datetime.fromtimestamp(now + _ZONE_SECONDS, UTC).hour


def standing_on(expires_on: str | None, day: date) -> Standing:
    """Return how a document stands on `day`. `expires_on`: its last day as an ISO date, None for long-term."""
    if expires_on is None:
        return Standing(State.VALID, None)
    left = (date.fromisoformat(expires_on) - day).days
    if left > limits.DOCUMENT_AHEAD_DAYS:
        return Standing(State.VALID, left)
    if left >= 0:
        return Standing(State.EXPIRING, left)
    if left >= -limits.DOCUMENT_GRACE_DAYS:
        return Standing(State.GRACE, limits.DOCUMENT_GRACE_DAYS + left)
    return Standing(State.EXPIRED, None)


def is_closed(act: str, state: State) -> bool:
    """Say whether a document in this state stands against the act."""
    order = list(State)
    return act in CLOSES and order.index(state) >= order.index(CLOSES[act])


def told_between(day: date) -> tuple[date, date]:
    """Return the first and last end of a document of which its holder is told a message on `day`."""
    return day - timedelta(limits.DOCUMENT_GRACE_DAYS), day + timedelta(limits.DOCUMENT_AHEAD_DAYS)


# ---------------------------------------------------------------- a renewed one


def last_day(expires_on: str, is_long_term: bool, today: date) -> str | None:
    """Return the last day of a new document as typed; None for long-term. Raises BadInput when it cannot be right."""
    if is_long_term:
        if expires_on:
            raise BadInput("day-or-long-term")
        return None
    if not expires_on:
        raise BadInput("empty")
    day = date.fromisoformat(expires_on)
    if day <= today:
        raise BadInput("day-past")
    if day < today + timedelta(limits.DOCUMENT_LEFT_DAYS):
        raise BadInput("day-soon")
    if day > years_after(today, limits.DOCUMENT_YEARS):
        raise BadInput("day-far")
    return expires_on


def differences(typed: Document, held: Document) -> dict[str, str]:
    """Return which fields are not what the bank holds: field to code. A new number may be right where they change."""
    found: dict[str, str] = {}
    if typed.name != normal_name(held.name):
        found["name"] = "name-differs"
    if typed.document_type != held.document_type:
        found["document_type"] = "document-type-differs"
    elif typed.number != held.number and typed.document_type not in NUMBER_CHANGES:
        found["document_number"] = "document-number-differs"
    return found


def doubts(typed: Document, held: Document, birth_date: date, today: date) -> dict[str, str]:
    """Return what is wrong with the days of a document that is theirs: field to code."""
    if typed.expires_on == held.expires_on and typed.number == held.number:
        return {"expires_on" if typed.expires_on else "long_term": "day-as-held"}
    if typed.expires_on is None:
        given_on = date.fromisoformat(typed.issued_on) if typed.issued_on else today
        is_old_enough = age_on(min(given_on, today), birth_date) >= LONG_TERM_FROM_YEARS
        if typed.document_type != DocumentType.RESIDENT_ID or not is_old_enough:
            return {"long_term": "not-long-term"}
    fault = issue_doubt(typed, birth_date, today)
    return {"issued_on": fault} if fault else {}


def issue_doubt(typed: Document, birth_date: date, today: date) -> str | None:
    """Return what is wrong with the day of issue, where one was typed: a code of `document_terms`."""
    if typed.issued_on is None:
        return None
    ends_on = date.fromisoformat(typed.expires_on) if typed.expires_on else None
    return issue_fault(typed.document_type, date.fromisoformat(typed.issued_on), ends_on, birth_date, today)
