"""Journeys in the store."""

import asyncio
from contextlib import nullcontext

import msgspec
import pytest

from foregate.ids import new_id
from foregate.ports import Event, Taken
from foregate.store.unit_of_work import SqlStore, Unit
from tests.contract.samples import NOW, a_code, a_customer, a_journey, at_once, in_one, undone

pytestmark = pytest.mark.anyio


async def test_a_journey_comes_back_as_it_was(store: SqlStore) -> None:
    """What was inserted is what is read."""
    journey = a_journey(customer_id=new_id(), last_key="k", last_request=b"r", last_reply=b"\xff")
    async with store.begin() as tx:
        await tx.journeys.insert(journey)
    async with store.begin() as tx:
        assert journey == await tx.journeys.lock(journey.journey_id)


async def test_an_id_is_given_once(store: SqlStore) -> None:
    """A second journey of the same id is refused at once, with whatever else its transaction wrote."""
    journey, customer = a_journey(), a_customer()
    await in_one(store, lambda tx: tx.journeys.insert(journey))

    async def again(tx: Unit) -> None:
        await tx.customers.insert(customer, {})
        await tx.journeys.insert(msgspec.structs.replace(journey, state=b"another"))

    with pytest.raises(Taken):
        await in_one(store, again)
    async with store.begin() as tx:
        assert None is await tx.customers.find(customer.customer_id)
        assert journey == await tx.journeys.lock(journey.journey_id)


async def test_a_journey_that_moves_on_as_it_begins(store: SqlStore) -> None:
    """What is saved in the transaction that inserts is what is inserted, whether or not it was read in between."""
    journeys = [a_journey(version=1), a_journey(version=1)]
    moved = [msgspec.structs.replace(journey, version=2, state=b"moved") for journey in journeys]
    async with store.begin() as tx:
        for number, journey in enumerate(journeys):
            await tx.journeys.insert(journey)
            if number:
                assert journey == await tx.journeys.lock(journey.journey_id)
            await tx.journeys.save(moved[number])
    for journey in moved:
        assert journey == await in_one(store, lambda tx, id=journey.journey_id: tx.journeys.lock(id))  # type: ignore[misc]  # bound now


async def test_an_unknown_journey(store: SqlStore) -> None:
    """A journey that is not there is None."""
    async with store.begin() as tx:
        assert None is await tx.journeys.lock(new_id())


@pytest.mark.parametrize(("stored", "written", "is_saved"), [(3, 3, True), (3, 4, True), (3, 5, False), (3, 2, False)])
async def test_a_save_is_guarded_by_the_version(store: SqlStore, stored: int, written: int, is_saved: bool) -> None:
    """Only the version that stands, or the next one, may be written."""
    journey = a_journey(version=stored)
    changed = msgspec.structs.replace(journey, version=written, status="done", state=b"new", last_key="k")
    await in_one(store, lambda tx: tx.journeys.insert(journey))
    with nullcontext() if is_saved else pytest.raises(LookupError):
        await in_one(store, lambda tx: tx.journeys.save(changed))
    assert (changed if is_saved else journey) == await in_one(store, lambda tx: tx.journeys.lock(journey.journey_id))


async def test_a_save_is_seen_by_whoever_reads_after_it(store: SqlStore) -> None:
    """A save is written last, but before its journey is read again, and each version from the one before it."""
    journey, seen = a_journey(version=1), []
    async with store.begin() as tx:
        await tx.journeys.insert(journey)
        for version in (2, 3):
            await tx.journeys.save(msgspec.structs.replace(journey, version=version))
        seen.append(await tx.journeys.lock(journey.journey_id))
        await tx.journeys.save(msgspec.structs.replace(journey, version=4, state=b"first"))
        await tx.journeys.save(msgspec.structs.replace(journey, version=4, state=b"second"))
    seen.append(await in_one(store, lambda tx: tx.journeys.lock(journey.journey_id)))
    assert [
        msgspec.structs.replace(journey, version=3),
        msgspec.structs.replace(journey, version=4, state=b"second"),
    ] == seen


async def test_a_save_that_fails_undoes_what_went_with_it(store: SqlStore) -> None:
    """What is written last is one with the rest: when the guard stands against it, no event is left."""
    journey = a_journey(version=7)

    async def save(tx: Unit) -> None:
        await tx.audit.record(Event(chain=journey.journey_id, kind="tested"), NOW)
        await tx.journeys.save(journey)

    with pytest.raises(LookupError):
        await in_one(store, save)
    assert () == await in_one(store, lambda tx: tx.trail.of(journey.journey_id))


async def test_a_void_journey_stays_void(store: SqlStore) -> None:
    """An answer that was under way cannot bring back a journey that was ended from elsewhere."""
    journey = a_journey(customer_id=new_id())
    async with store.begin() as tx:
        await tx.journeys.insert(journey)
        await tx.journeys.void_others(str(journey.customer_id), but="")
    with pytest.raises(LookupError):
        await in_one(store, lambda tx: tx.journeys.save(msgspec.structs.replace(journey, version=2)))


async def test_parallel_saves_of_one_version(store: SqlStore) -> None:
    """Of many answers that lock a journey, each sees what the one before it wrote."""
    journey = a_journey(version=0)
    async with store.begin() as tx:
        await tx.journeys.insert(journey)

    async def answer() -> None:
        async with store.begin() as tx:
            held = await tx.journeys.lock(journey.journey_id)
            assert held is not None
            await asyncio.sleep(0)
            await tx.journeys.save(msgspec.structs.replace(held, version=held.version + 1))

    await asyncio.gather(*(answer() for _ in range(50)))

    async with store.begin() as tx:
        held = await tx.journeys.lock(journey.journey_id)
    assert held is not None
    assert 50 == held.version


async def test_the_newest_open_journey_is_found(store: SqlStore) -> None:
    """A second tap finds the newest journey of this browser, name and claim that is open and young enough."""
    old, new = a_journey(created_at=NOW - 5), a_journey(created_at=NOW)
    others = [
        a_journey(created_at=NOW + 1, status="done"),
        a_journey(created_at=NOW + 1, visitor_digest=b"other"),
        a_journey(created_at=NOW + 1, claim_digest=None),
        a_journey(created_at=NOW + 1, name="freeze"),
    ]
    async with store.begin() as tx:
        for journey in (old, new, *others):
            await tx.journeys.insert(journey)
        assert new == await tx.journeys.find_recent(b"v" * 32, "sign-in", b"c" * 32, since=NOW)
        assert None is await tx.journeys.find_recent(b"v" * 32, "sign-in", b"c" * 32, since=NOW + 1)


async def test_every_other_journey_is_voided_with_its_code(store: SqlStore) -> None:
    """A new password ends what was under way elsewhere; the journey that set it goes on."""
    customer_id = new_id()
    mine, other, strange = a_journey(customer_id=customer_id), a_journey(customer_id=customer_id), a_journey()
    done = a_journey(customer_id=customer_id, status="done")
    async with store.begin() as tx:
        for journey in (mine, other, strange, done):
            await tx.journeys.insert(journey)
            await tx.codes.issue(a_code(journey.journey_id))
        assert 1 == await tx.journeys.void_others(customer_id, but=mine.journey_id)

        statuses = [await tx.journeys.lock(j.journey_id) for j in (mine, other, strange, done)]
        assert ["open", "void", "open", "done"] == [j.status for j in statuses if j]
        assert None is await tx.codes.charge(other.journey_id, 5)
        assert None is not await tx.codes.charge(mine.journey_id, 5)
        assert None is not await tx.codes.charge(strange.journey_id, 5)


async def test_a_freeze_and_a_sign_in_do_not_wait_for_each_other(store: SqlStore) -> None:
    """One holds a journey and waits for the customer, the other holds the customer: both end, at once."""
    customer = a_customer()
    journey = a_journey(customer_id=customer.customer_id)
    async with store.begin() as tx:
        await tx.customers.insert(customer, {})
        await tx.journeys.insert(journey)

    async def sign_in() -> None:
        async with store.begin() as tx:
            await tx.journeys.lock(journey.journey_id)
            await asyncio.sleep(0.05)
            await tx.customers.hold(customer.customer_id)

    async def freeze() -> None:
        async with store.begin() as tx:
            await tx.customers.hold(customer.customer_id)
            await asyncio.sleep(0.1)
            await tx.journeys.void_others(customer.customer_id, but="")

    async with asyncio.timeout(0.9):  # PostgreSQL looks for circles after a second
        await asyncio.gather(sign_in(), freeze())


async def test_an_exception_undoes_everything(store: SqlStore) -> None:
    """What a failed transaction wrote was never there."""
    journey = a_journey()
    await undone(store, lambda tx: tx.journeys.insert(journey))
    async with store.begin() as tx:
        assert None is await tx.journeys.lock(journey.journey_id)


async def test_a_visitor_who_hangs_up(store: SqlStore) -> None:
    """A cancelled transaction is undone, and the connection serves the next visitor."""
    journey = a_journey()
    has_written = asyncio.Event()

    async def hang_up() -> None:
        async with store.begin() as tx:
            await tx.journeys.insert(journey)
            await tx.journeys.lock(journey.journey_id)
            has_written.set()
            await asyncio.sleep(60)

    for _ in range(25):  # more often than there are connections
        has_written.clear()
        task = asyncio.create_task(hang_up())
        await has_written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    found = await at_once(store, 25, lambda tx: tx.journeys.lock(journey.journey_id))
    assert [None] * 25 == list(found)


async def test_cancelled_at_any_moment(store: SqlStore) -> None:
    """Wherever a cancel strikes, no place in the pool is lost and no transaction is left open."""
    journeys = [a_journey() for _ in range(200)]

    async def write(number: int) -> None:
        async with store.begin() as tx:
            await tx.journeys.insert(journeys[number])
            await tx.journeys.lock(journeys[number].journey_id)

    tasks = [asyncio.create_task(write(number)) for number in range(200)]
    for number, task in enumerate(tasks):
        for _ in range(number % 7):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    await at_once(store, 30, lambda tx: tx.journeys.lock(new_id()))
