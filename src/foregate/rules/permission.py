"""Login permission: open, or closed, and what moves it.

Rules
  1. Everything that opens or closes a permission stands in TRANSITIONS.
  2. This file knows no clock, no row, no visitor; callers bring the event.

Theory of operation
  Permission is kept per lane. The lane `ALL` is the customer's whole permission: the customer, the bank or long
  disuse close it. Every remembered device has a lane of its own, and everything that no remembered device brings
  shares the lane `UNKNOWN`. Failures close only the lane they came by, so a thief with a SIM card cannot close the
  phone in its owner's pocket; and since a failure is charged only after possession was shown, a stranger brings
  FAILED_TOO_OFTEN about nowhere.

  Closed is not a wall: `reopen` starts from it and opens every lane. What the bank closed only the bank opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from foregate.rules import limits


class Permission(StrEnum):
    """States of login permission in one lane."""

    OPEN = "open"
    CLOSED_BY_FAILURES = "closed-by-failures"
    CLOSED_BY_CUSTOMER = "closed-by-customer"
    CLOSED_BY_DISUSE = "closed-by-disuse"
    CLOSED_BY_BANK = "closed-by-bank"


class Event(StrEnum):
    """What can happen to a permission."""

    FAILED_TOO_OFTEN = "failed-too-often"
    FROZEN = "frozen"
    LONG_UNUSED = "long-unused"
    BANK_CLOSED = "bank-closed"
    REOPENED = "reopened"
    BANK_RELEASED = "bank-released"


class NoTransition(ValueError):
    """This event cannot happen in this state."""


ALL: Final = "all"
UNKNOWN: Final = "unknown"

_P, _E = Permission, Event
TRANSITIONS: Final[Mapping[tuple[Permission, Event], Permission]] = {
    (_P.OPEN, _E.FAILED_TOO_OFTEN): _P.CLOSED_BY_FAILURES,
    (_P.OPEN, _E.FROZEN): _P.CLOSED_BY_CUSTOMER,
    (_P.OPEN, _E.LONG_UNUSED): _P.CLOSED_BY_DISUSE,
    (_P.OPEN, _E.BANK_CLOSED): _P.CLOSED_BY_BANK,
    (_P.CLOSED_BY_FAILURES, _E.REOPENED): _P.OPEN,
    (_P.CLOSED_BY_FAILURES, _E.FROZEN): _P.CLOSED_BY_CUSTOMER,
    (_P.CLOSED_BY_FAILURES, _E.BANK_CLOSED): _P.CLOSED_BY_BANK,
    (_P.CLOSED_BY_CUSTOMER, _E.REOPENED): _P.OPEN,
    (_P.CLOSED_BY_CUSTOMER, _E.FROZEN): _P.CLOSED_BY_CUSTOMER,
    (_P.CLOSED_BY_CUSTOMER, _E.BANK_CLOSED): _P.CLOSED_BY_BANK,
    (_P.CLOSED_BY_DISUSE, _E.REOPENED): _P.OPEN,
    (_P.CLOSED_BY_DISUSE, _E.FROZEN): _P.CLOSED_BY_CUSTOMER,
    (_P.CLOSED_BY_DISUSE, _E.BANK_CLOSED): _P.CLOSED_BY_BANK,
    # Frozen by a customer whom the bank closed: the bank's word stands.
    (_P.CLOSED_BY_BANK, _E.FROZEN): _P.CLOSED_BY_BANK,
    (_P.CLOSED_BY_BANK, _E.BANK_RELEASED): _P.OPEN,
    # Nothing to open: the journey ends well and says so.
    (_P.OPEN, _E.REOPENED): _P.OPEN,
}


def lane_of(device_id: str | None) -> str:
    """Return the lane that failures are charged to: a remembered device's own, or everybody else's."""
    return device_id or UNKNOWN


def after(state: Permission, event: Event) -> Permission:
    """Return the state that follows. Raises NoTransition for any pair that is not in the table."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise NoTransition(f"{event} cannot happen to a permission that is {state}") from None


def effective(stored: Permission, idle_days: int) -> Permission:
    """Return the state as it counts now: an open permission that nobody used for DISUSE_DAYS is closed."""
    if stored is Permission.OPEN and idle_days >= limits.DISUSE_DAYS:
        return after(stored, Event.LONG_UNUSED)
    return stored
