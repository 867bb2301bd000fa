"""SQLite: one file, one thread that writes, one that reads.

Theory of operation
  Every transaction begins with BEGIN IMMEDIATE on the one writing connection, and an asyncio lock lets one task at
  a time have it. So nothing read inside a transaction can be stale, `SELECT .. FOR UPDATE` needs no counterpart,
  and SQLITE_BUSY can only come from another process; then we wait as long as for our own lock, and say Busy.
  sqlite3 blocks, so each connection lives on a thread of its own and the event loop never waits for a disk.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from foregate.ports import Busy, Clock
from foregate.rules import limits
from foregate.store.errors import WeakDurability
from foregate.store.keyring import Keys
from foregate.store.schema import check_schema
from foregate.store.statements import Dialect, Row, Statement, Value
from foregate.store.unit_of_work import SqlStore

T = TypeVar("T")

SYNCHRONOUS_FULL: Final = 2
STOPPING: Final = "SQLite: Foregate is stopping"
# Conditions of the machine or of another process, not mistakes of ours.
_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)
_PRIMARY_CODE: Final = 0xFF


async def open_sqlite(
    path: Path, keys: Keys, clock: Clock, *, wait_seconds: float = limits.DATABASE_WAIT_SECONDS
) -> SqlStore:
    """Open the store in the file `path`, whose tables `migrate.upgrade` has made.

    Raises WeakDurability or WrongSchema.
    """
    database = SqliteDatabase(path, wait_seconds)
    try:
        await database.check_durability()
        await check_schema(database)
    except BaseException:
        await database.close()
        raise
    return SqlStore(database, keys, clock)


class _Thread:
    """One connection on a thread of its own; it speaks the `Connection` Protocol."""

    def __init__(self, path: Path, wait_seconds: float, *, may_write: bool) -> None:
        self._path, self._wait_seconds, self._may_write = path, wait_seconds, may_write
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._raw: sqlite3.Connection | None = None

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the thread. Raises Busy for what passes: another process's lock, a full disk."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._with_connection, work)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE in _PASSING:
                raise Busy(f"SQLite: {error}") from error
            raise

    def _with_connection(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._raw is None:
            self._raw = self._connect()
        return work(self._raw)

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(self._path, timeout=self._wait_seconds, isolation_level=None, cached_statements=256)
        raw.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
            raw.execute(f"PRAGMA {pragma}")
        if not self._may_write:
            raw.execute("PRAGMA query_only = ON")
        return raw

    async def one(self, statement: Statement, **values: Value) -> Row | None:
        rows = await self.all(statement, **values)
        return rows[0] if rows else None

    async def all(self, statement: Statement, **values: Value) -> Sequence[Row]:
        text = statement.text(Dialect.SQLITE)
        # Fetched to the end, even for one row: a statement left half-way would keep its lock past the commit.
        return await self.do(lambda raw: raw.execute(text.sql, text.arguments(values)).fetchall())

    async def run(self, statement: Statement, **values: Value) -> int:
        text = statement.text(Dialect.SQLITE)
        return await self.do(lambda raw: raw.execute(text.sql, text.arguments(values)).rowcount)

    async def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Value]]) -> None:
        text = statement.text(Dialect.SQLITE)
        await self.do(lambda raw: raw.executemany(text.sql, [text.arguments(row) for row in rows]))

    async def run_together(
        self, writes: Sequence[tuple[Statement, Mapping[str, Value]]], *, is_last: bool = False
    ) -> Sequence[int]:
        texts = [(statement.text(Dialect.SQLITE), values) for statement, values in writes]
        return await self.do(lambda raw: [raw.execute(text.sql, text.arguments(own)).rowcount for text, own in texts])

    async def close(self) -> None:
        def close_raw() -> None:
            if self._raw is not None:
                self._raw.close()

        await asyncio.get_running_loop().run_in_executor(self._executor, close_raw)
        self._executor.shutdown(wait=False)


class SqliteDatabase:
    """A `Database` in one file."""

    dialect: Final = Dialect.SQLITE

    def __init__(self, path: Path, wait_seconds: float) -> None:
        create_private(path)
        self._path, self._wait_seconds = path, wait_seconds
        self._writer = _Thread(path, wait_seconds, may_write=True)
        self._reader = _Thread(path, wait_seconds, may_write=False)
        self._public = _Thread(path, wait_seconds, may_write=False)
        self._turn = asyncio.Lock()
        self._is_closed = False

    @asynccontextmanager
    async def transaction(self, *, is_single: bool = False) -> AsyncIterator[_Thread]:
        await self._take_turn()
        try:
            await self._execute("BEGIN IMMEDIATE")
            yield self._writer
        except BaseException:
            await self._end("ROLLBACK")
            raise
        await self._end("COMMIT")

    async def _take_turn(self) -> None:
        if self._turn.locked():
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await self._turn.acquire()
            except TimeoutError:
                raise Busy("SQLite: other transactions are still waiting") from None
        else:
            await self._turn.acquire()
        if self._is_closed:
            self._turn.release()
            raise Busy(STOPPING)

    async def _end(self, command: str) -> None:
        # Shielded: when the visitor hangs up at this moment the commit still happens, and the turn is passed on after.
        await asyncio.shield(asyncio.ensure_future(self._end_now(command)))

    async def _end_now(self, command: str) -> None:
        try:
            await self._execute(command)
        finally:
            # A commit that failed (disk full), or a BEGIN that was cancelled half-way, must not reach the next task.
            try:
                await self._writer.do(lambda raw: raw.rollback() if raw.in_transaction else None)
            finally:
                self._turn.release()

    async def _execute(self, command: str) -> None:
        def work(raw: sqlite3.Connection) -> None:
            if command != "ROLLBACK" or raw.in_transaction:
                raw.execute(command)

        await self._writer.do(work)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[_Thread]:
        # A connection of its own: on the shared reader, sessions ended meanwhile would still be found.
        thread = _Thread(self._path, self._wait_seconds, may_write=False)
        try:
            await thread.do(lambda raw: raw.execute("BEGIN"))
            yield thread
        finally:
            await thread.close()

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[_Thread]:
        if self._is_closed:
            raise Busy(STOPPING)
        yield self._public

    async def read_one(self, statement: Statement, **values: Value) -> Row | None:
        if self._is_closed:
            raise Busy(STOPPING)
        return await self._reader.one(statement, **values)

    async def write_one(self, statement: Statement, **values: Value) -> None:
        async with self.transaction() as writer:
            await writer.run(statement, **values)

    async def check_durability(self) -> None:
        def read(raw: sqlite3.Connection) -> tuple[str, int]:
            return raw.execute("PRAGMA journal_mode").fetchone()[0], raw.execute("PRAGMA synchronous").fetchone()[0]

        journal_mode, synchronous = await self._writer.do(read)
        if journal_mode != "wal":
            raise WeakDurability(
                f"SQLite keeps its journal as '{journal_mode}', not 'wal'. Put the database on a local disk."
            )
        if synchronous < SYNCHRONOUS_FULL:
            raise WeakDurability("SQLite runs with synchronous below FULL and could forget what it acknowledged.")

    async def close(self) -> None:
        """Wait for the transaction under way, then close."""
        async with self._turn:
            self._is_closed = True
            await self._reader.close()
            await self._public.close()
            await self._writer.close()


def create_private(path: Path) -> None:
    """Make the file readable by its owner alone; SQLite gives its -wal and -shm the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
