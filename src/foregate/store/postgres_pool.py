"""Connections to PostgreSQL: one of them, and a bounded number of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from foregate.ports import Busy
from foregate.store.statements import Dialect, Row, Statement, Together, Value, together

T = TypeVar("T")

# The connection is gone, or in a state nobody should build on.
LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.InvalidCachedStatementError,  # the tables changed under it; a new connection prepares anew
    asyncpg.OperatorInterventionError,  # shut down, cancelled, starting up
    asyncpg.ReadOnlySQLTransactionError,  # we talk to what has become a replica
    OSError,  # with TimeoutError
)
# The connection is well, the moment is not.
PASSING: Final = (
    asyncpg.TransactionRollbackError,  # deadlock
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.PostgresSystemError,
)


class Wire:
    """One connection; it speaks the `Connection` Protocol."""

    def __init__(self, raw: asyncpg.Connection[Any]) -> None:
        self.raw = raw
        self.is_lost = False
        self.is_new = True
        self._prepared: dict[Statement | Together, PreparedStatement[Any]] = {}

    async def one(self, statement: Statement, **values: Value) -> Row | None:
        try:
            prepared = self._prepared.get(statement) or await self._prepare(
                statement, statement.text(Dialect.POSTGRES).sql
            )
            row: Row | None = await prepared.fetchrow(*statement.text(Dialect.POSTGRES).arguments(values))
            return row
        except (*LOST, *PASSING) as error:
            raise self.busy(error) from error

    async def all(self, statement: Statement, **values: Value) -> Sequence[Row]:
        try:
            prepared = self._prepared.get(statement) or await self._prepare(
                statement, statement.text(Dialect.POSTGRES).sql
            )
            rows: Sequence[Row] = await prepared.fetch(*statement.text(Dialect.POSTGRES).arguments(values))
            return rows
        except (*LOST, *PASSING) as error:
            raise self.busy(error) from error

    async def run(self, statement: Statement, **values: Value) -> int:
        await self.all(statement, **values)
        # "UPDATE 3", "INSERT 0 1"
        return int(self._prepared[statement].get_statusmsg().rpartition(" ")[2])

    async def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Value]]) -> None:
        text = statement.text(Dialect.POSTGRES)
        try:
            prepared = self._prepared.get(statement) or await self._prepare(
                statement, statement.text(Dialect.POSTGRES).sql
            )
            await prepared.executemany([text.arguments(row) for row in rows])
        except (*LOST, *PASSING) as error:
            raise self.busy(error) from error

    async def run_together(
        self, writes: Sequence[tuple[Statement, Mapping[str, Value]]], *, is_last: bool = False
    ) -> Sequence[int]:
        text = together(tuple(statement for statement, _ in writes))
        try:
            prepared = self._prepared.get(text) or await self._prepare(text, text.sql)
            row = await prepared.fetchrow(*text.arguments([values for _, values in writes]))
            return tuple(row or ())
        except (*LOST, *PASSING) as error:
            raise self.busy(error) from error

    async def command(self, command: str) -> str:
        """Run a command without arguments, and return what PostgreSQL says it did."""
        try:
            done: str = await self.raw.execute(command)
            return done
        except (*LOST, *PASSING) as error:
            raise self.busy(error) from error

    async def rollback(self) -> None:
        """Roll back, or give the connection up: whatever it was doing must not reach the next task."""
        try:
            if not self.is_lost:
                await self.raw.execute("ROLLBACK")
        except (asyncpg.PostgresError, *LOST):
            self.is_lost = True

    def busy(self, error: BaseException) -> Busy:
        """Return the error to raise in place of the driver's."""
        self.is_lost = self.is_lost or isinstance(error, LOST) or self.raw.is_closed()
        return Busy(f"PostgreSQL: {type(error).__name__}")

    async def _prepare(self, statement: Statement | Together, sql: str) -> PreparedStatement[Any]:
        prepared = await self.raw.prepare(sql)
        self._prepared[statement] = prepared
        return prepared


async def rolled_back(wire: Wire) -> None:
    # Shielded: a visitor who hangs up twice must not leave a transaction open on a shared connection.
    try:
        await asyncio.shield(asyncio.ensure_future(wire.rollback()))
    except BaseException:
        wire.is_lost = True
        raise


class Pool:
    """At most `size` connections; who finds none free in `wait_seconds` is told Busy."""

    def __init__(self, connect: Callable[[], Awaitable[Wire]], size: int, wait_seconds: float) -> None:
        self._connect, self._size, self._wait_seconds = connect, size, wait_seconds
        self._free = asyncio.Semaphore(size)
        self._idle: list[Wire] = []  # last in, first out: the warmest connection is taken
        self._is_closed = False

    async def first(self, do: Callable[[Wire], Awaitable[T]]) -> tuple[Wire, T]:
        """Take a connection and `do` the first thing on it, which may be done twice. Returns both.

        A connection that was closed while it lay idle (a failover, a firewall) is only noticed now. Nothing was
        begun on it, so the next one is tried; a new one that fails is not tried again.
        """
        while True:
            wire = await self._take()
            was_idle, wire.is_new = not wire.is_new, False
            try:
                return wire, await do(wire)
            except BaseException as error:
                await rolled_back(wire)
                self.give_back(wire)
                if not (isinstance(error, Busy) and was_idle and wire.raw.is_closed()):
                    raise

    async def _take(self) -> Wire:
        await self._wait_for_place()
        if self._idle:
            return self._idle.pop()
        connecting = asyncio.ensure_future(self._connect())
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            # The visitor hung up; the connection is for the next one. Its place is taken until it is there.
            connecting.add_done_callback(self._keep)
            raise
        except BaseException:
            self._free.release()
            raise

    def _keep(self, connecting: asyncio.Future[Wire]) -> None:
        if connecting.cancelled() or connecting.exception() is not None:
            self._free.release()
        else:
            self.give_back(connecting.result())

    def give_back(self, wire: Wire) -> None:
        if wire.is_lost or wire.raw.is_closed() or self._is_closed or wire.raw.is_in_transaction():
            wire.raw.terminate()
        else:
            self._idle.append(wire)
        self._free.release()

    async def _wait_for_place(self) -> None:
        if self._is_closed:
            raise Busy("PostgreSQL: Foregate is stopping")
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Busy("PostgreSQL: every connection is in use") from None

    async def close(self) -> None:
        """Refuse new work, wait for what is under way, then close."""
        self._is_closed = True
        for _ in range(self._size):
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await self._free.acquire()
            except TimeoutError:
                break
        while self._idle:
            await self._idle.pop().raw.close()
