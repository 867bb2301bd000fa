"""The unit of work and the store, the same over every database."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from foregate.ports import Clock, SessionRow
from foregate.store.accounts.exports import AlertChoicesIn, ExportsIn
from foregate.store.accounts.ledger import LedgerIn
from foregate.store.audit import AuditIn
from foregate.store.audit_check import verify_chain
from foregate.store.audit_read import TrailIn
from foregate.store.codes import CodesIn
from foregate.store.consents import ConsentsIn
from foregate.store.counter.credential_sessions import StaffSessionsIn
from foregate.store.counter.credentials import StaffCredentialsIn
from foregate.store.counter.permits import PermitsIn, StopLinksIn
from foregate.store.counter.proposals import ProposalsIn
from foregate.store.counter.staff import StaffIn
from foregate.store.counters import CountersIn, PermissionsIn
from foregate.store.customers import CustomersIn
from foregate.store.documents import DocumentNoticesIn
from foregate.store.faces import FacesIn
from foregate.store.journeys import JourneysIn
from foregate.store.keyring import Keys
from foregate.store.last import Last
from foregate.store.loops import Loop
from foregate.store.messages import OutboxIn
from foregate.store.network import NetworkReportsIn
from foregate.store.outlets.appointments import AppointmentsIn
from foregate.store.outlets.cases import CasesIn
from foregate.store.outlets.outlets import OutletsIn
from foregate.store.outlets.own import OwnOutletsIn
from foregate.store.passkeys import PasskeysIn
from foregate.store.session_cache import SessionCache
from foregate.store.sessions import FIND_SESSION, TOUCH_SESSION, DevicesIn, SessionsIn, session_of
from foregate.store.social import SocialAccountsIn, SocialProfilesIn
from foregate.store.spending import SpendingIn
from foregate.store.statements import Connection, Database


class Unit:
    """`ports.UnitOfWork`: one transaction, seen as what is in it."""

    __slots__ = (
        "_connection", "_keys", "_last", "audit", "codes", "counters", "customers", "devices", "journeys", "outbox",
        "permissions", "sessions",
    )  # fmt: skip

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys
        self._last = Last(connection)
        self.journeys = JourneysIn(connection, self._last)
        self.codes = CodesIn(connection, self._last)
        self.counters = CountersIn(connection)
        self.permissions = PermissionsIn(connection)
        self.customers = CustomersIn(connection, keys, self._last)
        self.sessions = SessionsIn(connection, self._last)
        self.devices = DevicesIn(connection)
        self.audit = AuditIn(connection, keys, self._last)
        self.outbox = OutboxIn(connection, keys, self._last)

    async def finish(self) -> None:
        """Write what was kept back. Nothing is read after it."""
        await self.audit.flush()
        await self._last.write(is_last=True)

    @property
    def spending(self) -> SpendingIn:
        """What messages cost."""
        return SpendingIn(self._connection)

    @property
    def permits(self) -> PermitsIn:
        """What the counter handed out."""
        return PermitsIn(self._connection)

    @property
    def stop_links(self) -> StopLinksIn:
        """What goes to numbers that were given up."""
        return StopLinksIn(self._connection)

    @property
    def staff(self) -> StaffIn:
        """Who works for the bank."""
        return StaffIn(self._connection, self._keys)

    @property
    def proposals(self) -> ProposalsIn:
        """What staff propose to do for customers."""
        return ProposalsIn(self._connection, self._keys)

    @property
    def trail(self) -> TrailIn:
        """The record, read back."""
        return TrailIn(self._connection)

    @property
    def staff_credentials(self) -> StaffCredentialsIn:
        """What members of staff sign in with."""
        return StaffCredentialsIn(self._connection, self._keys)

    @property
    def outlets(self) -> OutletsIn:
        """Where the bank is."""
        return OutletsIn(self._connection)

    @property
    def own_outlets(self) -> OwnOutletsIn:
        """Outlets as the console manages them."""
        return OwnOutletsIn(self._connection)

    @property
    def appointments(self) -> AppointmentsIn:
        """Places at outlets, and who has them."""
        return AppointmentsIn(self._connection, self._keys)

    @property
    def cases(self) -> CasesIn:
        """What somebody tried at the door, for whoever helps them."""
        return CasesIn(self._connection, self._keys)

    @property
    def document_notices(self) -> DocumentNoticesIn:
        """What customers were told about their documents."""
        return DocumentNoticesIn(self._connection)

    @property
    def faces(self) -> FacesIn:
        """Faces, for those who consented."""
        return FacesIn(self._connection, self._keys)

    @property
    def passkeys(self) -> PasskeysIn:
        """What customers sign in with and nobody can fish."""
        return PasskeysIn(self._connection, self._keys)

    @property
    def ledger(self) -> LedgerIn:
        """The embedded ledger."""
        return LedgerIn(self._connection, self._keys)

    @property
    def exports(self) -> ExportsIn:
        """Files of a record that customers asked for."""
        return ExportsIn(self._connection, self._keys)

    @property
    def alerts(self) -> AlertChoicesIn:
        """What customers want to be told."""
        return AlertChoicesIn(self._connection, self._keys)

    @property
    def social(self) -> SocialAccountsIn:
        """WeChat and Alipay accounts of customers."""
        return SocialAccountsIn(self._connection, self._keys)

    @property
    def profiles(self) -> SocialProfilesIn:
        """What was taken along from them."""
        return SocialProfilesIn(self._connection, self._keys)

    @property
    def consents(self) -> ConsentsIn:
        """What customers agreed to, and took back."""
        return ConsentsIn(self._connection)

    @property
    def network_reports(self) -> NetworkReportsIn:
        """What people sent us of their network checks."""
        return NetworkReportsIn(self._connection)

    @property
    def staff_sessions(self) -> StaffSessionsIn:
        """Members of staff, signed in."""
        return StaffSessionsIn(self._connection)


class SqlStore:
    """`ports.Store` over a `Database`. Made by `open_sqlite` and `open_postgres`."""

    def __init__(self, database: Database, keys: Keys, clock: Clock, kept: SessionCache | None = None) -> None:
        self.database, self.keys, self.clock = database, keys, clock
        self.kept = kept
        self.loops: tuple[Loop, ...] = (kept,) if kept else ()  # to be run while the house is open
        self._dispatchers: weakref.WeakSet[Loop] = weakref.WeakSet()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """Commit at the end, roll back on any exception. Raises Busy when no connection is free in time."""
        async with self.database.transaction() as connection:
            unit = Unit(connection, self.keys)
            yield unit
            await unit.finish()
        if unit.outbox.has_rows:
            self.wake_outbox()
        if self.kept is not None:
            for customer_id in unit.sessions.ended_of:
                self.kept.forget(customer_id)  # here at once; the other nodes hear of it

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[OutletsIn]:
        """Read outlets, which are public, on a connection of their own: no sign-in waits for a search."""
        async with self.database.glance() as connection:
            yield OutletsIn(connection)

    async def session(self, customer_id: str, session_id: str) -> SessionRow | None:
        """The one read that every signed-in request makes: from memory when nothing can have ended it, else a row."""
        if self.kept is None:
            return await self._read_session(customer_id, session_id)
        kept = self.kept.get(customer_id, session_id, self.clock.now())
        if kept is not None:
            return kept
        changes = self.kept.changes
        found = await self._read_session(customer_id, session_id)
        if found is not None:
            self.kept.keep(found, changes)
        return found

    async def touch_session(self, customer_id: str, session_id: str, now: int) -> None:
        """It was used now. Raises Busy; what was not written down now is with the next use."""
        await self.database.write_one(TOUCH_SESSION, of_customer=customer_id, of_session=session_id, now=now)

    async def _read_session(self, customer_id: str, session_id: str) -> SessionRow | None:
        row = await self.database.read_one(FIND_SESSION, of_customer=customer_id, of_session=session_id)
        return session_of(row) if row else None

    async def check_chain(self, chain: str) -> tuple[str, ...]:
        """Hold one chain of the record against itself and its seals; say what does not fit."""
        return tuple(finding.what for finding in await verify_chain(self, chain))

    def wake_outbox(self) -> None:
        """Something was committed to the outbox: let the dispatcher look now. `begin` does so by itself."""
        for dispatcher in self._dispatchers:
            dispatcher.wake()

    def tell(self, dispatcher: Loop) -> None:
        """Have `dispatcher` woken when messages were committed."""
        self._dispatchers.add(dispatcher)

    async def check_durability(self) -> None:
        """Raises WeakDurability when what is acknowledged could be lost. Done at open, and by the watch."""
        await self.database.check_durability()

    async def close(self) -> None:
        """Let what is under way end, then close every connection."""
        await self.database.close()
