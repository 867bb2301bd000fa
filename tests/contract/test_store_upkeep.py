"""Purging, in the real databases."""

import msgspec
import pytest

from foregate.counter.codes import PURPOSE
from foregate.ids import new_id
from foregate.ports import Message, PermitRow, StopLinkRow
from foregate.rules import limits
from foregate.store.janitor import JOURNEY_KEPT_SECONDS, MESSAGE_KEPT_SECONDS, PERMIT_KEPT_SECONDS, Janitor
from foregate.store.outbox import Dispatcher
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import (
    NOW,
    Clock,
    a_code,
    a_device,
    a_journey,
    a_message,
    a_session,
    count,
    in_one,
)

pytestmark = pytest.mark.anyio
DAY = 86400


async def _unreachable(message: Message) -> None:
    raise AssertionError(message)


async def fill(store: SqlStore) -> None:
    """Put a row into every table that is ever purged."""
    journey = a_journey()
    async with store.begin() as tx:
        await tx.journeys.insert(journey)
        await tx.codes.issue(a_code(journey.journey_id, expires_at=0))
        await tx.codes.issue(a_code(new_id(), purpose=PURPOSE, expires_at=NOW + 300))
        await tx.permits.insert(PermitRow(customer_id=new_id(), digest=b"p", created_at=NOW, expires_at=NOW + DAY))
        await tx.stop_links.insert(StopLinkRow(digest=b"s", customer_id=new_id(), expires_at=NOW + DAY))
        await tx.sessions.insert(a_session(new_id()))
        await tx.devices.insert(a_device(new_id()))
        await tx.counters.charge(new_id(), "password", "unknown", NOW)
        await tx.codes.spend_send(b"quiet", NOW)
        await tx.codes.charge_streak(b"guessed", 5, NOW)
        await tx.codes.put_inbound(b"p", b"t", NOW + 600)
        await tx.outbox.put(a_message(phone=None), NOW)
    await Dispatcher(store, _unreachable).dispatch()  # a decoy's message: it ends, and is handed to nobody


# How long after NOW each row is still there, to the second.
KEPT = {
    "inbound_text": 600,
    "session": 43200,
    "send_guard WHERE streak = 0": DAY,
    "journey": 900 + JOURNEY_KEPT_SECONDS,
    "code WHERE purpose = 'sign-in'": 900 + JOURNEY_KEPT_SECONDS,
    f"code WHERE purpose = '{PURPOSE}'": 300 + 2 * DAY,
    "permit": PERMIT_KEPT_SECONDS,
    "stop_link": DAY,
    "outbox": MESSAGE_KEPT_SECONDS,
    "device": limits.DEVICE_DAYS * DAY,
    "send_guard WHERE streak > 0": limits.COUNTER_DAYS * DAY,
    "counter": limits.COUNTER_DAYS * DAY,
}


@pytest.mark.parametrize("rows", KEPT)
async def test_rows_are_kept_so_long_and_no_longer(store: SqlStore, clock: Clock, rows: str) -> None:
    """The second before, the row is there; at its end the sweep takes it."""
    table, _, where = rows.partition(" WHERE ")
    await fill(store)
    clock.at = NOW + KEPT[rows] - 1
    await Janitor(store).sweep()
    assert 1 == await count(store, table, where or "1 = 1")
    clock.at += 1
    await Janitor(store).sweep()
    assert 0 == await count(store, table, where or "1 = 1")


async def test_a_message_that_waits_is_never_purged(store: SqlStore, clock: Clock) -> None:
    """However old: it ends first."""
    await in_one(store, lambda tx: tx.outbox.put(a_message(), NOW))
    clock.at += 10 * MESSAGE_KEPT_SECONDS
    await Janitor(store).sweep()
    assert 1 == await count(store, "outbox")


async def test_purging_in_bites(store: SqlStore, clock: Clock) -> None:
    """More rows than a bite go in several, and a sweep that was stopped leaves the rest for the next."""
    session = a_session("c", expires_at=NOW)
    async with store.begin() as tx:
        for n in range(limits.PURGE_BATCH + 5):
            await tx.codes.put_inbound(b"p", str(n).encode(), NOW)
        await tx.sessions.insert(session)
        await tx.sessions.insert(msgspec.structs.replace(session, session_id=new_id(), expires_at=NOW + 1))
    janitor = Janitor(store)
    assert limits.PURGE_BATCH == await janitor.bite("inbound_text", NOW)
    swept = await janitor.sweep()
    assert (5, 1) == (swept["inbound_text"], swept["session"])
    assert {0} == set((await janitor.sweep()).values())
    assert 1 == await count(store, "session")
