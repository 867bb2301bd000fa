"""What is read or written in one round trip says and does what several would, over both databases."""

from contextlib import nullcontext

import pytest

from foregate.ids import new_id
from foregate.ports import Condition, CounterRow, Customer
from foregate.rules.permission import ALL, UNKNOWN, Permission
from foregate.store.customers import _SET_PASSWORD, _SIGNED_IN
from foregate.store.last import TOGETHER_MAX
from foregate.store.statements import Dialect
from foregate.store.unit_of_work import SqlStore, Unit
from tests.contract.samples import NOW, a_customer, a_message, in_one

pytestmark = pytest.mark.anyio


async def found_again(store: SqlStore, customer: Customer) -> Customer | None:
    return await in_one(store, lambda tx: tx.customers.find(customer.customer_id))


async def test_the_condition_of_a_customer(store: SqlStore) -> None:
    """Failures of every lane, permission, when they came and until when they cool: as each table says."""
    mine, theirs = a_customer(cooling_until=NOW + 7), a_customer()
    async with store.begin() as tx:
        for customer in (mine, theirs):
            await tx.customers.insert(customer, {})
            await tx.counters.charge(customer.customer_id, "password", customer.customer_id, NOW)
        await tx.counters.charge(mine.customer_id, "card_pin", UNKNOWN, NOW)
        await tx.permissions.move(mine.customer_id, ALL, Permission.OPEN, Permission.CLOSED_BY_BANK, NOW)
    found = await in_one(store, lambda tx: tx.customers.condition(mine.customer_id))
    assert {CounterRow("password", mine.customer_id, 1, 1, 0), CounterRow("card_pin", UNKNOWN, 1, 1, 0)} == set(
        found.counters
    )
    assert ({ALL: Permission.CLOSED_BY_BANK}, frozenset()) == (found.permission, found.keeps)
    assert (NOW + 7, mine.last_sign_in_at) == (found.cooling_until, found.last_sign_in_at)


async def test_the_condition_of_nobody(store: SqlStore) -> None:
    """Who does not exist stands well, and has nothing."""
    nobody = Condition(counters=(), permission={}, keeps=frozenset(), last_sign_in_at=None, cooling_until=0)
    assert nobody == await in_one(store, lambda tx: tx.customers.condition(new_id()))


async def test_a_charge_that_looks_at_the_hash(store: SqlStore) -> None:
    """It counts and refuses as any charge does, for nobody as for a customer."""
    customer, nobody, found = a_customer(), new_id(), []
    await in_one(store, lambda tx: tx.customers.insert(customer, {}))
    for who in (customer.customer_id, nobody):
        for most in (1, 1, 2):
            async with store.begin() as tx:
                found.append(await tx.counters.charge_and_look(who, "password", UNKNOWN, NOW, most))
    rows = [CounterRow("password", UNKNOWN, tries, tries, 0) for tries in (1, 2)]
    assert [
        (rows[0], customer.password_hash), None, (rows[1], customer.password_hash),
        (rows[0], None), None, (rows[1], None),
    ] == found  # fmt: skip


@pytest.mark.parametrize("writes", [1, 2, TOGETHER_MAX, TOGETHER_MAX + 1])
async def test_what_is_kept_back_is_written_in_the_end(store: SqlStore, writes: int) -> None:
    """However many writes are kept back, and however they are sent, each reaches its own row."""
    customers = [a_customer(user_name=None) for _ in range(writes)]
    async with store.begin() as tx:
        for customer in customers:
            await tx.customers.insert(customer, {})
            await tx.customers.signed_in(customer.customer_id, NOW + 1)
    found = [await found_again(store, customer) for customer in customers]
    assert [NOW + 1] * writes == [customer.last_sign_in_at for customer in found if customer]


async def test_writes_that_go_together(store: SqlStore) -> None:
    """Each of them says how many rows it wrote; one that found none does not keep the others from theirs."""
    mine, theirs = a_customer(), a_customer()
    async with store.begin() as tx:
        for customer in (mine, theirs):
            await tx.customers.insert(customer, {})
    async with store.database.transaction() as connection:
        counts = await connection.run_together(
            [
                (_SIGNED_IN, {"of_customer": mine.customer_id, "now": NOW + 3}),
                (_SIGNED_IN, {"of_customer": new_id(), "now": NOW + 4}),
                (_SET_PASSWORD, {"of_customer": theirs.customer_id, "password_hash": "new"}),
            ]
        )
    assert [1, 0, 1] == list(counts)
    found = [await found_again(store, customer) for customer in (mine, theirs)]
    assert [(NOW + 3, mine.password_hash), (theirs.last_sign_in_at, "new")] == [
        (customer.last_sign_in_at, customer.password_hash) for customer in found if customer
    ]


@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_kept_back_shares_the_transaction(store: SqlStore, fails: bool) -> None:
    """It is there when the transaction ends well, and not at all when it does not."""
    customer = a_customer()
    await in_one(store, lambda tx: tx.customers.insert(customer, {}))

    async def sign_in(tx: Unit) -> None:
        await tx.customers.signed_in(customer.customer_id, NOW + 9)
        if fails:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) if fails else nullcontext():
        await in_one(store, sign_in)
    found = await found_again(store, customer)
    assert (customer.last_sign_in_at if fails else NOW + 9) == (found.last_sign_in_at if found else None)


async def test_a_message_that_is_looked_for_where_it_was_put(store: SqlStore) -> None:
    """A message goes out with what is written last; who asks for the outbox before finds it there."""
    async with store.begin() as tx:
        await tx.outbox.put(a_message(), NOW - 30)
        assert 30 == (await tx.outbox.outgoing(NOW - 60, NOW)).waiting_seconds


async def test_a_transaction_that_is_single_has_one_statement(store: SqlStore) -> None:
    """A second one would not be of the same transaction, so PostgreSQL is not even asked."""
    if store.database.dialect is not Dialect.POSTGRES:
        pytest.skip("SQLite has a real transaction around it")
    async with store.database.transaction(is_single=True) as connection:
        await connection.run(_SIGNED_IN, of_customer=new_id(), now=NOW)
        with pytest.raises(RuntimeError):
            await connection.run(_SIGNED_IN, of_customer=new_id(), now=NOW)
