"""A day at the outlet ends: nobody of yesterday is called today, and nobody is left waiting for ever."""

from __future__ import annotations

import pytest

from foregate.outlets import appointments, queue
from foregate.rules import limits
from foregate.rules.appointments import State
from foregate.rules.limits import DAY
from foregate.situation import Refused
from tests.appointments import HALL, HOUR, TOMORROW_TEN, book, number, put_outlet, rows
from tests.bank import Bank

pytestmark = pytest.mark.anyio


async def come(bank: Bank, people: int) -> None:
    """Let so many people book for ten o'clock and check in."""
    await put_outlet(bank, phone_change=people)
    for n in range(1, people + 1):
        _, booked = await book(bank, number(n))
        assert booked.cause is None
    bank.clock.at = TOMORROW_TEN
    async with bank.house.store.begin() as tx:
        for row in await queue.today(tx, HALL, TOMORROW_TEN):
            await appointments.check_in(tx, row, HALL, TOMORROW_TEN, "staff-1")


async def call(bank: Bank) -> str | None:
    """Call the next, and return their ticket."""
    async with bank.house.store.begin() as tx:
        row = await queue.call_next(tx, HALL, ("counter",), "1", bank.clock.now(), "staff-1")
    return row.ticket if row else None


async def test_yesterdays_people_are_not_called_today(bank: Bank) -> None:
    """Two checked in and were never called: the next morning the line begins with who came that morning."""
    await come(bank, 2)
    bank.clock.turn(DAY)
    assert await call(bank) is None
    async with bank.house.store.begin() as tx:
        assert not isinstance(await queue.walk_in(tx, HALL, "other", bank.clock.now(), "staff-1"), Refused)
    assert ["A001", None] == [await call(bank), await call(bank)]


async def test_what_a_day_left_is_ended(bank: Bank) -> None:
    """Called: they were served. Waiting: nobody called them, which is no no-show. Both may book again at once."""
    await come(bank, 2)
    assert "A001" == await call(bank)
    bank.clock.at = TOMORROW_TEN + 16 * HOUR - 1
    assert 0 == (await bank.house.upkeep.sweep())["left"]
    bank.clock.turn(1)  # two hours after midnight there
    assert 2 == (await bank.house.upkeep.sweep())["left"]
    assert 0 == (await bank.house.upkeep.sweep())["left"]
    assert {State.SERVED: 1, State.NOT_CALLED: 1} == {
        state: len(await rows(bank, state)) for state in (State.SERVED, State.NOT_CALLED)
    }
    again = [(await book(bank, number(n), TOMORROW_TEN + 24 * HOUR))[1].cause for n in (1, 2)]
    assert [None, None] == again
    async with bank.house.store.begin() as tx:
        assert [0, 0] == [(await tx.appointments.hold_booker(number(n), bank.clock.now())).no_shows for n in (1, 2)]


async def test_midnight_ends_no_queue(bank: Bank) -> None:
    """Open all night: who may check in for 00:00 is seen and called before it, and who waits at midnight after it."""
    await put_outlet(bank, phone_change=2)
    midnight = TOMORROW_TEN + 14 * HOUR
    for n in (1, 2):
        assert (await book(bank, number(n), midnight))[1].cause is None

    async def in_queue(at: int) -> list[State]:
        bank.clock.at = at
        async with bank.house.store.begin() as tx:
            return [row.state for row in await queue.today(tx, HALL, at)]

    may_check_in = midnight - limits.CHECK_IN_BEFORE_SECONDS
    assert [] == await in_queue(may_check_in - 1)
    assert [State.CONFIRMED] * 2 == await in_queue(may_check_in)
    async with bank.house.store.begin() as tx:
        for row in await queue.today(tx, HALL, may_check_in):
            await appointments.check_in(tx, row, HALL, may_check_in, "staff-1")
        assert not isinstance(await queue.walk_in(tx, HALL, "other", may_check_in, "staff-1"), Refused)
    assert await call(bank)
    later = midnight + limits.QUEUE_AFTER_MIDNIGHT_SECONDS - 1
    assert 3 == len(await in_queue(later))
    assert await call(bank)
    assert await call(bank)
    assert await call(bank) is None


async def test_who_waits_and_is_not_there(bank: Bank) -> None:
    """Staff note that somebody who checked in did not come: it counts, as for whoever was called."""
    await come(bank, 1)
    (row,) = await rows(bank, State.CHECKED_IN)
    async with bank.house.store.begin() as tx:
        gone = await queue.missed(tx, row, bank.clock.now(), "staff-1")
        assert not isinstance(gone, Refused)
        assert State.NO_SHOW is gone.state
    async with bank.house.store.begin() as tx:
        assert 1 == (await tx.appointments.hold_booker(number(1), bank.clock.now())).no_shows
    assert await call(bank) is None
