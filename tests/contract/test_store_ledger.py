"""The embedded ledger on both databases: what is booked stays, what is told twice is there once, sums are right."""


import pytest

from foregate.gateways.core_bank.accounts import EmbeddedAccounts
from foregate.ports.accounts import Account, BalanceType, Wanted
from foregate.store.unit_of_work import SqlStore
from tests.contract.ledger_samples import opened, tell, told
from tests.contract.samples import Clock, in_one

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
