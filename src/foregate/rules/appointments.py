"""An appointment: from a place held for minutes to a person served, and what moves it.

Rules
  1. Everything that moves an appointment stands in TRANSITIONS.
  2. This file knows no clock and no row; callers bring the event, and the store guards the state it was in.
  3. HELD takes a place for minutes; a place that lapsed may still be confirmed while nobody else has it.
  4. Nothing outlives its day: who was called was served, and who still waits was not called, which is nobody's no-show.

Theory of operation
  Who books proves nothing about being a customer, only a number. So an appointment opens nothing: at the counter
  the ID card decides. What a stranger could do with the link is cancel a visit, hence 144 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where an appointment stands."""

    HELD = "held"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked-in"
    CALLED = "called"
    SERVED = "served"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no-show"
    NOT_CALLED = "not-called"


class Event(StrEnum):
    """What moves it."""

    CONFIRMED = "confirmed"
    LAPSED = "lapsed"  # the hold ran out
    CANCELLED = "cancelled"
    MOVED = "moved"
    CHECKED_IN = "checked-in"
    CALLED = "called"
    SERVED = "served"
    MISSED = "missed"  # nobody came, or who had checked in is not there
    DAY_ENDED = "day-ended"  # where the outlet stands, the day of the visit is over


S, E = State, Event

# fmt: off
TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (S.HELD,       E.CONFIRMED):  S.CONFIRMED,
    (S.HELD,       E.LAPSED):     S.EXPIRED,
    (S.HELD,       E.CANCELLED):  S.EXPIRED,
    (S.EXPIRED,    E.CONFIRMED):  S.CONFIRMED,
    (S.CONFIRMED,  E.MOVED):      S.CONFIRMED,
    (S.CONFIRMED,  E.CANCELLED):  S.CANCELLED,
    (S.CONFIRMED,  E.CHECKED_IN): S.CHECKED_IN,
    (S.CONFIRMED,  E.MISSED):     S.NO_SHOW,
    (S.CHECKED_IN, E.CANCELLED):  S.CANCELLED,
    (S.CHECKED_IN, E.CALLED):     S.CALLED,
    (S.CHECKED_IN, E.MISSED):     S.NO_SHOW,
    (S.CHECKED_IN, E.DAY_ENDED):  S.NOT_CALLED,
    (S.CALLED,     E.CALLED):     S.CALLED,
    (S.CALLED,     E.SERVED):     S.SERVED,
    (S.CALLED,     E.MISSED):     S.NO_SHOW,
    (S.CALLED,     E.DAY_ENDED):  S.SERVED,
}
# fmt: on

# Somebody means to come: these count against the number's limits.
OPEN: Final = frozenset({S.CONFIRMED, S.CHECKED_IN, S.CALLED})
# Somebody is there.
HERE: Final = frozenset({S.CHECKED_IN, S.CALLED})


class NoTransition(Exception):
    """An event that cannot happen in this state."""


def after(state: State, event: Event) -> State:
    """Return the state that follows. Raises NoTransition for any other pair."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise NoTransition(f"{event} while {state}") from None


def sources(event: Event) -> tuple[State, ...]:
    """Return the states in which `event` may happen."""
    return tuple(state for state, happens in TRANSITIONS if happens is event)


# ---------------------------------------------------------------- numbers that people read out

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no I, L, O, U to confuse
_LOOKS_LIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


def spelled(number: int, symbols: int) -> str:
    """Return the low `symbols` * 5 bits of `number`, and one check symbol behind them."""
    text = "".join(ALPHABET[number >> (5 * place) & 31] for place in reversed(range(symbols)))
    return text + _check(text)


def read(text: str, symbols: int) -> str | None:
    """Return what somebody typed as it was spelled; None when a symbol of it is wrong."""
    compact = "".join(c for c in text.upper() if c not in " -").translate(_LOOKS_LIKE)
    if len(compact) != symbols + 1 or any(c not in ALPHABET for c in compact):
        return None
    return compact if _check(compact[:-1]) == compact[-1] else None


def _check(text: str) -> str:
    # Weights 1, 3, 5 ... are odd, so any single wrong symbol shows, and neighbours that changed places nearly always.
    return ALPHABET[sum((2 * place + 1) * ALPHABET.index(symbol) for place, symbol in enumerate(text)) % 32]


CASE_SYMBOLS: Final = 9  # 45 bits: nobody finds a live one by trying
REFERENCE_SYMBOLS: Final = 6  # told apart at one outlet, and no secret
