"""The unit of work and the store, the same over every database."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from foregate.ports import Clock, SessionRow
from foregate.store.audit import AuditIn
from foregate.store.codes import CodesIn
from foregate.store.counters import CountersIn, PermissionsIn
from foregate.store.customers import CustomersIn
from foregate.store.journeys import JourneysIn
from foregate.store.keyring import Keys
from foregate.store.loops import Loop
from foregate.store.messages import OutboxIn
from foregate.store.sessions import FIND_SESSION, DevicesIn, SessionsIn, session_of
from foregate.store.statements import Connection, Database


class Unit:
    """`ports.UnitOfWork`: one transaction, seen as what is in it."""

    __slots__ = (
        "audit", "codes", "counters", "customers", "devices", "journeys", "outbox", "permissions", "sessions",
    )  # fmt: skip

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self.journeys = JourneysIn(connection)
        self.codes = CodesIn(connection)
        self.counters = CountersIn(connection)
        self.permissions = PermissionsIn(connection)
        self.customers = CustomersIn(connection, keys)
        self.sessions = SessionsIn(connection)
        self.devices = DevicesIn(connection)
        self.audit = AuditIn(connection, keys)
        self.outbox = OutboxIn(connection, keys)


class SqlStore:
    """`ports.Store` over a `Database`. Made by `open_sqlite` and `open_postgres`."""

    def __init__(self, database: Database, keys: Keys, clock: Clock) -> None:
        self.database, self.keys, self.clock = database, keys, clock
        self._dispatchers: weakref.WeakSet[Loop] = weakref.WeakSet()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """Commit at the end, roll back on any exception. Raises Busy when no connection is free in time."""
        async with self.database.transaction() as connection:
            unit = Unit(connection, self.keys)
            yield unit
            await unit.audit.flush()
        if unit.outbox.has_rows:
            self.wake_outbox()

    async def session(self, customer_id: str, session_id: str) -> SessionRow | None:
        """The one read that every signed-in request makes: one prepared statement, no transaction."""
        row = await self.database.read_one(FIND_SESSION, of_customer=customer_id, of_session=session_id)
        return session_of(row) if row else None

    def wake_outbox(self) -> None:
        """Something was committed to the outbox: let the dispatcher look now. `begin` does so by itself."""
        for dispatcher in self._dispatchers:
            dispatcher.wake()

    def tell(self, dispatcher: Loop) -> None:
        """Have `dispatcher` woken when messages were committed."""
        self._dispatchers.add(dispatcher)

    async def check_durability(self) -> None:
        """Raises WeakDurability when what is acknowledged could be lost. Done at start; do it hourly."""
        await self.database.check_durability()

    async def close(self) -> None:
        """Let what is under way end, then close every connection."""
        await self.database.close()
