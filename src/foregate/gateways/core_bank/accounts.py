"""Accounts of the embedded ledger, as the house reads them.

They are read apart from what people wait for to be let in: however many leaf through their records, sign-in does not
queue behind them.
"""

from __future__ import annotations

from foregate.local_time import day_of
from foregate.ports import Clock
from foregate.ports.accounts import Account, Balance, Entry, MonthSum, Page, Wanted
from foregate.store.accounts.reading import AccountsReading
from foregate.store.unit_of_work import SqlStore


class EmbeddedAccounts:
    """`ports.accounts.Accounts` over the embedded ledger."""

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._database, self._keys, self._clock = store.database, store.keys, clock
        self.failures_in_a_row = 0  # it is here
        self.tells_of_money = True  # whoever writes the ledger tells in the same transaction

    async def accounts_of(self, core_ref: str) -> tuple[Account, ...]:
        """Every account of a person that is not deleted, oldest first."""
        async with self._database.glance() as connection:
            return await AccountsReading(connection, self._keys).accounts_of(core_ref)

    async def account(self, core_ref: str, account_id: str) -> Account | None:
        """One account of this person."""
        async with self._database.glance() as connection:
            return await AccountsReading(connection, self._keys).account(core_ref, account_id)

    async def balances(self, account: Account) -> tuple[Balance, ...]:
        """Every balance that is known, ITAV and ITBD first."""
        today = day_of(self._clock.now(), account.time_zone).isoformat()
        async with self._database.glance() as connection:
            return await AccountsReading(connection, self._keys).balances(account, today)

    async def entries(self, account: Account, wanted: Wanted, cursor: str | None, limit: int) -> Page:
        """Return the next `limit` entries that fit, newest first. Raises BadCursor."""
        async with self._database.glance() as connection:
            return await AccountsReading(connection, self._keys).entries(account, wanted, cursor, limit)

    async def entry(self, account: Account, entry_id: str) -> Entry | None:
        """One entry of this account."""
        async with self._database.glance() as connection:
            return await AccountsReading(connection, self._keys).entry(account, entry_id)

    async def close(self) -> None:
        """Nothing: the connections are the store's."""

    async def months(self, account: Account, first: str, last: str) -> tuple[MonthSum, ...]:
        """Sums by month and category."""
        async with self._database.glance() as connection:
            return await AccountsReading(connection, self._keys).months(account, first, last)
