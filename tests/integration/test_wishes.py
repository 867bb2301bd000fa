"""An appointment that waited on a device without a link: a booking like any other, once, at the nearest time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from foregate.local_time import at_place
from foregate.rules import limits
from foregate.rules.appointments import State
from foregate.store.outlets.appointment_tables import appointment
from foregate.store.statements import Statement, word
from tests import ready
from tests.appointments import HALL, book, number, put_outlet, rows
from tests.bank import NOW, ORIGIN, Bank, Visitor, open_bank
from tests.services import PostgresServer

pytestmark = pytest.mark.anyio

ADDRESS = "/book-appointment/wish"
TODAY = at_place(NOW, HALL.time_zone).date()
TOMORROW = (TODAY + timedelta(days=1)).isoformat()


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """Yield a bank with one outlet that is always open."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await put_outlet(bank)
    yield bank
    await bank.close()


@pytest.fixture
async def busy_bank(postgres_server: PostgresServer, migrated_postgres: str) -> AsyncIterator[Bank]:
    """The same over PostgreSQL, where transactions run beside each other."""
    bank = await open_bank(ready.copy_of(postgres_server, migrated_postgres)[1])
    await put_outlet(bank)
    yield bank
    await bank.close()


async def send(visitor: Visitor, key: str = "k1", **changes: Any) -> httpx2.Response:
    """Send a wish as a page does."""
    wish = {
        "outlet": HALL.outlet_id,
        "service": "wealth",
        "day": "",
        "part": "any",
        "surname": "王",
        "phone": number(1),
    }
    return await visitor.client.post(ADDRESS, data=wish | {"key": key} | changes, headers={"Origin": ORIGIN})


async def sent(visitor: Visitor, key: str = "k1", **changes: Any) -> dict[str, Any]:
    raw = await send(visitor, key, **changes)
    assert 200 == raw.status_code, raw.text
    return dict(raw.json())


async def browser(bank: Bank, **options: Any) -> Visitor:
    """A browser that was here before: it has the visitor's cookie."""
    visitor = bank.visitor(**options)
    await visitor.client.get("/")
    return visitor


async def held(bank: Bank) -> list[int]:
    """When the places begin that journeys hold, in order."""
    query = select(appointment.c.starts_at).where(appointment.c.state == word("held")).order_by(appointment.c.starts_at)
    async with bank.house.store.database.snapshot() as connection:
        return [int(row["starts_at"]) for row in await connection.all(Statement(query))]


def codes(messages: list[Any]) -> int:
    return sum(message.code is not None for message in messages)


async def test_a_wish_becomes_a_booking(bank: Bank) -> None:
    """The place is held and the code is sent; the link leads to where the code is typed, and that is all."""
    visitor = await browser(bank)
    told = await sent(visitor, day=TOMORROW, part="morning", headers={})
    assert "您的预约发出去了：1月16日 周六 00:00，人民路支行，为您留 5 分钟" in told["text"]
    confirm = told["ways"][0]["href"]
    page = await visitor.client.get(confirm)
    assert 200 == page.status_code

    form = {"step": "phone_code", "version": "2", "key": "a", "code": await bank.code(number(1))}
    done = await visitor.client.post(confirm, data=form, headers={"Origin": ORIGIN})
    assert (303, True) == (done.status_code, done.headers["location"].startswith("/appointments/"))
    (row,) = await rows(bank, State.CONFIRMED)
    assert ("王", number(1), "wealth") == (row.surname, row.phone, row.service)


async def test_a_wish_is_taken_once(busy_bank: Bank) -> None:
    """One key of one browser is one place and one code, sent again or at the same time; another's is its own."""
    bank = busy_bank
    visitor = await browser(bank)
    several = await asyncio.gather(*(send(visitor) for _ in range(3)))
    # The one that lost the race may be told to come again; then it gets the first answer.
    answers = {raw.text for raw in several if raw.status_code == 200} | {(await send(visitor)).text}
    assert 1 == len(answers)
    await bank.deliver()
    assert (1, 1) == (len(await held(bank)), codes(await bank.phones.messages(number(1))))

    await sent(await browser(bank), phone=number(2))
    assert 2 == len(await held(bank))


# Days from today, part of the day; then on which day from today and from which hour on it is held.
NEAREST = [
    (None, "any", 0, 16),
    (1, "morning", 1, 0),
    (1, "afternoon", 1, 12),
    (-3, "any", 0, 16),
    (400, "any", limits.BOOKING_DAYS, 0),
]


async def test_the_nearest_time(bank: Bank) -> None:
    """The wished day and part of it; a day that is past or too far is as near as can be booked, and said so."""
    for row, (day, part, held_day, from_hour) in enumerate(NEAREST):
        before = set(await held(bank))
        wanted = "" if day is None else (TODAY + timedelta(days=day)).isoformat()
        told = await sent(await browser(bank), day=wanted, part=part, phone=number(row))
        (starts_at,) = set(await held(bank)) - before
        at = at_place(starts_at, HALL.time_zone)
        assert (TODAY + timedelta(days=held_day), True) == (at.date(), at.hour >= from_hour), row
        assert ("离它最近" in told["text"]) == (day == 400), row


async def test_the_wished_time_is_gone(bank: Bank) -> None:
    """The nearest other is held, said so, and there is a way to all the others."""
    await put_outlet(bank, wealth=1)
    first = await browser(bank)
    await sent(first, day=TOMORROW, part="afternoon")
    (taken,) = await held(bank)
    second = await browser(bank)
    told = await sent(second, day=TOMORROW, part="afternoon", phone=number(2))
    assert [taken, taken + 45 * 60] == await held(bank)
    other = await second.client.get(told["ways"][1]["href"], follow_redirects=True)
    assert (200, True) == (other.status_code, "选一个时间" in other.text)


WRONG, NONE = "手机号或姓有一处不对", "没有空的时间"
IMPOSSIBLE = [("phone", "1390", WRONG), ("surname", "", WRONG), ("outlet", "nowhere", NONE), ("service", "magic", NONE)]


async def test_a_wish_that_cannot_be(bank: Bank) -> None:
    """It is said in words, with where to choose again; nothing is held and nothing is sent."""
    visitor = await browser(bank)
    for field, value, said in IMPOSSIBLE:
        told = await sent(visitor, key=field, **{field: value})
        assert said in told["text"], field
        assert 200 == (await visitor.client.get(told["ways"][0]["href"])).status_code
    assert [] == await held(bank)


async def test_an_answer_that_came_too_late(bank: Bank) -> None:
    """The reply was lost and the hold is over: the same key holds nothing anew, and says so."""
    visitor = await browser(bank)
    await sent(visitor)
    bank.clock.at += limits.JOURNEY_SECONDS + 1
    told = await sent(visitor)
    assert "时间已过" in told["text"]
    assert ["/book-appointment?from="] == [way["href"][:23] for way in told["ways"]]
    assert 1 == len(await held(bank))


async def test_what_is_refused(bank: Bank) -> None:
    """Without a key nobody could tell one wish from another; another site would have messages sent to whom it likes."""
    visitor, longest = await browser(bank), "k" * limits.KEY_CHARS
    assert [422, 422, 200] == [(await send(visitor, key)).status_code for key in ("", longest + "k", longest)]
    foreign = await visitor.client.post(ADDRESS, data={"key": "k"}, headers={"Origin": "https://evil.example"})
    assert 403 == foreign.status_code


async def test_wishes_are_counted_like_bookings(bank: Bank) -> None:
    """Whoever holds places has shown nothing yet: a script is told to wait, and for how long."""
    visitor = await browser(bank)
    raws = [await send(visitor, f"k{n}", phone=number(n)) for n in range(limits.HOLDS_PER_MINUTE + 1)]
    assert [200] * limits.HOLDS_PER_MINUTE + [429] == [raw.status_code for raw in raws]
    assert 0 < int(raws[-1].headers["retry-after"]) <= 60


async def test_a_number_with_an_appointment(bank: Bank) -> None:
    """Limits of a number are told after the code, as everywhere: a wish tells a stranger nothing of it."""
    await book(bank, number(1), service="wealth")
    visitor = await browser(bank)
    told = await sent(visitor)
    assert "您的预约发出去了" in told["text"]
