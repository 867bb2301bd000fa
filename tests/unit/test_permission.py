"""Login permission: what opens and closes it, and what never does."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.rules import limits
from foregate.rules.permission import (
    TRANSITIONS,
    UNKNOWN,
    Event,
    NoTransition,
    Permission,
    after,
    effective,
    lane_of,
)

CLOSED = [state for state in Permission if state is not Permission.OPEN]


@pytest.mark.parametrize(("state", "event"), list(product(Permission, Event)))
def test_the_table_is_the_whole_truth(state: Permission, event: Event) -> None:
    """Every pair either stands in the table or is refused by name."""
    if (state, event) in TRANSITIONS:
        assert after(state, event) == TRANSITIONS[state, event]
    else:
        with pytest.raises(NoTransition, match=event.value):
            after(state, event)


@pytest.mark.parametrize("state", [state for state in CLOSED if state is not Permission.CLOSED_BY_BANK])
def test_closed_is_not_a_wall(state: Permission) -> None:
    """Whatever closed it, short of the bank, `reopen` opens it."""
    assert after(state, Event.REOPENED) is Permission.OPEN


def test_what_the_bank_closed_only_the_bank_opens() -> None:
    """A customer's own proof does not lift it, freezing does not loosen it."""
    with pytest.raises(NoTransition):
        after(Permission.CLOSED_BY_BANK, Event.REOPENED)
    assert after(Permission.CLOSED_BY_BANK, Event.FROZEN) is Permission.CLOSED_BY_BANK
    assert after(Permission.CLOSED_BY_BANK, Event.BANK_RELEASED) is Permission.OPEN


@given(st.lists(st.sampled_from([event for event in Event if event is not Event.BANK_RELEASED])))
def test_no_chain_of_events_gets_past_the_bank(events: list[Event]) -> None:
    """In any order, however often."""
    state = Permission.CLOSED_BY_BANK
    for event in events:
        if (state, event) in TRANSITIONS:
            state = after(state, event)

    assert state is Permission.CLOSED_BY_BANK


@pytest.mark.parametrize("state", list(Permission))
def test_anybody_may_freeze_in_any_state(state: Permission) -> None:
    """Protecting oneself is never refused."""
    assert after(state, Event.FROZEN) in (Permission.CLOSED_BY_CUSTOMER, Permission.CLOSED_BY_BANK)


def test_failures_do_not_stack() -> None:
    """A lane that is closed is not charged, so it cannot be closed again."""
    with pytest.raises(NoTransition):
        after(Permission.CLOSED_BY_FAILURES, Event.FAILED_TOO_OFTEN)


def test_every_remembered_device_has_a_lane_of_its_own() -> None:
    """What no remembered device brings shares one lane; a device is never in it."""
    assert lane_of(None) == UNKNOWN
    assert lane_of("0198-a") == "0198-a"
    assert lane_of("0198-a") != lane_of("0198-b")


@pytest.mark.parametrize(
    ("idle_days", "expected"),
    [
        (0, Permission.OPEN),
        (limits.DISUSE_DAYS - 1, Permission.OPEN),
        (int(limits.DISUSE_DAYS), Permission.CLOSED_BY_DISUSE),
        (limits.DISUSE_DAYS + 1, Permission.CLOSED_BY_DISUSE),
    ],
)
def test_long_disuse_closes_what_was_open(idle_days: int, expected: Permission) -> None:
    """At the limit, not a day before."""
    assert effective(Permission.OPEN, idle_days) is expected


@pytest.mark.parametrize("state", CLOSED)
def test_disuse_leaves_closed_as_it_was_closed(state: Permission) -> None:
    """The reason a customer is told stays the first one."""
    assert effective(state, limits.DISUSE_DAYS * 2) is state
