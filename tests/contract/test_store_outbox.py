"""Messages: sent after the commit, each ended exactly once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from foregate.ids import new_id
from foregate.ports import Message
from foregate.rules import limits
from foregate.store import outbox
from foregate.store.outbox import Dispatcher
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, Clock, a_message, count, in_one, sql, undone, until

pytestmark = pytest.mark.anyio


class Gateway:
    """An SMS centre that fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.taken: list[Message] = []

    async def deliver(self, message: Message) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("SMS centre")
        self.taken.append(message)


async def put(store: SqlStore, *messages: Message) -> None:
    async with store.begin() as tx:
        for message in messages:
            await tx.outbox.put(message, store.clock.now())


async def statuses(store: SqlStore) -> list[str]:
    return [row["status"] for row in await sql(store, "SELECT status FROM outbox ORDER BY message_id")]


async def test_a_message_is_handed_over_as_written(store: SqlStore) -> None:
    """Once, complete, and then its personal part is erased."""
    gateway, message = Gateway(), a_message()
    await put(store, message)
    dispatcher = Dispatcher(store, gateway.deliver)
    assert [1, 0] == [await dispatcher.dispatch(), await dispatcher.dispatch()]
    assert [message] == gateway.taken
    (row,) = await sql(store, "SELECT * FROM outbox")
    assert ("sent", None, None, None) == (row["status"], row["phone_sealed"], row["facts_sealed"], row["nonce"])


async def test_what_was_not_committed_is_not_sent(store: SqlStore) -> None:
    """A message goes with its transaction."""
    await undone(store, lambda tx: tx.outbox.put(a_message(), NOW))
    assert 0 == await Dispatcher(store, Gateway().deliver).dispatch()


async def test_a_number_is_not_readable_while_it_waits(store: SqlStore) -> None:
    """Neither number nor facts stand in the table in clear."""
    await put(store, a_message(facts={"purpose": "sign-in-secretly"}))
    (row,) = await sql(store, "SELECT * FROM outbox")
    assert b"13800138000" not in row["phone_sealed"]
    assert b"secretly" not in row["facts_sealed"]


async def test_a_decoy_is_suppressed(store: SqlStore) -> None:
    """It is claimed and ended like any other, and goes nowhere."""
    gateway = Gateway()
    await put(store, a_message(phone=None))
    assert 1 == await Dispatcher(store, gateway.deliver).dispatch()
    assert ([], ["suppressed"]) == (gateway.taken, await statuses(store))


async def test_too_late_is_not_sent(store: SqlStore, clock: Clock) -> None:
    """A code that would be dead on arrival is not sent; a message without an end still is."""
    gateway = Gateway()
    await put(store, a_message(expires_at=NOW + 300), a_message(expires_at=0))
    clock.at += 300
    await Dispatcher(store, gateway.deliver).dispatch()
    assert ["expired", "sent"] == await statuses(store)
    assert 1 == len(gateway.taken)


async def test_a_failure_is_tried_again_later(store: SqlStore, clock: Clock) -> None:
    """Not at once, but within seconds, and then it is sent once."""
    gateway = Gateway(failures=2)
    dispatcher = Dispatcher(store, gateway.deliver)
    await put(store, a_message())
    assert [1, 0] == [await dispatcher.dispatch(), await dispatcher.dispatch()]
    clock.at += 2 * outbox.BACKOFF_SECONDS
    assert [1, 0] == [await dispatcher.dispatch(), await dispatcher.dispatch()]
    clock.at += 4 * outbox.BACKOFF_SECONDS
    assert [1, 0] == [await dispatcher.dispatch(), await dispatcher.dispatch()]
    assert (["sent"], 1) == (await statuses(store), len(gateway.taken))


async def test_tries_end(store: SqlStore, clock: Clock) -> None:
    """After OUTBOX_TRIES the message is given up."""
    gateway = Gateway(failures=99)
    dispatcher = Dispatcher(store, gateway.deliver)
    await put(store, a_message(expires_at=0))
    for _ in range(limits.OUTBOX_TRIES + 2):
        await dispatcher.dispatch()
        clock.at += 3600
    assert (99 - limits.OUTBOX_TRIES, ["failed"]) == (gateway.failures, await statuses(store))


async def test_one_bad_message_holds_up_nobody(store: SqlStore) -> None:
    """The others of its batch are sent."""
    gateway = Gateway()
    bad = a_message(template="bad")

    async def deliver(message: Message) -> None:
        if message.template == "bad":
            raise ValueError("no such template")
        await gateway.deliver(message)

    await put(store, bad, *(a_message() for _ in range(5)))
    await Dispatcher(store, deliver).dispatch()
    assert 5 == len(gateway.taken)
    assert 5 == await count(store, "outbox", "status = 'sent'")


async def test_a_dispatcher_that_died_gives_its_messages_back(store: SqlStore, clock: Clock) -> None:
    """A claimed message comes back after its lease; the dead one's late word changes nothing."""
    gateway, is_stuck = Gateway(), asyncio.Event()

    async def stuck(message: Message) -> None:
        is_stuck.set()
        await asyncio.sleep(60)

    await put(store, a_message())
    dead = asyncio.create_task(Dispatcher(store, stuck).dispatch())
    await is_stuck.wait()
    alive = Dispatcher(store, gateway.deliver)
    assert 0 == await alive.dispatch()
    clock.at += outbox.LEASE_SECONDS
    assert 1 == await alive.dispatch()
    dead.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dead
    assert (["sent"], 1) == (await statuses(store), len(gateway.taken))


async def test_a_late_word_changes_nothing(store: SqlStore, clock: Clock) -> None:
    """A worker that took longer than its lease cannot end what another has tried since."""
    may_end, has_begun = asyncio.Event(), asyncio.Event()

    async def slow(message: Message) -> None:
        has_begun.set()
        await may_end.wait()

    await put(store, a_message(expires_at=0))
    late = asyncio.create_task(Dispatcher(store, slow).dispatch())
    await has_begun.wait()
    clock.at += outbox.LEASE_SECONDS
    await Dispatcher(store, Gateway(failures=1).deliver).dispatch()
    may_end.set()
    await late
    assert ["waiting"] == await statuses(store)


async def test_many_dispatchers(store: SqlStore) -> None:
    """Each of hundreds of messages is sent exactly once by several nodes together."""
    gateway = Gateway()
    await put(store, *(a_message(message_id=new_id(), facts={"n": str(n)}) for n in range(400)))
    dispatchers = [Dispatcher(store, gateway.deliver) for _ in range(4)]
    await asyncio.gather(*(dispatcher.once() for dispatcher in dispatchers))
    assert sorted(map(str, range(400))) == sorted(message.facts["n"] for message in gateway.taken)
    assert 400 == await count(store, "outbox", "status = 'sent'")


async def test_a_commit_wakes_the_dispatcher(store: SqlStore) -> None:
    """Nobody waits for the poll; stopping lets the round under way finish."""
    gateway = Gateway()
    dispatcher = Dispatcher(store, gateway.deliver, poll_seconds=3600)
    running = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0.1)
    await in_one(store, lambda tx: tx.outbox.put(a_message(), NOW))
    await until(lambda: gateway.taken)
    await dispatcher.stop()
    await running
    assert ["sent"] == await statuses(store)


async def test_a_round_that_fails_is_not_the_last(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    """An error in the dispatcher itself is logged, and the next round goes on."""
    gateway = Gateway()
    dispatcher = Dispatcher(store, gateway.deliver, poll_seconds=0.01)
    await sql(store, "ALTER TABLE outbox RENAME TO elsewhere")
    running = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0.2)
    await sql(store, "ALTER TABLE elsewhere RENAME TO outbox")
    await put(store, a_message())
    await until(lambda: gateway.taken)
    await dispatcher.stop()
    await running
    assert "Dispatcher failed in one round" in caplog.text


async def stop_during(store: SqlStore, deliver: Callable[[Message], Awaitable[None]], reached: asyncio.Event) -> None:
    """Send one message, and stop the dispatcher when its delivery got so far."""
    await put(store, a_message())
    dispatcher = Dispatcher(store, deliver)
    task = asyncio.create_task(dispatcher.run())
    await reached.wait()
    async with asyncio.timeout(20):
        await dispatcher.stop()
        await task


@pytest.mark.parametrize("seconds", [0.2, 60], ids=["hurried", "not hurried"])
async def test_a_gateway_that_hangs_does_not_hold_up_the_end(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """It has STOP_SECONDS, or what was left to it if that is less; the message is tried again later."""
    monkeypatch.setattr(outbox, "STOP_SECONDS", seconds)
    monkeypatch.setattr(outbox, "DELIVER_SECONDS", 60.2 - seconds)
    handed_over = asyncio.Event()

    async def hang(message: Message) -> None:
        handed_over.set()
        await asyncio.sleep(3600)

    await stop_during(store, hang, handed_over)
    (row,) = await sql(store, "SELECT status, next_at FROM outbox")
    assert ("waiting", True) == (row["status"], NOW < row["next_at"] < NOW + outbox.LEASE_SECONDS)


async def test_a_gateway_that_cleans_up_late_does_not_disturb_the_end(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time was over before the process was told to stop, and it is still hanging up."""
    monkeypatch.setattr(outbox, "DELIVER_SECONDS", 0.01)
    is_late = asyncio.Event()

    async def hang_up_slowly(message: Message) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            is_late.set()
            await asyncio.sleep(0.2)

    await stop_during(store, hang_up_slowly, is_late)
    assert ["waiting"] == await statuses(store)
