"""Permits, links that freeze, and a number that moves: one guarded statement says whether each is good."""

import asyncio

import msgspec
import pytest

from foregate.ids import new_id
from foregate.ports import PermitRow, StopLinkRow, Taken
from foregate.rules import limits
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, a_customer, at_once, in_one

pytestmark = pytest.mark.anyio

DIGEST, OTHER = b"p" * 32, b"q" * 32
UNTIL = NOW + 900


def a_permit(customer_id: str, digest: bytes = DIGEST, expires_at: int = NOW + 86400) -> PermitRow:
    return PermitRow(customer_id=customer_id, digest=digest, created_at=NOW, expires_at=expires_at)


async def lend(store: SqlStore, who: str, at: int = NOW, digest: bytes = DIGEST) -> bool:
    return await in_one(store, lambda tx: tx.permits.lend(who, digest, at, at + 900))


async def test_a_permit_is_lent_to_one_journey_at_a_time(store: SqlStore) -> None:
    """The second is refused until the first can no longer be alive."""
    who = new_id()
    await in_one(store, lambda tx: tx.permits.insert(a_permit(who)))

    lent = [await lend(store, who), await lend(store, who), await lend(store, who, UNTIL - 1)]

    assert [True, False, False] == lent
    assert await lend(store, who, UNTIL)


async def test_many_ask_for_one_permit_at_once(store: SqlStore) -> None:
    """Exactly one of them gets it."""
    who = new_id()
    await in_one(store, lambda tx: tx.permits.insert(a_permit(who)))

    lent = await at_once(store, 50, lambda tx: tx.permits.lend(who, DIGEST, NOW, UNTIL))

    assert 1 == sum(lent)


async def test_a_permit_lasts_until_it_expires(store: SqlStore) -> None:
    """At its last second it is good, at the next it is not."""
    who, expires_at = new_id(), NOW + limits.PERMIT_SECONDS
    await in_one(store, lambda tx: tx.permits.insert(a_permit(who, expires_at=expires_at)))

    assert not await lend(store, who, expires_at)
    assert await lend(store, who, expires_at - 1)


async def test_when_the_newest_permit_was_given(store: SqlStore) -> None:
    """It is known after the permit is over, for the counter saw the customer all the same; nobody else's counts."""
    who = new_id()
    assert 0 == await in_one(store, lambda tx: tx.permits.latest(who))
    newer = msgspec.structs.replace(a_permit(who, OTHER), created_at=NOW + 60)
    await in_one(store, lambda tx: tx.permits.insert(a_permit(who)))
    await in_one(store, lambda tx: tx.permits.insert(newer))
    await in_one(store, lambda tx: tx.permits.insert(a_permit(new_id())))
    await in_one(store, lambda tx: tx.permits.end_all(who))
    assert NOW + 60 == await in_one(store, lambda tx: tx.permits.latest(who))


async def test_a_permit_belongs_to_one_customer(store: SqlStore) -> None:
    """Nobody else has it in hand, and nothing else opens it."""
    who, other = new_id(), new_id()
    await in_one(store, lambda tx: tx.permits.insert(a_permit(who)))

    assert not await lend(store, other)
    assert not await lend(store, who, digest=OTHER)
    assert None is await in_one(store, lambda tx: tx.permits.find(other, DIGEST))
    assert a_permit(who) == await in_one(store, lambda tx: tx.permits.find(who, DIGEST))


async def test_the_newest_permit_alone_is_good(store: SqlStore) -> None:
    """Another one ends the first; an act that ends all leaves none."""
    who = new_id()
    await in_one(store, lambda tx: tx.permits.insert(a_permit(who)))
    await in_one(store, lambda tx: tx.permits.insert(a_permit(who, OTHER)))

    assert not await lend(store, who)
    assert (await in_one(store, lambda tx: tx.customers.condition(who))).keeps == frozenset({"permit"})
    await in_one(store, lambda tx: tx.permits.end_all(who))
    assert not await lend(store, who, digest=OTHER)
    assert (await in_one(store, lambda tx: tx.customers.condition(new_id()))).keeps == frozenset()


async def test_a_link_freezes_once(store: SqlStore) -> None:
    """The same tap twice is one; later, or after a day, it does nothing."""
    who, digest = new_id(), new_id().encode()
    row = StopLinkRow(digest=digest, customer_id=who, expires_at=NOW + limits.STOP_LINK_SECONDS)
    await in_one(store, lambda tx: tx.stop_links.insert(row))

    async def use(at: int, digest: bytes = digest) -> bool:
        return await in_one(store, lambda tx: tx.stop_links.use(digest, at))

    assert who == await in_one(store, lambda tx: tx.stop_links.find(digest))
    assert None is await in_one(store, lambda tx: tx.stop_links.find(OTHER))
    assert not await use(NOW, OTHER)
    assert not await use(row.expires_at)
    assert [True, True] == [await use(NOW), await use(NOW + limits.REPLAY_SECONDS - 1)]
    assert not await use(NOW + limits.REPLAY_SECONDS)


# ---------------------------------------------------------------- a number that moves


async def test_a_number_moves(store: SqlStore) -> None:
    """The new number leads to the customer and cools; the old one leads to nobody and may be claimed again."""
    customer = a_customer()
    was, to = new_id().encode(), new_id().encode()
    await in_one(store, lambda tx: tx.customers.insert(customer, {"phone": was}))

    await in_one(store, lambda tx: tx.customers.move_phone(
        customer.customer_id, "+8613900139000", was=was, to=to, cooling_until=NOW + 60))  # fmt: skip

    found = await in_one(store, lambda tx: tx.customers.by_login("phone", to))
    assert found is not None
    assert ("+8613900139000", NOW + 60) == (found.phone, found.cooling_until)
    assert None is await in_one(store, lambda tx: tx.customers.by_login("phone", was))
    await in_one(store, lambda tx: tx.customers.insert(a_customer(), {"phone": was}))


async def test_a_number_of_somebody_else_is_not_taken_from_them(store: SqlStore) -> None:
    """The move writes nothing, even when the transaction is committed all the same."""
    customer, other = a_customer(), a_customer()
    was, theirs = new_id().encode(), new_id().encode()
    await in_one(store, lambda tx: tx.customers.insert(customer, {"phone": was}))
    await in_one(store, lambda tx: tx.customers.insert(other, {"phone": theirs}))

    async with store.begin() as tx:
        with pytest.raises(Taken, match="phone"):
            await tx.customers.move_phone(customer.customer_id, "+86139", was=was, to=theirs, cooling_until=NOW)

    found = await in_one(store, lambda tx: tx.customers.by_login("phone", was))
    assert found == customer
    assert other == await in_one(store, lambda tx: tx.customers.by_login("phone", theirs))


async def test_two_move_to_one_number_at_once(store: SqlStore) -> None:
    """One gets it, the other keeps its own."""
    people = [(a_customer(), new_id().encode()) for _ in range(2)]
    to = new_id().encode()
    for customer, was in people:
        await in_one(store, lambda tx, c=customer, w=was: tx.customers.insert(c, {"phone": w}))  # type: ignore[misc]  # mypy loses the lambda

    async def move(customer_id: str, was: bytes) -> bool:
        try:
            await in_one(store, lambda tx: tx.customers.move_phone(
                customer_id, "+86139", was=was, to=to, cooling_until=NOW))  # fmt: skip
        except Taken:
            return False
        return True

    moved = await asyncio.gather(*(move(customer.customer_id, was) for customer, was in people))

    assert 1 == sum(moved)
    holders = [await in_one(store, lambda tx, w=was: tx.customers.by_login("phone", w)) for _, was in people]  # type: ignore[misc]  # mypy loses the lambda
    assert 1 == sum(holder is None for holder in holders)
