"""Files of a record, made beside the requests: asked for, made, told when it took long, and gone the next day.

Rules
  1. A file is asked for by a row. Whoever claims the row makes the file and says how far they are.
  2. Who says nothing for EXPORT_LEASE_SECONDS has died, and somebody else begins again. What ends a row is guarded by
     the try it belongs to.
  3. Whoever had to wait longer than EXPORT_TOLD_SECONDS is told by a message, in the transaction that makes it ready.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from foregate.accounts.files import Statement, camt_file, csv_file, ofx_file
from foregate.ids import new_id
from foregate.local_time import day_of
from foregate.ports import Event, Message
from foregate.ports.accounts import Account, BalanceType, Entry, EntryStatus, Wanted
from foregate.ports.exports import Export, Format, NoPrinter, Printer, Why
from foregate.rules import limits
from foregate.rules.money import Money, zero
from foregate.situation import World
from foregate.store.loops import Loop

_log: Final = logging.getLogger("foregate.accounts")
_BOOKED: Final = (EntryStatus.BOOKED,)
_NOTE_EVERY: Final = 1000  # entries

Paper = Callable[[Statement, str], str]  # the page of a statement in a language, to be printed
Say = Callable[..., str]


class CannotMake(Exception):
    """This file cannot be made, however often it is tried: too much for one, or a balance that nobody knows."""

    def __init__(self, why: Why, what: str) -> None:
        super().__init__(what)
        self.why = why


class ExportMaker(Loop):
    """Makes the files that were asked for, one at a time."""

    def __init__(self, world: World, say: Say, paper: Paper, printer: Printer) -> None:
        super().__init__(limits.EXPORT_POLL_SECONDS)
        self._world, self._say, self._paper, self._printer = world, say, paper, printer
        self._is_running = False
        self._ended = asyncio.Condition()

    async def run(self) -> None:
        """Work until `stop` is called."""
        self._is_running = True
        await super().run()

    async def once(self) -> None:
        """Make every file that is due."""
        while not self.is_stopping:
            now = self._world.clock.now()
            async with self._world.store.begin() as tx:
                row = await tx.exports.claim(now, limits.EXPORT_LEASE_SECONDS)
            if row is None:
                return
            await self._make(row)

    async def soon(self) -> None:
        """A file was asked for: begin now, and wait EXPORT_WAIT_SECONDS at most for one to be done."""
        self.wake()
        if not self._is_running:
            return
        try:
            async with asyncio.timeout(limits.EXPORT_WAIT_SECONDS), self._ended:
                await self._ended.wait()
        except TimeoutError:
            pass  # it goes on; the page says how far it is

    async def _make(self, row: Export) -> None:
        try:
            row, body = await self._body(row)
        except CannotMake as cannot:
            await self._end(row, cannot.why, None, str(cannot))
        except NoPrinter as lacks:
            await self._end(row, Why.NO_PRINTER, None, str(lacks))
        except Exception as error:
            if row.tries < limits.EXPORT_TRIES:
                raise  # the lease ends, and it is tried again
            await self._end(row, Why.FAILED, None, type(error).__name__)
        else:
            await self._end(row, "ready", body)
        async with self._ended:
            self._ended.notify_all()

    async def _body(self, row: Export) -> tuple[Export, bytes]:
        account = await self._world.accounts.account(row.core_ref, row.account_id)
        if account is None:
            raise CannotMake(Why.NO_ACCOUNT, "the account is not there any more")
        statement = await self._statement(row, account)
        row = msgspec.structs.replace(row, done=len(statement.entries))
        if row.format is Format.PDF:
            return row, await self._printer(self._paper(statement, row.language))
        try:
            return row, await asyncio.to_thread(self._written, row, statement)
        except ValueError as why:
            raise CannotMake(Why.NO_BALANCE, str(why)) from None

    def _written(self, row: Export, statement: Statement) -> bytes:
        def say(key: str) -> str:
            return self._say(row.language, key)

        if row.format is Format.CSV:
            return csv_file(statement, say)
        return ofx_file(statement, say) if row.format is Format.OFX else camt_file(statement, row.export_id)

    async def _statement(self, row: Export, account: Account) -> Statement:
        wanted = Wanted(date_from=row.date_from, date_to=row.date_to, statuses=_BOOKED)
        most = limits.EXPORT_PDF_ENTRIES if row.format is Format.PDF else limits.EXPORT_ENTRIES
        found, cursor, noted = list[Any](), None, 0
        while True:
            page = await self._world.accounts.entries(account, wanted, cursor, limits.ENTRIES_PER_PAGE_MAX)
            found += page.entries
            if len(found) > most:
                raise CannotMake(Why.TOO_MANY, "more entries than one file takes: ask for fewer days")
            cursor = page.next
            if cursor is None:
                break
            if len(found) >= noted + _NOTE_EVERY:
                noted = len(found)
                await self._note(row, noted)
        before = (date.fromisoformat(row.date_from) - timedelta(days=1)).isoformat()
        return Statement(
            account=account,
            date_from=row.date_from,
            date_to=row.date_to,
            entries=tuple(reversed(found)),
            opening=await self._balance_on(account, before),
            closing=await self._balance_on(account, row.date_to),
            made_at=self._world.clock.now(),
        )

    async def _note(self, row: Export, done: int) -> None:
        async with self._world.store.begin() as tx:
            later = self._world.clock.now() + limits.EXPORT_LEASE_SECONDS
            if not await tx.exports.note(row.export_id, row.tries, done, later):
                raise CannotMake(Why.FAILED, "somebody else makes it")

    async def _balance_on(self, account: Account, day: str) -> Money | None:
        """Return what was booked at the end of a day: what the last entry until then left behind."""
        accounts = self._world.accounts
        page = await accounts.entries(account, Wanted(date_to=day, statuses=_BOOKED), None, 1)
        if page.entries:
            return page.entries[0].balance_after_transaction
        after = await accounts.entries(account, Wanted(statuses=_BOOKED), None, 1)
        if not after.entries:
            found = {balance.balance_type: balance.signed for balance in await accounts.balances(account)}
            return found.get(BalanceType.INTERIM_BOOKED, zero(account.currency))
        # The record's first day may have nothing that is booked: then all of it is gone through, which is rare.
        first = after.first_available or ""
        return await self._balance_before(account, Wanted(date_from=first, date_to=first, statuses=_BOOKED)) or (
            await self._balance_before(account, Wanted(statuses=_BOOKED))
        )

    async def _balance_before(self, account: Account, wanted: Wanted) -> Money | None:
        """Return what was there before the oldest of these: what it left, less itself. None: there is none."""
        oldest: Entry | None = None
        cursor = None
        while True:
            page = await self._world.accounts.entries(account, wanted, cursor, limits.ENTRIES_PER_PAGE_MAX)
            oldest, cursor = page.entries[-1] if page.entries else oldest, page.next
            if cursor is None:
                break
        after = oldest.balance_after_transaction if oldest else None
        return None if oldest is None or after is None else after - oldest.signed

    async def _end(self, row: Export, status: str, body: bytes | None, why: str = "") -> None:
        now = self._world.clock.now()
        async with self._world.store.begin() as tx:
            if not await tx.exports.end(row, status, body):
                return  # it took so long that somebody else made it
            if status == "ready" and now - row.created_at >= limits.EXPORT_TOLD_SECONDS:
                customer = await tx.customers.find(row.customer_id)
                if customer is not None:
                    await tx.outbox.put(_message(row, customer.phone, now), now)
            details: dict[str, str | int] = {"format": row.format.value, "entries": row.done}
            event = Event(
                chain=row.customer_id,
                kind="statement-made" if status == "ready" else "statement-refused",
                actor="foregate",
                details=details | ({"why": why} if why else {}),
            )
            await tx.audit.record(event, now)


def _message(row: Export, phone: str, now: int) -> Message:
    return Message(
        message_id=new_id(),
        customer_id=row.customer_id,
        phone=phone,
        template="sms.statement-ready",
        language=row.language,
        facts={},
        expires_at=row.expires_at,
    )


def faults_of(world: World, account: Account, date_from: str, date_to: str) -> dict[str, str]:
    """Return what is wrong with the days that somebody asked for."""
    days: dict[str, date] = {}
    for name, text in (("dateFrom", date_from), ("dateTo", date_to)):
        try:
            days[name] = date.fromisoformat(text)
        except ValueError:
            return {name: "shape"}
    if days["dateFrom"] > days["dateTo"] or days["dateTo"] > day_of(world.clock.now(), account.time_zone):
        return {"dateTo": "shape"}
    return {"dateFrom": "shape"} if (days["dateTo"] - days["dateFrom"]).days >= limits.EXPORT_DAYS_MAX else {}
