"""PostgreSQL: a pool of connections, each with its statements prepared once.

Theory of operation
  asyncpg's own pool forgets prepared statements and sends a reset whenever a connection is handed back; that
  costs more than our statements themselves. Ours keeps connections as they are: Foregate sets nothing on a
  session, so there is nothing to reset. It waits for a free connection only so long, then says Busy.

  READ COMMITTED is enough because nothing read earlier decides: every guard stands in the statement that writes.

  When a connection is lost during COMMIT nobody knows whether it happened. We say Busy; the visitor repeats the
  answer under the same idempotency key, and what was stored decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from foregate.ports import Busy, Clock
from foregate.rules import limits
from foregate.store.errors import PlainTextLink, WeakDurability
from foregate.store.keyring import Keys
from foregate.store.schema import check_schema
from foregate.store.statements import Dialect, Row, Statement, Value
from foregate.store.unit_of_work import SqlStore

POOL_SIZE: Final = 10
BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
BEGIN_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_NEAR: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})

# The connection is gone, or in a state nobody should build on.
_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.InvalidCachedStatementError,  # the tables changed under it; a new connection prepares anew
    asyncpg.OperatorInterventionError,  # shut down, cancelled, starting up
    asyncpg.ReadOnlySQLTransactionError,  # we talk to what has become a replica
    OSError,  # with TimeoutError
)
# The connection is well, the moment is not.
_PASSING: Final = (
    asyncpg.TransactionRollbackError,  # deadlock
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.PostgresSystemError,
)


async def open_postgres(
    dsn: str,
    keys: Keys,
    clock: Clock,
    *,
    pool_size: int = POOL_SIZE,
    wait_seconds: float = limits.DATABASE_WAIT_SECONDS,
) -> SqlStore:
    """Open the store in the database `dsn`, whose tables `migrate.upgrade` has made.

    Raises WeakDurability, PlainTextLink or WrongSchema; Busy when it cannot be reached.
    """
    refuse_plain_text(dsn)
    database = PostgresDatabase(dsn, pool_size, wait_seconds)
    try:
        await database.check_durability()
        await check_schema(database)
    except BaseException:
        await database.close()
        raise
    return SqlStore(database, keys, clock)


def refuse_plain_text(dsn: str) -> None:
    """Raises PlainTextLink when `dsn` names another host and does not ask for encryption."""
    host, sslmode = _way_to(dsn)
    if host in _NEAR or host.startswith("/") or sslmode in _ENCRYPTED:
        return
    raise PlainTextLink(
        f"The database is on {host} and its address asks for no encryption. Add ?sslmode=verify-full to it."
    )


def _way_to(dsn: str) -> tuple[str, str]:
    """Return the host that `dsn` names and its sslmode; empty where it says nothing."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    return query.get("host", [parts.hostname or ""])[-1], query.get("sslmode", [""])[-1]


class _Wire:
    """One connection; it speaks the `Connection` Protocol."""

    def __init__(self, raw: asyncpg.Connection[Any]) -> None:
        self.raw = raw
        self.is_lost = False
        self.is_new = True
        self._prepared: dict[Statement, PreparedStatement[Any]] = {}

    async def one(self, statement: Statement, **values: Value) -> Row | None:
        try:
            prepared = self._prepared.get(statement) or await self._prepare(statement)
            row: Row | None = await prepared.fetchrow(*statement.text(Dialect.POSTGRES).arguments(values))
            return row
        except (*_LOST, *_PASSING) as error:
            raise self.busy(error) from error

    async def all(self, statement: Statement, **values: Value) -> Sequence[Row]:
        try:
            prepared = self._prepared.get(statement) or await self._prepare(statement)
            rows: Sequence[Row] = await prepared.fetch(*statement.text(Dialect.POSTGRES).arguments(values))
            return rows
        except (*_LOST, *_PASSING) as error:
            raise self.busy(error) from error

    async def run(self, statement: Statement, **values: Value) -> int:
        await self.all(statement, **values)
        # "UPDATE 3", "INSERT 0 1"
        return int(self._prepared[statement].get_statusmsg().rpartition(" ")[2])

    async def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Value]]) -> None:
        text = statement.text(Dialect.POSTGRES)
        try:
            prepared = self._prepared.get(statement) or await self._prepare(statement)
            await prepared.executemany([text.arguments(row) for row in rows])
        except (*_LOST, *_PASSING) as error:
            raise self.busy(error) from error

    async def command(self, command: str) -> str:
        """Run a command without arguments, and return what PostgreSQL says it did."""
        try:
            done: str = await self.raw.execute(command)
            return done
        except (*_LOST, *_PASSING) as error:
            raise self.busy(error) from error

    async def rollback(self) -> None:
        """Roll back, or give the connection up: whatever it was doing must not reach the next task."""
        try:
            if not self.is_lost:
                await self.raw.execute("ROLLBACK")
        except (asyncpg.PostgresError, *_LOST):
            self.is_lost = True

    def busy(self, error: BaseException) -> Busy:
        """Return the error to raise in place of the driver's."""
        self.is_lost = self.is_lost or isinstance(error, _LOST) or self.raw.is_closed()
        return Busy(f"PostgreSQL: {type(error).__name__}")

    async def _prepare(self, statement: Statement) -> PreparedStatement[Any]:
        prepared = await self.raw.prepare(statement.text(Dialect.POSTGRES).sql)
        self._prepared[statement] = prepared
        return prepared


async def _rolled_back(wire: _Wire) -> None:
    # Shielded: a visitor who hangs up twice must not leave a transaction open on a shared connection.
    try:
        await asyncio.shield(asyncio.ensure_future(wire.rollback()))
    except BaseException:
        wire.is_lost = True
        raise


class PostgresDatabase:
    """A `Database` behind a bounded pool."""

    dialect: Final = Dialect.POSTGRES

    def __init__(self, dsn: str, pool_size: int, wait_seconds: float) -> None:
        self._dsn, self._pool_size, self._wait_seconds = dsn, pool_size, wait_seconds
        self._free = asyncio.Semaphore(pool_size)
        self._idle: list[_Wire] = []  # last in, first out: the warmest connection is taken
        self._is_closed = False
        # On this machine nobody listens in; asking for TLS first would cost a second connection for each.
        self._ssl = None if _way_to(dsn)[1] or _way_to(dsn)[0] not in _NEAR else False

    def transaction(self) -> AbstractAsyncContextManager[_Wire]:
        return self._between(BEGIN)

    def snapshot(self) -> AbstractAsyncContextManager[_Wire]:
        return self._between(BEGIN_SNAPSHOT)

    @asynccontextmanager
    async def _between(self, begin: str) -> AsyncIterator[_Wire]:
        wire = await self._first(lambda wire: wire.command(begin))
        try:
            yield wire
            # After an error that somebody caught and went on, PostgreSQL answers COMMIT with ROLLBACK, not an error.
            if (outcome := await wire.command("COMMIT")) != "COMMIT":
                raise Busy(f"PostgreSQL: {outcome} in place of a commit")
        except BaseException:
            await _rolled_back(wire)
            raise
        finally:
            self._give_back(wire)

    async def read_one(self, statement: Statement, **values: Value) -> Row | None:
        row: Row | None = None

        async def read(wire: _Wire) -> None:
            nonlocal row
            row = await wire.one(statement, **values)

        self._give_back(await self._first(read))
        return row

    async def _first(self, do: Callable[[_Wire], Awaitable[object]]) -> _Wire:
        """Take a connection and `do` the first thing on it, which changes nothing.

        A connection that was closed while it lay idle (a failover, a firewall) is only noticed now. Nothing was
        begun on it, so the next one is tried; a new one that fails is not tried again.
        """
        while True:
            wire = await self._take()
            was_idle, wire.is_new = not wire.is_new, False
            try:
                await do(wire)
                return wire
            except BaseException as error:
                await _rolled_back(wire)
                self._give_back(wire)
                if not (isinstance(error, Busy) and was_idle and wire.raw.is_closed()):
                    raise

    async def _take(self) -> _Wire:
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

    def _keep(self, connecting: asyncio.Future[_Wire]) -> None:
        if connecting.cancelled() or connecting.exception() is not None:
            self._free.release()
        else:
            self._give_back(connecting.result())

    def _give_back(self, wire: _Wire) -> None:
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

    async def _connect(self) -> _Wire:
        settings = {
            "application_name": "foregate",
            "statement_timeout": str(int(self._wait_seconds * 1000)),
            # A node that hangs in the middle of a transaction must not keep a customer's rows locked.
            "idle_in_transaction_session_timeout": str(int(self._wait_seconds * 5000)),
        }
        try:
            raw = await asyncpg.connect(
                self._dsn,
                ssl=self._ssl,
                timeout=self._wait_seconds,
                command_timeout=self._wait_seconds + 0.5,  # should the server itself fall silent
                statement_cache_size=0,  # ours are prepared and kept by hand
                server_settings=settings,
            )
        except (asyncpg.PostgresError, *_LOST) as error:
            if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
                raise
            raise Busy(f"PostgreSQL: {type(error).__name__}") from error
        return _Wire(raw)

    async def check_durability(self) -> None:
        async with self.transaction() as wire:
            for setting, allowed in (
                ("fsync", ("on",)),
                ("full_page_writes", ("on",)),
                ("synchronous_commit", ("on", "remote_apply")),
            ):
                value = await wire.raw.fetchval(f"SELECT current_setting('{setting}')")
                if value not in allowed:
                    raise WeakDurability(
                        f"PostgreSQL runs with {setting} = {value} and could forget what it acknowledged. "
                        f"Set {setting} = on in postgresql.conf (or for this database or role) and reload."
                    )

    async def close(self) -> None:
        """Refuse new work, wait for what is under way, then close."""
        self._is_closed = True
        for _ in range(self._pool_size):
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await self._free.acquire()
            except TimeoutError:
                break
        while self._idle:
            await self._idle.pop().raw.close()
