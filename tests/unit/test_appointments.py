"""The life of an appointment, and the numbers that people read out."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.rules.appointments import (
    ALPHABET,
    CASE_SYMBOLS,
    OPEN,
    TRANSITIONS,
    Event,
    NoTransition,
    State,
    after,
    read,
    sources,
    spelled,
)

OVER = {State.SERVED, State.CANCELLED, State.NO_SHOW, State.NOT_CALLED}


def test_what_is_over_stays_over() -> None:
    """Nothing leads out of served, cancelled or missed."""
    assert set() == OVER & {state for state, _ in TRANSITIONS}
    assert set() == OPEN & OVER


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_moves_or_is_refused(state: State, event: Event) -> None:
    """The table answers for every pair, and `sources` agrees with it."""
    if (state, event) in TRANSITIONS:
        assert TRANSITIONS[state, event] is after(state, event)
    else:
        with pytest.raises(NoTransition):
            after(state, event)
    assert (state in sources(event)) == ((state, event) in TRANSITIONS)


def test_every_state_is_reached() -> None:
    """From a hold, and each that is not over can end."""
    reached, ahead = {State.HELD}, [State.HELD]
    while ahead:
        here = ahead.pop()
        new = {to for (state, _), to in TRANSITIONS.items() if state is here} - reached
        reached |= new
        ahead += new
    assert set(State) == reached
    assert set(State) - OVER == {state for state, _ in TRANSITIONS}


@given(st.integers(0, 32**CASE_SYMBOLS - 1))
def test_a_number_is_read_as_it_was_spelled(number: int) -> None:
    """Small letters, blanks and dashes are fine."""
    spoken = spelled(number, CASE_SYMBOLS)
    assert CASE_SYMBOLS + 1 == len(spoken)
    assert spoken == read(f"{spoken[:5]}-{spoken[5:]} ".lower(), CASE_SYMBOLS)


@given(st.integers(0, 32**CASE_SYMBOLS - 1), st.integers(0, CASE_SYMBOLS), st.sampled_from(ALPHABET))
def test_one_wrong_symbol_is_noticed(number: int, place: int, symbol: str) -> None:
    """Whichever it is, wherever it stands."""
    spoken = spelled(number, CASE_SYMBOLS)
    wrong = spoken[:place] + symbol + spoken[place + 1 :]
    assert (spoken == wrong) == (read(wrong, CASE_SYMBOLS) is not None)


def test_letters_that_look_alike_are_one() -> None:
    """O is 0, I and L are 1, U is V; what is no number at all is None."""
    spoken = spelled(0b00001_00000, 2)
    assert "10" == spoken[:2]
    assert spoken == read(spoken.replace("1", "l").replace("0", "o"), 2)
    assert [None] * 4 == [read(text, 2) for text in ("", "1", "10", "1!A")]


def test_a_case_number_is_too_long_to_find_by_trying() -> None:
    """More than forty bits."""
    assert CASE_SYMBOLS * 5 >= 40
