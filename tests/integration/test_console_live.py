"""Pages that move by themselves: told once a second by one reader, bounded, and over with the session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.doors.console import live
from foregate.doors.console.live import BEAT, CHANGED, OVER, Live, state_of
from foregate.ports.counter import Role
from foregate.rules import limits
from tests.bank import Bank, open_bank
from tests.staff import Console, hire, open_outlet

pytestmark = pytest.mark.anyio


class Thing:
    """Something that is looked at."""

    def __init__(self) -> None:
        self.state, self.reads, self.is_here = "one", 0, True

    async def read(self) -> str:
        self.reads += 1
        return self.state

    async def is_on_duty(self) -> bool:
        return self.is_here


def stream(told: Live, thing: Thing, who: str = "me", seen: str = "one") -> AsyncIterator[bytes]:
    return told.events(who, "key", seen, thing.read, thing.is_on_duty)


async def following(events: AsyncIterator[bytes]) -> bytes:
    """Return the next event that is none of those that only keep the connection open."""
    while True:
        event = await asyncio.wait_for(anext(events), 5)
        if event not in (BEAT, b"retry: 2000\n\n"):
            return event


async def test_a_change_is_told_once() -> None:
    """And one that came between the page and its stream is not missed."""
    told, thing = Live(poll_seconds=0.001, beat_seconds=0.02), Thing()
    events = stream(told, thing, seen="zero")
    assert CHANGED == await following(events)
    thing.state = "two"
    assert CHANGED == await following(events)
    thing.is_here = False
    assert OVER == await following(events)
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_many_pages_are_one_reader() -> None:
    """Twenty streams ask the database no more often than one, and none is left when they have gone."""
    told, thing = Live(poll_seconds=0.02, beat_seconds=5), Thing()
    streams = [stream(told, thing, who=str(n)) for n in range(20)]
    for each in streams:
        await anext(each)
    await asyncio.sleep(0)
    thing.state = "two"
    assert [CHANGED] * 20 == list(await asyncio.gather(*(following(each) for each in streams)))
    assert thing.reads < 20
    for each in streams:
        await each.aclose()  # type: ignore[attr-defined]  # an asynchronous generator has it
    assert (0, {}) == (told._open.total(), told._watched)


async def test_a_reader_that_fails_is_asked_again() -> None:
    """A database that is away for a moment ends no stream."""
    told, thing, failures = Live(poll_seconds=0.001, beat_seconds=5), Thing(), 3

    async def read() -> str:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise RuntimeError("away")
        return "two"

    events = told.events("me", "key", "one", read, thing.is_on_duty)
    assert CHANGED == await following(events)


@pytest.mark.parametrize("limit", ["STREAMS_PER_STAFF", "STREAMS_PER_PROCESS"])
async def test_streams_are_bounded(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than there may be is told to come back later."""
    monkeypatch.setattr(limits, limit, 2)
    told, thing = Live(poll_seconds=1, beat_seconds=5), Thing()
    opened = [stream(told, thing) for _ in range(2)]
    for each in opened:
        await anext(each)
    full = told.response("me", "key", "", thing.read, thing.is_on_duty)
    assert (503, "60") == (full.status_code, full.headers["retry-after"])
    await opened[0].aclose()  # type: ignore[attr-defined]  # as above
    assert 200 == told.response("me", "key", "", thing.read, thing.is_on_duty).status_code
    await opened[1].aclose()  # type: ignore[attr-defined]  # as above


def test_equal_states_have_one_name() -> None:
    """Whatever they are made of."""
    assert state_of([("a", 1)]) == state_of([("a", 1)])
    assert state_of([("a", 1)]) != state_of([("a", 2)])


# ---------------------------------------------------------------- over HTTP


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await open_outlet(bank)
    yield bank
    await bank.close()


async def test_the_queue_is_told_and_moves(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket is drawn, called and served; the page names the state it shows, and the stream the one it is in."""
    monkeypatch.setattr(limits, "STREAM_SECONDS", 0)
    monkeypatch.setattr(live, "POLL_SECONDS", 0.01)
    teller = await hire(bank, "zhou.teller", Role.TELLER, outlet_id="0001")
    console = Console(bank)
    await console.sign_in(teller)
    empty = await console.get("/console/queue")
    assert "Nobody is waiting" in empty.words
    assert "ticket=A001" in (await console.post("/console/queue/walk-in", service="other")).location
    waiting = await console.get("/console/queue")
    assert seen_in(empty.text) != seen_in(waiting.text)
    called = await console.post("/console/queue/next", desk="3")
    assert "said=called&desk=3&ticket=A001" in called.location
    assert "A001, please come to window 3." in (await console.get(called.location)).words
    step = (await console.get("/console/queue")).text.partition('action="/console/queue/')[2]
    appointment_id = step.partition("/")[0]
    for verb, said in (("served", "served"), ("served", "refused"), ("missed", "refused")):
        assert f"said={said}" in (await console.post(f"/console/queue/{appointment_id}/{verb}")).location
    opened = await console.get(f"/console/queue/events?seen={seen_in(waiting.text)}")
    assert "text/event-stream" in opened.raw.headers["content-type"]
    assert "no-store" == opened.raw.headers["cache-control"]


async def test_another_outlets_queue_is_nobody_elses(bank: Bank) -> None:
    """Who stands elsewhere moves nobody here."""
    await open_outlet(bank, "0002", "北关支行")
    near, far = Console(bank), Console(bank)
    await near.sign_in(await hire(bank, "zhou.teller", Role.TELLER, outlet_id="0001"))
    await far.sign_in(await hire(bank, "qian.teller", Role.TELLER, outlet_id="0002"))
    await near.post("/console/queue/walk-in", service="other")
    await near.post("/console/queue/next", desk="1")
    page = await near.get("/console/queue")
    appointment_id = page.text.partition('action="/console/queue/')[2].partition("/")[0]
    assert "said=refused" in (await far.post(f"/console/queue/{appointment_id}/served")).location
    assert "A001" not in (await far.get("/console/queue")).words
    assert "said=served" in (await near.post(f"/console/queue/{appointment_id}/served")).location


def seen_in(text: str) -> str:
    return text.partition("/events?seen=")[2][:16]
