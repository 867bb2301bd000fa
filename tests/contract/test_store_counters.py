"""Failures of each proof, and login permission, lane by lane."""

import pytest

from foregate.ids import new_id
from foregate.ports import CounterRow
from foregate.rules import limits
from foregate.rules.engine import block_seconds
from foregate.rules.permission import ALL, UNKNOWN, Permission
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, at_once, in_one

pytestmark = pytest.mark.anyio


async def charge(
    store: SqlStore, who: str, at: int = NOW, lane: str = UNKNOWN, counter: str = "password"
) -> CounterRow | None:
    return await in_one(store, lambda tx: tx.counters.charge(who, counter, lane, at))


async def rows(store: SqlStore, who: str) -> tuple[CounterRow, ...]:
    return await in_one(store, lambda tx: tx.counters.of(who))


async def test_the_fifth_failure_blocks(store: SqlStore) -> None:
    """Four failures are counted, the fifth is counted and blocks, a sixth is neither evaluated nor counted."""
    who = new_id()
    counted = [await charge(store, who) for _ in range(6)]
    blocked = NOW + 900
    expected = [CounterRow("password", UNKNOWN, n, n, 0 if n < 5 else blocked) for n in range(1, 6)]
    assert [*expected, None] == counted
    assert (expected[-1],) == await rows(store, who)
    assert None is await charge(store, who, at=blocked - 1)
    assert CounterRow("password", UNKNOWN, 6, 6, 0) == await charge(store, who, at=blocked)


async def test_blocks_are_as_long_as_people_are_told(store: SqlStore) -> None:
    """The statement blocks for exactly what the engine says, from the first failure to the last of all."""
    who, at = new_id(), NOW
    for failures in range(1, limits.TOTAL_FAILURES + 1):
        row = await charge(store, who, at)
        assert row is not None
        assert (failures, failures) == (row.in_a_row, row.total)
        length = block_seconds(failures)
        assert (at + length if length else 0) == row.blocked_until
        at += length
    assert None is await charge(store, who, at)


async def test_a_try_that_was_not_compared_is_given_back(store: SqlStore) -> None:
    """Row and total stand where they stood; the block that the charge set is gone, an older failure stays."""
    who = new_id()
    charged = [await charge(store, who) for _ in range(limits.ROW_FAILURES)]
    last = charged[-1]
    assert last is not None
    assert last.blocked_until > NOW

    await in_one(store, lambda tx: tx.counters.refund(who, last))

    assert (CounterRow("password", UNKNOWN, 4, 4, 0),) == await rows(store, who)
    assert last == await charge(store, who)


async def test_nothing_is_given_back_of_what_was_forgiven(store: SqlStore) -> None:
    """A success in between has cleared the row; the count does not go below zero, nor touch another lane."""
    who = new_id()
    charged, elsewhere = await charge(store, who), await charge(store, who, lane="device-1")
    assert charged is not None
    await in_one(store, lambda tx: tx.counters.succeed(who, "password", UNKNOWN))

    await in_one(store, lambda tx: tx.counters.refund(who, charged))

    assert (elsewhere, CounterRow("password", UNKNOWN, 0, 0, 0)) == await rows(store, who)


async def test_a_thousand_failures_at_once(store: SqlStore) -> None:
    """Exactly five of a thousand parallel guesses at a password are evaluated."""
    who = new_id()
    results = await at_once(store, 1000, lambda tx: tx.counters.charge(who, "password", UNKNOWN, NOW))
    assert 5 == sum(result is not None for result in results)


async def test_failures_in_all_at_once(store: SqlStore) -> None:
    """Where two failures are left in all, exactly two of many parallel guesses are evaluated."""
    who = new_id()
    at = NOW
    for _ in range(limits.TOTAL_FAILURES - 2):
        row = await charge(store, who, at)
        assert row is not None
        at = max(at, row.blocked_until)
    results = await at_once(store, 300, lambda tx: tx.counters.charge(who, "password", UNKNOWN, at))
    assert 2 == sum(result is not None for result in results)


async def test_lanes_block_apart_and_are_counted_together(store: SqlStore) -> None:
    """A stranger's failures do not block a remembered device; but a hundred over all lanes are the end."""
    who, at, evaluated = new_id(), NOW, 0
    for _ in range(5):
        await charge(store, who)
    assert None is await charge(store, who)
    assert None is not await charge(store, who, lane="device-1")

    for _ in range(limits.TOTAL_FAILURES):
        at += limits.BLOCK_SECONDS_MAX
        evaluated += await charge(store, who, at) is not None
        evaluated += await charge(store, who, at, lane="device-1") is not None
    assert limits.TOTAL_FAILURES - 6 == evaluated
    assert None is await charge(store, who, at, lane="device-2")
    assert None is not await charge(store, who, at, counter="card_pin")
    assert None is not await charge(store, new_id(), at)


async def test_success_clears_its_own_lane_only(store: SqlStore) -> None:
    """Only the counter and lane that succeeded go back to zero."""
    who, other = new_id(), new_id()
    for lane, counter in ((UNKNOWN, "password"), ("device-1", "password"), (UNKNOWN, "card_pin")):
        for _ in range(2):
            await charge(store, who, lane=lane, counter=counter)
    await charge(store, other)

    await in_one(store, lambda tx: tx.counters.succeed(who, "password", UNKNOWN))
    await in_one(store, lambda tx: tx.counters.succeed(new_id(), "password", UNKNOWN))

    expected = (
        CounterRow("card_pin", UNKNOWN, 2, 2, 0),
        CounterRow("password", "device-1", 2, 2, 0),
        CounterRow("password", UNKNOWN, 0, 0, 0),
    )
    assert expected == await rows(store, who)
    assert (CounterRow("password", UNKNOWN, 1, 1, 0),) == await rows(store, other)


async def test_clearing_keeps_the_totals(store: SqlStore) -> None:
    """Reopening clears rows and blocks of the counters it names, in every lane; a hundred in all stay a hundred."""
    who = new_id()
    for lane in (UNKNOWN, "device-1"):
        for _ in range(5):
            await charge(store, who, lane=lane)
    await charge(store, who, counter="face")

    await in_one(store, lambda tx: tx.counters.clear(who, ("password", "card_pin")))

    expected = (
        CounterRow("face", UNKNOWN, 1, 1, 0),
        CounterRow("password", "device-1", 0, 5, 0),
        CounterRow("password", UNKNOWN, 0, 5, 0),
    )
    assert expected == await rows(store, who)
    assert None is not await charge(store, who)


async def test_a_proof_bound_anew_starts_afresh(store: SqlStore) -> None:
    """A new password forgets the failures of the old one in every lane, and nothing else."""
    who = new_id()
    for lane, counter in ((UNKNOWN, "password"), ("device-1", "password"), (UNKNOWN, "card_pin")):
        await charge(store, who, lane=lane, counter=counter)
    await in_one(store, lambda tx: tx.counters.bind_again(who, "password"))
    assert (CounterRow("card_pin", UNKNOWN, 1, 1, 0),) == await rows(store, who)


# ---------------------------------------------------------------- permission


async def lanes(store: SqlStore, who: str) -> dict[str, Permission]:
    return await in_one(store, lambda tx: tx.permissions.of(who))


async def move(store: SqlStore, who: str, lane: str, was: Permission, to: Permission) -> bool:
    return await in_one(store, lambda tx: tx.permissions.move(who, lane, was, to, NOW))


async def test_a_permission_moves_from_what_it_was(store: SqlStore) -> None:
    """A move is guarded by the state it leaves; a lane without a row is open."""
    who = new_id()
    assert {} == await lanes(store, who)
    assert not await move(store, who, ALL, Permission.CLOSED_BY_BANK, Permission.OPEN)
    assert {} == await lanes(store, who)
    assert await move(store, who, ALL, Permission.OPEN, Permission.CLOSED_BY_CUSTOMER)
    assert not await move(store, who, ALL, Permission.OPEN, Permission.CLOSED_BY_FAILURES)
    assert await move(store, who, ALL, Permission.CLOSED_BY_CUSTOMER, Permission.CLOSED_BY_BANK)
    assert {ALL: Permission.CLOSED_BY_BANK} == await lanes(store, who)
    assert {} == await lanes(store, new_id())


async def test_parallel_moves(store: SqlStore) -> None:
    """Of many parallel moves from open exactly one happens."""
    who = new_id()
    moved = await at_once(
        store,
        200,
        lambda tx: tx.permissions.move(who, ALL, Permission.OPEN, Permission.CLOSED_BY_FAILURES, NOW),
    )
    assert 1 == sum(moved)


async def test_everything_opens_but_what_the_bank_closed(store: SqlStore) -> None:
    """Reopening opens every lane, but only the bank opens what the bank closed."""
    who, other = new_id(), new_id()
    for number, state in enumerate(Permission):
        await move(store, who, f"lane-{number}", Permission.OPEN, state)
    await move(store, other, ALL, Permission.OPEN, Permission.CLOSED_BY_CUSTOMER)

    await in_one(store, lambda tx: tx.permissions.open_all(who, NOW))

    closed = {lane: state for lane, state in (await lanes(store, who)).items() if state is not Permission.OPEN}
    assert [Permission.CLOSED_BY_BANK] == list(closed.values())
    assert {ALL: Permission.CLOSED_BY_CUSTOMER} == await lanes(store, other)
