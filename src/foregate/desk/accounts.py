"""Accounts, as a session may see them: whole sessions alone, and one's own alone.

Every door that shows money asks here first. So there is one place that says who may, and one answer to whoever may not:
what belongs to somebody else is not found, like what does not exist.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from foregate.local_time import day_of
from foregate.ports import Customer, SessionRow
from foregate.ports.accounts import Account, Balance, Entry, MonthSum, Page, Wanted
from foregate.rules import limits
from foregate.rules.words import Level
from foregate.situation import Refused, World

NOT_FOUND: Final = Refused(cause="not-found")
# What stands in addresses; anything else is nobody's, and no database is asked about it.
_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Holding(msgspec.Struct, frozen=True):
    """An account and what is on it."""

    account: Account
    balances: tuple[Balance, ...]


class MyAccounts:
    """What doors ask about accounts. Whoever gets an `Account` from here has been shown to own it."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def owner(self, session: SessionRow | None) -> Customer | Refused:
        """Return the customer whose whole session this is, or why there is none."""
        if session is None:
            return Refused(cause="not-signed-in")
        if session.level is not Level.FULL:
            return Refused(cause="needs-full-session")
        async with self._world.store.begin() as tx:
            customer = await tx.customers.find(session.customer_id)
        return customer or Refused(cause="not-signed-in")

    async def all(self, session: SessionRow | None) -> tuple[Holding, ...] | Refused:
        """Return every account of this customer with its balances, oldest first."""
        owner = await self.owner(session)
        if isinstance(owner, Refused):
            return owner
        accounts = await self._world.accounts.accounts_of(owner.core_ref)
        return tuple([Holding(account, await self._world.accounts.balances(account)) for account in accounts])

    async def one(self, session: SessionRow | None, account_id: str) -> Account | Refused:
        """Return one account of this customer."""
        owner = await self.owner(session)
        if isinstance(owner, Refused):
            return owner
        if not _ID.fullmatch(account_id):
            return NOT_FOUND
        return await self._world.accounts.account(owner.core_ref, account_id) or NOT_FOUND

    async def entry(
        self, session: SessionRow | None, account_id: str, entry_id: str
    ) -> tuple[Account, Entry] | Refused:
        """Return one entry of this customer's, and the account it is in."""
        account = await self.one(session, account_id)
        if isinstance(account, Refused):
            return account
        entry = await self._world.accounts.entry(account, entry_id)
        return (account, entry) if entry is not None else NOT_FOUND

    async def balances(self, account: Account) -> tuple[Balance, ...]:
        """Return what is on an account."""
        return await self._world.accounts.balances(account)

    async def entries(self, account: Account, wanted: Wanted, cursor: str | None, limit: int) -> Page:
        """Return a page of its record. Raises BadCursor."""
        return await self._world.accounts.entries(account, wanted, cursor, limit)

    async def months(self, account: Account) -> tuple[MonthSum, ...]:
        """Return what came in and went out in each of the last MONTHS_SHOWN months, this one included."""
        months = self.month_names(account)
        return await self._world.accounts.months(account, months[0], months[-1])

    def month_names(self, account: Account) -> tuple[str, ...]:
        """Return the last MONTHS_SHOWN months where the account is, `2026-11` last."""
        today = day_of(self._world.clock.now(), account.time_zone)
        last = today.year * 12 + today.month - 1
        return tuple(f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(last - limits.MONTHS_SHOWN + 1, last + 1))

    def today(self, account: Account) -> str:
        """Return the day that it is where the account is."""
        return day_of(self._world.clock.now(), account.time_zone).isoformat()
