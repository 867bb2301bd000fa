"""Statements from files into the ledger: each file whole or not at all, each entry once.

Theory of operation
  A file is read twice. The first time everything is checked and nothing written: a file that does not add up, or of an
  account that nobody knows, is refused before anything of it is in. The second time it is written, some entries to a
  transaction, so that nobody who wants to be let in waits for it. Whoever stops it half-way runs it again: what is
  there is known by its fingerprint and costs a look.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from foregate.accounts import camt, mt940, obp
from foregate.accounts.statements import Event, Refused, Statement, checked
from foregate.ports.accounts import Account
from foregate.ports.ledger import Outcome, StatementRow, Told
from foregate.ports.store import Store
from foregate.rules import limits
from foregate.rules.money import Money

Reader = Callable[[BinaryIO], Iterator[Event]]
Progress = Callable[[int], None]  # how many entries are in by now
_SNIFFED_BYTES: Final = 4096


class Gap(msgspec.Struct, frozen=True):
    """Between two statements something happened that neither tells of. The account by its last four."""

    account: str
    day: str
    moved: Money


class Imported(msgspec.Struct, frozen=True):
    """What became of one file."""

    statements: int
    known: int  # of them imported before
    outcome: Outcome
    gaps: tuple[Gap, ...]
    read: tuple[Statement, ...]


async def import_statements(
    store: Store,
    file: Path,
    now: int,
    *,
    owner: str = "",
    time_zone: str = "Asia/Shanghai",
    progress: Progress = lambda entries: None,
) -> Imported:
    """Bring in one file. Raises Refused, having written nothing.

    `owner`: the person (core_ref) whose accounts those are that the ledger does not know yet. Without one, the file has
    to say whose they are, or all of them have to be known.
    """
    reader = await asyncio.to_thread(reader_of, file)
    statements = await asyncio.to_thread(read_through, file, reader)
    accounts = await _accounts(store, statements, owner)
    outcome, known, gaps = Outcome(), 0, list[Gap]()
    with file.open("rb") as opened:
        parts = checked(reader(opened))
        for statement, found in zip(statements, accounts, strict=True):
            account = await _opened(store, found, now, time_zone)
            async with store.begin() as tx:
                is_known = await tx.ledger.is_imported(account, statement.digest)
            known += is_known
            done, gap = await _bring(store, parts, account, statement, is_known, now)
            outcome += done
            gaps += [gap] if gap else []
            progress(outcome.added + outcome.unchanged)
    return Imported(len(statements), known, outcome, tuple(gaps), statements)


def reader_of(file: Path) -> Reader:
    """Return what reads a file, by how it begins. Raises Refused."""
    size = os.stat(file).st_size
    if size > limits.STATEMENT_FILE_BYTES:
        raise Refused(0, f"more than {limits.STATEMENT_FILE_BYTES} bytes")
    with file.open("rb") as opened:
        start = opened.read(_SNIFFED_BYTES)
    text = start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    if text.startswith(b"<"):
        return camt.read
    if text.startswith((b"{\n", b"{\r", b'{"', b"{ ")):
        return obp.read
    if b":20:" in start or b":61:" in start:
        return mt940.read
    raise Refused(0, "neither camt nor MT940 nor a sandbox file")


def read_through(file: Path, reader: Reader) -> tuple[Statement, ...]:
    """Read a file to its end and return its statements. Raises Refused at the first thing that is not true."""
    with file.open("rb") as opened:
        return tuple(part for part in checked(reader(opened)) if isinstance(part, Statement))


async def _accounts(store: Store, statements: tuple[Statement, ...], owner: str) -> list[Account]:
    """Return the account of each statement; one without an id is to be opened. Raises Refused."""
    found = []
    async with store.begin() as tx:
        for statement in statements:
            head = statement.head
            account = await tx.ledger.find(
                head.scheme_name,
                head.identification,
                statement.currency,
                clearing_member_id=head.servicer.clearing_member_id,
            )
            whose = owner or head.owner
            if account is None and not whose:
                raise Refused(head.line, f"nobody has the account {_tail(head.identification)}: name its owner")
            if account is not None and owner and account.core_ref != owner:
                raise Refused(head.line, f"the account {_tail(head.identification)} is somebody else's")
            if account is not None and (held := await tx.ledger.hold(account)) and held.is_live:
                raise Refused(head.line, f"the account {_tail(head.identification)} is kept by the ledger itself")
            found.append(account or _account_of(statement, whose))
    return found


def _account_of(statement: Statement, owner: str) -> Account:
    head = statement.head
    return Account(
        account_id="",
        core_ref=owner,
        scheme_name=head.scheme_name,
        identification=head.identification,
        currency=statement.currency,
        cash_account_type=head.cash_account_type,
        name=head.name,
        product=head.product,
        owner_name=head.owner_name,
        servicer=head.servicer,
    )


async def _opened(store: Store, account: Account, now: int, time_zone: str) -> Account:
    if account.account_id:
        return account
    async with store.begin() as tx:
        return await tx.ledger.open(msgspec.structs.replace(account, time_zone=time_zone), now, is_live=False)


async def _bring(
    store: Store, parts: Iterator[Told | Statement], account: Account, expected: Statement, is_known: bool, now: int
) -> tuple[Outcome, Gap | None]:
    """Write one statement, or pass over one that is known."""
    outcome, batch = Outcome(), list[Told]()

    async def write() -> None:
        nonlocal outcome
        async with store.begin() as tx:
            outcome += await tx.ledger.tell(account, batch, now, source=expected.head.kind)
        batch.clear()

    while isinstance(part := await asyncio.to_thread(next, parts), Told):
        if is_known:
            outcome += Outcome(unchanged=1)
            continue
        batch.append(part)
        if len(batch) == limits.ENTRY_BATCH:
            await write()
    if part.digest != expected.digest:
        raise Refused(expected.head.line, "the file changed while it was read")
    if is_known:
        return outcome, None
    if batch:
        await write()
    async with store.begin() as tx:
        await tx.ledger.report(account, expected.balances, now)
        missing = await tx.ledger.close_statement(account, _row_of(expected), now)
    gap = Gap(_tail(account.identification), expected.closing_day, missing) if missing is not None else None
    return outcome, gap


def _row_of(statement: Statement) -> StatementRow:
    return StatementRow(
        digest=statement.digest,
        kind=statement.head.kind,
        closing_day=statement.closing_day,
        opening=statement.opening,
        closing=statement.closing,
        entries=statement.entries,
    )


def _tail(identification: str) -> str:
    """Return how an account is named in what is printed."""
    return f"•••• {identification[-4:]}" if len(identification) > 4 else "••••"
