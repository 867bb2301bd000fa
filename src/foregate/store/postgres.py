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
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
from sqlalchemy import func, select

from foregate.addresses import LOOPBACK
from foregate.ports import Busy, Clock
from foregate.rules import limits
from foregate.store.errors import PlainTextLink, WeakDurability
from foregate.store.keyring import Keys
from foregate.store.postgres_pool import LOST, Pool, Wire, rolled_back
from foregate.store.postgres_transaction import Transaction
from foregate.store.schema import check_schema
from foregate.store.session_cache import SessionCache
from foregate.store.statements import Dialect, Row, Statement, Value, text_of
from foregate.store.unit_of_work import SqlStore

POOL_SIZE: Final = 10
QUICK_SIZE: Final = 2  # beside the pool, for what is one statement
_NOTIFY: Final = Statement(select(func.pg_notify(text_of("channel"), text_of("payload"))))
_SETTING: Final = Statement(select(func.current_setting(text_of("setting")).label("value")))
BEGIN_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_NEAR: Final = LOOPBACK | {""}
_ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})


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
    return SqlStore(database, keys, clock, SessionCache(database))


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


class Notices:
    """A connection that listens, and speaks to everybody who does."""

    def __init__(self, wire: Wire, channel: str) -> None:
        self._wire, self._channel = wire, channel

    async def send(self, payload: str) -> None:
        """Have `payload` sent, to ourselves too. Raises Busy when the connection is lost."""
        await self._wire.one(_NOTIFY, channel=self._channel, payload=payload)


class PostgresDatabase:
    """A `Database` behind a bounded pool."""

    dialect: Final = Dialect.POSTGRES

    def __init__(self, dsn: str, pool_size: int, wait_seconds: float) -> None:
        self._dsn, self._wait_seconds = dsn, wait_seconds
        self._pool = Pool(self._connect, pool_size, wait_seconds)
        # Whoever is signed in does not queue behind a thousand who want to be: single statements have their own.
        self._quick = Pool(self._connect, QUICK_SIZE, wait_seconds)
        self._free_for_glances = asyncio.Semaphore(max(1, pool_size // 2))
        # On this machine nobody listens in; asking for TLS first would cost a second connection for each.
        self._ssl = None if _way_to(dsn)[1] or _way_to(dsn)[0] not in _NEAR else False

    @asynccontextmanager
    async def transaction(self, *, is_single: bool = False) -> AsyncIterator[Transaction]:
        transaction = Transaction(self._pool, is_single=is_single)
        try:
            yield transaction
            await transaction.commit()
        except BaseException:
            await transaction.roll_back()
            raise
        finally:
            transaction.end()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Wire]:
        wire, _ = await self._pool.first(lambda wire: wire.command(BEGIN_SNAPSHOT))
        try:
            yield wire
            await wire.command("COMMIT")
        except BaseException:
            await rolled_back(wire)
            raise
        finally:
            self._pool.give_back(wire)

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Wire]:
        # However many search, half of the connections stay for those who want to be let in.
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free_for_glances.acquire()
        except TimeoutError:
            raise Busy("PostgreSQL: other searches are still waiting") from None
        try:
            async with self.snapshot() as wire:
                yield wire
        finally:
            self._free_for_glances.release()

    async def read_one(self, statement: Statement, **values: Value) -> Row | None:
        wire, row = await self._quick.first(lambda wire: wire.one(statement, **values))
        self._quick.give_back(wire)
        return row

    async def _connect(self) -> Wire:
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
        except (asyncpg.PostgresError, *LOST) as error:
            if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
                raise
            raise Busy(f"PostgreSQL: {type(error).__name__}") from error
        return Wire(raw)

    async def write_one(self, statement: Statement, **values: Value) -> None:
        # Twice is once, so a connection that turns out to be dead is simply replaced.
        wire, _ = await self._quick.first(lambda wire: wire.run(statement, **values))
        self._quick.give_back(wire)

    @asynccontextmanager
    async def listening(self, channel: str, hear: Callable[[str], None]) -> AsyncIterator[Notices]:
        """Hear what is announced on `channel`, on a connection beside the pool."""
        wire = await self._connect()
        try:
            try:
                await wire.raw.add_listener(channel, lambda *heard: hear(heard[-1]))
            except (asyncpg.PostgresError, *LOST) as error:
                raise wire.busy(error) from error
            yield Notices(wire, channel)
        finally:
            wire.raw.terminate()

    async def check_durability(self) -> None:
        async with self.transaction() as wire:
            for setting, allowed in (
                ("fsync", ("on",)),
                ("full_page_writes", ("on",)),
                ("synchronous_commit", ("on", "remote_apply")),
            ):
                row = await wire.one(_SETTING, setting=setting)
                value = row["value"] if row else None
                if value not in allowed:
                    raise WeakDurability(
                        f"PostgreSQL runs with {setting} = {value} and could forget what it acknowledged. "
                        f"Set {setting} = on in postgresql.conf (or for this database or role) and reload."
                    )

    async def close(self) -> None:
        """Refuse new work, wait for what is under way, then close."""
        await asyncio.gather(self._pool.close(), self._quick.close())
