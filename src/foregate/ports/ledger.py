"""Writing accounts: what the embedded ledger is told, by imports, by the demo, by whoever moves money.

A posting takes an amount from one account and gives it to another, so the books balance whatever happens. An entry is
what the owner of one of them reads about it. Everything is said with a reference, and said twice it is done once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from foregate.ports.accounts import Account, Balance, Entry
from foregate.rules.money import Money


class Outcome(msgspec.Struct, frozen=True):
    """What became of a batch of entries."""

    added: int = 0
    unchanged: int = 0  # were there already
    replaced: int = 0  # waiting ones that came back booked, or rejected

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.added + other.added, self.unchanged + other.unchanged, self.replaced + other.replaced)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as somebody tells it: `entry_id`, `account_id` and `sequence` are not known yet and not looked at.

    `fingerprint` says which entry it is, the same each time it is told. `waiting` is the fingerprint that it had while
    it was pending or to come; where one is found, it goes, and the new entry names it.
    """

    entry: Entry
    fingerprint: bytes  # 16 bytes
    waiting: bytes = b""


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a statement that was imported whole. Opening and closing are signed; None: not said."""

    digest: bytes
    kind: str  # camt.053, mt940 ...
    closing_day: str  # ISO date; empty: it does not say how it ends
    opening: Money | None
    closing: Money | None
    entries: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says of an account that is held. `booked` is the sum of its postings."""

    is_live: bool
    booked: Money
    last_sequence: int


class Ledger(Protocol):
    """The embedded ledger, in one transaction."""

    async def open(self, account: Account, now: int, *, is_live: bool, credit_line: Money | None = None) -> Account:
        """Open an account, or return the one that has this identification and currency; its owner stays who it was.

        `is_live`: it begins here with nothing, and all that happens to it will be told. Else statements say what it
        holds. `account_id` is kept when it is given.
        """

    async def find(
        self, scheme_name: str, identification: str, currency: str, *, clearing_member_id: str = ""
    ) -> Account | None:
        """The account with this number, whoever owns it. A BBAN is a number of one bank: say which."""

    async def hold(self, account: Account) -> Held | None:
        """Nobody else changes this account until the transaction ends. None: there is none."""

    async def tell(self, account: Account, told: Sequence[Told], now: int, *, source: str) -> Outcome:
        """Write entries in this order, ENTRY_BATCH at most, those that are not there yet; post those that are booked.

        The other side of a posting is the bank's own account `source` in that currency. Whose balance after it is not
        said gets it from the ledger, where the account is live. Hold the account first.
        """

    async def transfer(self, payer: Account, payee: Account, paid: Told, got: Told, now: int) -> bool:
        """One posting between two accounts here, and an entry in each. False: it was posted before."""

    async def forget_waiting(self, account: Account, fingerprint: bytes) -> bool:
        """An entry that was not booked is no more. False: there is none, or it was booked."""

    async def report(self, account: Account, balances: Sequence[Balance], now: int) -> None:
        """Remember what a statement said; of each type the latest day stays."""

    async def is_imported(self, account: Account, digest: bytes) -> bool:
        """Whether this statement was imported whole."""

    async def close_statement(self, account: Account, row: StatementRow, now: int) -> Money | None:
        """Remember a statement whose entries are all told, and make the ledger agree with the newest one.

        What its entries do not explain is posted against the account `carried`: the balance before the first
        statement, and what happened in a statement that never came. Returns what had to be carried over a gap between
        statements; None when there was none.
        """

    async def verify(self, after: str, limit: int) -> tuple[tuple[str, str], ...]:
        """Recompute the next `limit` accounts behind `after` in the order of their ids.

        Returns pairs of account id and what is wrong with it, empty for one that is as it should be.
        """
