"""Where everything is kept: one unit of work is one transaction, seen as what is in it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from foregate.ports.counter import Proposals, Staff, Trail
from foregate.ports.credentials import StaffCredentials, StaffSessions
from foregate.ports.documents import DocumentNotices
from foregate.ports.exports import AlertChoices, Exports
from foregate.ports.face_records import Faces
from foregate.ports.ledger import Ledger
from foregate.ports.messages import Spending
from foregate.ports.network import NetworkReports, Outgoing
from foregate.ports.outlets import Appointments, Cases, Outlets, OwnOutlets
from foregate.ports.passkeys import Passkeys
from foregate.ports.permits import Permits, StopLinks
from foregate.ports.records import (
    CodeRow,
    Condition,
    CounterRow,
    Customer,
    DeviceRow,
    Event,
    JourneyRow,
    Message,
    RangeVerdict,
    SendVerdict,
    SessionRow,
    Tried,
)
from foregate.ports.social import Consents, SocialAccounts, SocialProfiles
from foregate.rules import limits
from foregate.rules.permission import Permission


class Journeys(Protocol):
    async def insert(self, row: JourneyRow) -> None:
        """Raises Taken when the id exists."""

    async def lock(self, journey_id: str) -> JourneyRow | None:
        """Read a journey and hold it until the transaction ends."""

    async def save(self, row: JourneyRow) -> None:
        """Have everything but id and creation written at the end, guarded by `version - 1` being the stored version
        or `version`. The caller holds the journey. Raises LookupError, here or at the end, when the guard stood
        against it."""

    async def find_recent(
        self, visitor_digest: bytes, name: str, claim_digest: bytes, since: int, status: str = "open"
    ) -> JourneyRow | None:
        """The newest journey of this browser with the same name, claim and status, made at or after `since`."""

    async def open_of(self, visitor_digest: bytes, now: int) -> tuple[JourneyRow, ...]:
        """What this browser began and has not ended, the newest first; a few, however many there are."""

    async def void_others(self, customer_id: str, but: str) -> int:
        """End every other open journey of the customer, and their codes, but for those held this moment.

        Those find `Customer.ended_at` when they get to hold the customer; waiting for them here could be in a circle.
        """


class Codes(Protocol):
    async def tried(self, since: int, until: int) -> Tried:
        """How many numbers were sent a code after `since`, by `until`, and at how many of these it was typed wrong."""

    async def issue(self, row: CodeRow) -> CodeRow:
        """Insert, or replace nonce, length and times of the journey's code. Tries stay, sends grow by one."""

    async def charge(self, journey_id: str, tries_max: int) -> CodeRow | None:
        """Spend one try, in one guarded statement. None: none left, used, or no code. Returns it as after the try."""

    async def consume(self, journey_id: str) -> bool:
        """Use the code up, in one guarded statement. False: somebody else did."""

    async def find(self, journey_id: str) -> CodeRow | None: ...

    async def spend_send(self, key: bytes, now: int) -> SendVerdict:
        """Charge one message to `key` under RESEND_SECONDS, SENDS_PER_HOUR and SENDS_PER_DAY, in one statement."""

    async def spend_sends(self, key: bytes, range_key: bytes, now: int) -> tuple[SendVerdict, RangeVerdict]:
        """As `spend_send`, and in the same statement one code to a range of numbers, under RANGE_UNANSWERED."""

    async def give_back_send(self, key: bytes) -> None:
        """What this transaction charged to `key` was not sent after all: neither quota nor minute is spent."""

    async def answered(self, range_key: bytes) -> None:
        """A code to this range was answered: it does not count any more."""

    async def look_at_sends(self, key: bytes, now: int) -> SendVerdict:
        """The same without charging."""

    async def charge_streak(self, key: bytes, streak_max: int, now: int) -> bool:
        """Count one guess at a short code of this number; False when `streak_max` were wrong in a row already."""

    async def clear_streak(self, key: bytes) -> None: ...

    async def put_inbound(self, phone_digest: bytes, token_digest: bytes, expires_at: int) -> None:
        """A message arrived from this number with this text."""

    async def take_inbound(self, phone_digest: bytes, token_digest: bytes, now: int) -> bool:
        """Consume it; True once."""


class Counters(Protocol):
    async def tried(self, since: int, until: int) -> Tried:
        """How many customers' proofs were last tried after `since`, by `until`, and how many of these failed."""

    async def charge(
        self, customer_id: str, counter: str, lane: str, now: int, total_max: int = limits.TOTAL_FAILURES
    ) -> CounterRow | None:
        """Count one failure ahead of the comparison, in one guarded statement; every ROW_FAILURES-th sets a block.

        None: blocked now, or `total_max` reached over all lanes; nothing was counted.
        """

    async def charge_and_look(
        self, customer_id: str, counter: str, lane: str, now: int, total_max: int
    ) -> tuple[CounterRow, str | None] | None:
        """As `charge`, in the same statement with a look at the password's hash. None for nobody's, or none set."""

    async def succeed(self, customer_id: str, counter: str, lane: str) -> None:
        """The comparison was right: row, total and block of this lane go back to zero."""

    async def of(self, customer_id: str) -> tuple[CounterRow, ...]: ...

    async def refund(self, customer_id: str, charged: CounterRow) -> None:
        """Nothing could be compared: take back what `charge` counted, and the block that it set."""

    async def clear(self, customer_id: str, counters: tuple[str, ...]) -> None:
        """Reset rows and blocks of these counters in every lane; totals stay."""

    async def bind_again(self, customer_id: str, counter: str) -> None:
        """The proof was bound anew: forget the counter whole."""


class Permissions(Protocol):
    async def of(self, customer_id: str) -> dict[str, Permission]:
        """Lane to state; a lane that is not there is open. Locks nothing."""

    async def move(self, customer_id: str, lane: str, was: Permission, to: Permission, now: int) -> bool:
        """Guarded by the state it was in. False: it had moved."""

    async def open_all(self, customer_id: str, now: int) -> None:
        """Open every lane that the bank did not close."""


class Customers(Protocol):
    async def find(self, customer_id: str) -> Customer | None: ...

    async def condition(self, customer_id: str) -> Condition:
        """How this customer stands, in one look that holds and opens nothing and costs the same for nobody."""

    async def by_login(self, kind: str, digest: bytes) -> Customer | None:
        """kind: phone | user_name | core_ref. One statement, whether found or not."""

    async def hold(self, customer_id: str) -> Customer | None:
        """Read and hold until the transaction ends: acts on one customer happen one after the other."""

    async def insert(self, customer: Customer, logins: dict[str, bytes]) -> None:
        """Claim the names (kind to digest) and write the row. Raises Taken(kind)."""

    async def set_password(self, customer_id: str, password_hash: str) -> None: ...

    async def move_phone(self, customer_id: str, phone: str, *, was: bytes, to: bytes, cooling_until: int) -> None:
        """Claim the new number, let go of the old one, write it down. Raises Taken("phone"), having written nothing."""

    async def signed_in(self, customer_id: str, now: int) -> None:
        """Disuse is counted from here. Written at the end; the caller holds the customer."""

    async def end_earlier(self, customer_id: str, now: int) -> None:
        """Whatever was begun up to now ends, even what is being answered this moment in another transaction."""


class Sessions(Protocol):
    async def insert(self, row: SessionRow) -> None:
        """At most SESSIONS_PER_CUSTOMER stay; the one unused longest ends."""

    async def find(self, customer_id: str, session_id: str) -> SessionRow | None: ...

    async def end(self, customer_id: str, session_id: str) -> bool: ...

    async def end_all(self, customer_id: str, but: str | None = None) -> int: ...

    async def end_on_device(self, customer_id: str, device_id: str) -> int: ...

    async def of(self, customer_id: str) -> tuple[SessionRow, ...]: ...


class Devices(Protocol):
    async def insert(self, row: DeviceRow) -> None:
        """At most DEVICES_PER_CUSTOMER stay; the one unused longest is forgotten."""

    async def find(self, customer_id: str, device_id: str) -> DeviceRow | None: ...

    async def touch(self, customer_id: str, device_id: str, now: int) -> None: ...

    async def forget(self, customer_id: str, device_id: str) -> bool: ...

    async def of(self, customer_id: str) -> tuple[DeviceRow, ...]: ...


class Audit(Protocol):
    async def record(self, event: Event, now: int) -> None:
        """Append to the event's chain. Last thing in a transaction: it holds the chain until the end."""


class Outbox(Protocol):
    async def put(self, message: Message, now: int) -> None: ...

    async def outgoing(self, since: int, now: int) -> Outgoing:
        """How messages go out: those that wait, and those that ended since then. Locks nothing."""


class UnitOfWork(Protocol):
    """One transaction. State change, audit event and outbox row share it."""

    @property
    def journeys(self) -> Journeys: ...
    @property
    def codes(self) -> Codes: ...
    @property
    def counters(self) -> Counters: ...
    @property
    def permissions(self) -> Permissions: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def spending(self) -> Spending: ...
    @property
    def staff(self) -> Staff: ...
    @property
    def proposals(self) -> Proposals: ...
    @property
    def trail(self) -> Trail: ...
    @property
    def staff_credentials(self) -> StaffCredentials: ...
    @property
    def staff_sessions(self) -> StaffSessions: ...
    @property
    def permits(self) -> Permits: ...
    @property
    def stop_links(self) -> StopLinks: ...
    @property
    def outlets(self) -> Outlets: ...
    @property
    def own_outlets(self) -> OwnOutlets: ...
    @property
    def appointments(self) -> Appointments: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def passkeys(self) -> Passkeys: ...
    @property
    def document_notices(self) -> DocumentNotices: ...
    @property
    def faces(self) -> Faces: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def exports(self) -> Exports: ...
    @property
    def alerts(self) -> AlertChoices: ...
    @property
    def social(self) -> SocialAccounts: ...
    @property
    def profiles(self) -> SocialProfiles: ...
    @property
    def consents(self) -> Consents: ...
    @property
    def network_reports(self) -> NetworkReports: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def outbox(self) -> Outbox: ...


class Store(Protocol):
    """Where everything is kept."""

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Commit at the end, roll back on any exception. Raises Busy when no connection is free in time."""

    async def session(self, customer_id: str, session_id: str) -> SessionRow | None:
        """What every signed-in request asks: at most one prepared statement, no transaction."""

    async def touch_session(self, customer_id: str, session_id: str, now: int) -> None:
        """It was used now. Raises Busy; what was not written down now is with the next use."""

    def glance(self) -> AbstractAsyncContextManager[Outlets]:
        """Read outlets, which are public, on a connection of their own: no sign-in waits for a search."""

    async def check_chain(self, chain: str) -> tuple[str, ...]:
        """Hold one chain of the record against itself and its seals; say what does not fit. Empty: it is whole."""
