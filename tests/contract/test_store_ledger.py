"""The embedded ledger on both databases: what is booked stays, what is told twice is there once, sums are right."""

import asyncio

import pytest

from foregate.gateways.core_bank.accounts import EmbeddedAccounts
from foregate.ports.accounts import Account, BalanceType, EntryStatus, Wanted
from foregate.ports.ledger import StatementRow
from foregate.rules.money import BadMoney, Money, money
from foregate.store.unit_of_work import SqlStore
from tests.contract.ledger_samples import OWNER, opened, tell, told
from tests.contract.samples import NOW, Clock, count, in_one, sql

pytestmark = pytest.mark.anyio


@pytest.fixture
def accounts(store: SqlStore, clock: Clock) -> EmbeddedAccounts:
    return EmbeddedAccounts(store, clock)


async def booked(accounts: EmbeddedAccounts, account: Account) -> str:
    held = {one.balance_type: one for one in await accounts.balances(account)}
    return held[BalanceType.INTERIM_BOOKED].signed.text


async def test_what_is_told_is_read_back(store: SqlStore, accounts: EmbeddedAccounts) -> None:
    """Newest first, with the balance after each; who and what for come back as they were told."""
    account = await opened(store)
    await tell(store, account, told("2026-11-01", "100.00", "王芳", "房租"), told("2026-11-03", "-30.50", "盒马"))
    page = await accounts.entries(account, Wanted(), None, 10)
    assert [("-30.50", "69.50"), ("100.00", "100.00")] == [
        (one.signed.text, one.balance_after_transaction and one.balance_after_transaction.text) for one in page.entries
    ]
    assert "王芳" == page.entries[1].counterparty.name
    assert ("2026-11-01", "2026-11-03", None) == (page.first_available, page.last_available, page.next)
    assert page.entries[0] == await accounts.entry(account, page.entries[0].entry_id)
    assert "69.50" == await booked(accounts, account)
    assert ((account.account_id, ""),) == await in_one(store, lambda tx: tx.ledger.verify("", 10))


async def test_what_is_told_twice_is_there_once(store: SqlStore, accounts: EmbeddedAccounts) -> None:
    """Within one batch and in a later one; twenty who tell it at once write it once."""
    account, salary = await opened(store), told("2026-11-01", "8000.00", "某公司", "十月工资")
    first = await tell(store, account, salary, salary)
    again = await tell(store, account, salary)
    assert ((1, 1), (0, 1)) == ((first.added, first.unchanged), (again.added, again.unchanged))
    rent = told("2026-11-02", "-3200.00", "房东", "房租")
    outcomes = await asyncio.gather(*(tell(store, account, rent) for _ in range(20)))
    assert 1 == sum(outcome.added for outcome in outcomes)
    assert "4800.00" == await booked(accounts, account)
    assert 2 == await count(store, "posting")
    assert ((account.account_id, ""),) == await in_one(store, lambda tx: tx.ledger.verify("", 10))


async def test_what_is_booked_never_changes(store: SqlStore) -> None:
    """Not even by whoever owns the tables."""
    account = await opened(store)
    await tell(store, account, told("2026-11-01", "100.00"))
    for statement in (
        "UPDATE posting SET amount_minor = 1 RETURNING 1",
        "DELETE FROM posting RETURNING 1",
        "UPDATE entry SET amount_minor = 1 RETURNING 1",
        "UPDATE entry SET day = '2020-01-01' RETURNING 1",
        "DELETE FROM entry RETURNING 1",
        *(("TRUNCATE posting", "TRUNCATE entry") if store.database.dialect == "postgres" else ()),
    ):
        with pytest.raises(Exception, match="never changes"):
            await sql(store, statement)


async def test_a_posting_out_of_balance_cannot_be_written(store: SqlStore) -> None:
    """The database itself refuses one side twice, no such account, nothing, less than that, another currency."""
    mine, other = await opened(store), await opened(store, identification="6222020000000000026")
    columns = "posting_id, reference_digest, debit_account_id, credit_account_id, currency, amount_minor, posted_at"
    digest = "cast('r' as bytea)" if store.database.dialect == "postgres" else "x'00'"
    for debit, credit, amount, currency in (
        (mine.account_id, mine.account_id, 5, "CNY"),
        (mine.account_id, "nobody", 5, "CNY"),
        (mine.account_id, other.account_id, 0, "CNY"),
        (mine.account_id, other.account_id, -5, "CNY"),
        (mine.account_id, other.account_id, 5, "EUR"),
    ):
        values = f"'p', {digest}, '{debit}', '{credit}', '{currency}', {amount}, 0"
        with pytest.raises(Exception, match=r"(?i)constraint"):
            await sql(store, f"INSERT INTO posting ({columns}) VALUES ({values}) RETURNING 1")
    assert 0 == await count(store, "posting")


async def test_a_pending_entry_comes_back_booked(store: SqlStore, accounts: EmbeddedAccounts) -> None:
    """It lowers what is available, not what is booked; booked it has another number, which names the old one."""
    account = await opened(store)
    await tell(store, account, told("2026-11-01", "100.00"))
    pending = told("2026-11-02", "-30.00", "滴滴", status=EntryStatus.PENDING)
    await tell(store, account, pending)
    held = {one.balance_type: one.signed.text for one in await accounts.balances(account)}
    assert ("70.00", "100.00") == (held[BalanceType.INTERIM_AVAILABLE], held[BalanceType.INTERIM_BOOKED])
    old = (await accounts.entries(account, Wanted(), None, 1)).entries[0]
    assert (True, None, None) == (old.is_mutable, old.booking_date, old.balance_after_transaction)

    outcome = await tell(store, account, told("2026-11-03", "-30.00", "滴滴", waiting=pending.fingerprint))
    new = (await accounts.entries(account, Wanted(), None, 1)).entries[0]
    assert (1, old.entry_id, "2026-11-03") == (outcome.replaced, new.replaces_entry_id, new.booking_date)
    assert await accounts.entry(account, old.entry_id) is None
    assert "70.00" == await booked(accounts, account)


async def test_a_pending_entry_may_vanish_and_a_booked_one_may_not(store: SqlStore) -> None:
    """The bank says that it will not come."""
    account, waits = await opened(store), told("2026-11-02", "-30.00", status=EntryStatus.FUTURE)
    stays = told("2026-11-01", "1.00")
    await tell(store, account, waits, stays)
    assert await in_one(store, lambda tx: tx.ledger.forget_waiting(account, waits.fingerprint))
    assert not await in_one(store, lambda tx: tx.ledger.forget_waiting(account, stays.fingerprint))
    assert 1 == await count(store, "entry")


async def test_a_transfer_is_one_posting_and_two_entries(store: SqlStore, accounts: EmbeddedAccounts) -> None:
    """What one gives the other gets; said twice it is done once, also by both at once."""
    mine, yours = await opened(store), await opened(store, identification="6222020000000000026", core_ref="C002")
    await tell(store, mine, told("2026-11-01", "500.00"))
    paid, got = told("2026-11-03", "-300.00", "王芳", "生日快乐"), told("2026-11-03", "300.00", "李小明", "生日快乐")
    done = await asyncio.gather(
        *(in_one(store, lambda tx: tx.ledger.transfer(mine, yours, paid, got, NOW)) for _ in range(4))
    )
    assert [False, False, False, True] == sorted(done)
    assert ("200.00", "300.00") == (await booked(accounts, mine), await booked(accounts, yours))
    assert 2 == await count(store, "posting")
    with pytest.raises(BadMoney):
        await in_one(store, lambda tx: tx.ledger.transfer(mine, yours, got, paid, NOW))


async def test_what_belongs_to_somebody_else_is_not_there(store: SqlStore, accounts: EmbeddedAccounts) -> None:
    """Another person's account, the bank's own, a deleted one: all are None."""
    account = await opened(store)
    await tell(store, account, told("2026-11-01", "100.00"))
    assert account.account_id == (await accounts.accounts_of(OWNER))[0].account_id
    assert () == await accounts.accounts_of("C002")
    assert None is await accounts.account("C002", account.account_id)
    assert ((), None) == (await accounts.accounts_of(""), await accounts.account("", account.account_id))
    await sql(store, "UPDATE account SET status = 'DELETED' RETURNING 1")
    assert ((), None) == (await accounts.accounts_of(OWNER), await accounts.account(OWNER, account.account_id))


async def test_entries_of_strange_money_are_refused(store: SqlStore) -> None:
    """Another currency than the account's, an amount with a sign of its own, and nothing is written."""
    account = await opened(store)
    bad = (told("2026-11-01", "1.00", currency="EUR"), told("2026-11-01", "1.00", amount=Money(-1, "CNY")))
    for one in bad:
        with pytest.raises(BadMoney):
            await tell(store, account, told("2026-11-01", "2.00"), one)
    assert (0, 0) == (await count(store, "entry"), await count(store, "posting"))


async def test_a_cent_that_is_wrong_is_found(store: SqlStore) -> None:
    """Whoever changes what is booked beside the postings is found out."""
    account = await opened(store)
    await tell(store, account, told("2026-11-01", "100.00"))
    await sql(store, "UPDATE account SET booked_minor = booked_minor + 1 RETURNING 1")
    found = await in_one(store, lambda tx: tx.ledger.verify("", 10))
    assert ((account.account_id, "what is booked is not the sum of the postings"),) == found


# ---------------------------------------------------------------- statements


def a_statement(n: int, day: str, opening: str, closing: str) -> StatementRow:
    return StatementRow(
        digest=bytes([n]) * 16,
        kind="camt.053",
        closing_day=day,
        opening=money(opening, "CNY"),
        closing=money(closing, "CNY"),
        entries=1,
    )


async def close(store: SqlStore, account: Account, row: StatementRow) -> Money | None:
    return await in_one(store, lambda tx: tx.ledger.close_statement(account, row, NOW))


async def test_statements_in_any_order_end_with_the_newest(store: SqlStore, accounts: EmbeddedAccounts) -> None:
    """The newest closing balance is what is booked, and a statement that is missing is told."""
    account = await opened(store, is_live=False)
    await tell(store, account, told("2026-02-10", "50.00"))
    assert None is await close(store, account, a_statement(2, "2026-02-28", "100.00", "150.00"))
    assert "150.00" == await booked(accounts, account)
    await tell(store, account, told("2026-01-10", "60.00"))
    assert None is await close(store, account, a_statement(1, "2026-01-31", "40.00", "100.00"))
    assert "150.00" == await booked(accounts, account)
    await tell(store, account, told("2026-04-10", "5.00"))
    gap = await close(store, account, a_statement(4, "2026-04-30", "170.00", "175.00"))
    assert ("20.00", "175.00") == (gap and gap.text, await booked(accounts, account))
    await tell(store, account, told("2026-05-02", "1.00"))  # a notification, before its statement
    assert "176.00" == await booked(accounts, account)
    assert None is await close(store, account, a_statement(4, "2026-04-30", "170.00", "175.00"))
    held = {one.balance_type: one.reference_date for one in await accounts.balances(account)}
    assert "2026-05-02" == held[BalanceType.INTERIM_BOOKED]
    assert ((account.account_id, ""),) == await in_one(store, lambda tx: tx.ledger.verify("", 10))
