"""What the house needs of the world: the Protocols that `bootstrap` fills, and the records that cross them.

Acts, proofs and the desk see the store and the gateways only through these. Times are whole seconds since 1970,
read from one `Clock`. Customers, sessions, devices and journeys are named by UUIDv7 in text form.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from foregate.rules.permission import Permission
from foregate.rules.words import Level

# ---------------------------------------------------------------- errors


class Taken(Exception):
    """A name to sign in by, or an id, belongs to somebody already."""


class Busy(Exception):
    """No capacity now (connection, hash pool). The work was not begun; say when to come back."""


class Unreachable(Exception):
    """A system outside (core bank, SMS centre) did not answer. Nothing is known about the outcome."""


class Rejected(Exception):
    """A system outside will never take this; trying again is of no use."""


# ---------------------------------------------------------------- records


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody registered for e-banking. `phone` and `name` are in clear here, encrypted in the store."""

    customer_id: str
    core_ref: str
    name: str
    phone: str  # E.164
    user_name: str | None
    password_hash: str | None
    created_at: int
    last_sign_in_at: int
    ended_at: int = 0  # journeys begun by then do nothing any more: the password was reset, the login frozen


class JourneyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A journey under way. `state` is the desk's own, encrypted in the store; so is `last_reply`."""

    journey_id: str
    name: str
    version: int
    status: str  # open | done | refused | void
    visitor_digest: bytes
    customer_id: str | None  # also a decoy's: the same for every journey of one typed identity
    claim_digest: bytes | None  # of who the visitor says they are
    state: bytes
    created_at: int
    expires_at: int
    last_key: str | None = None
    last_request: bytes | None = None  # digest of the answer that `last_key` came with
    last_reply: bytes | None = None  # None while that answer is still being worked on


class CodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """The live code of one journey. The code itself is never stored: it is derived from `nonce` and a key."""

    journey_id: str
    purpose: str  # the journey's name
    phone_digest: bytes
    nonce: bytes
    is_long: bool
    tries: int
    sends: int
    sent_at: int
    expires_at: int
    is_used: bool


class SendVerdict(msgspec.Struct, frozen=True):
    """Whether a message may go out under a key, and if not, when the next may."""

    is_allowed: bool
    wait_seconds: int
    is_spent: bool  # True: the hour's or day's quota; False: only the minute between two
    streak: int  # wrong codes in a row for this number


class CounterRow(msgspec.Struct, frozen=True):
    """Failures of one proof of one customer in one lane."""

    counter: str
    lane: str
    in_a_row: int
    total: int
    blocked_until: int


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session. `evidence` is a tuple of (proof, proved at)."""

    customer_id: str
    session_id: str
    secret_digest: bytes
    level: Level
    evidence: tuple[tuple[str, int], ...]
    device_id: str | None
    agent: str  # what the browser calls itself, shortened and inert
    created_at: int
    seen_at: int
    expires_at: int


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A remembered device."""

    customer_id: str
    device_id: str
    secret_digest: bytes
    agent: str
    created_at: int
    seen_at: int


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One audit event. `chain` is the customer's id, or `stranger-<n>` where there is none."""

    chain: str
    kind: str  # past participle: `code-sent`, `session-opened`, `proof-refused`
    journey_id: str | None = None
    actor: str = "visitor"
    source: str = ""  # network address of the peer
    details: dict[str, str | int] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to be sent after commit. `phone` None: a decoy, which costs the same and goes nowhere."""

    message_id: str
    customer_id: str | None
    phone: str | None
    template: str  # key of the text: `sms.code`, `sms.password-changed`
    language: str
    facts: dict[str, str]
    nonce: bytes | None = None  # for a code: the worker derives it, nothing stores it
    expires_at: int = 0


class CardHolder(msgspec.Struct, frozen=True, kw_only=True):
    """What the core bank says of a card and the person who holds it."""

    core_ref: str  # the core bank's customer number
    card_ref: str
    name: str
    document_type: str
    document_number: str
    document_expires_on: str | None  # ISO date; None for long-term
    birth_date: str  # ISO date
    bound_phone: str | None  # E.164, bound to the card when it was issued
    card_number: str
    status: str  # active | closed


# ---------------------------------------------------------------- the world


class Clock(Protocol):
    """Seconds since 1970."""

    def now(self) -> int: ...


class Keyring(Protocol):
    """Keys that live outside the database."""

    def encrypt(self, plain: bytes, place: str) -> bytes:
        """AES-256-GCM under the current key; `place` (table.column:id) is associated data. Output names its key."""

    def decrypt(self, sealed: bytes, place: str) -> bytes:
        """Undo `encrypt`. Raises ValueError when the text, its key or its place is not the one it was made with."""

    def digest(self, purpose: str, value: str) -> bytes:
        """HMAC-SHA-256, 32 bytes: to look a value up without keeping it."""

    def derive(self, purpose: str, data: bytes) -> bytes:
        """HMAC-SHA-256 as a pseudo-random function, 32 bytes: codes, tokens, decoys."""


class Hasher(Protocol):
    """argon2id over a keyed digest, in a bounded pool. Raises Busy when its queue is full."""

    async def hash(self, secret: str) -> str: ...

    async def verify(self, hashed: str | None, secret: str) -> bool:
        """Compare. None costs the same and is False."""

    def needs_rehash(self, hashed: str) -> bool: ...


class CoreBank(Protocol):
    """Who holds this card, which number is bound to it, is this its PIN. Raises Unreachable."""

    async def holder(self, card_number: str) -> CardHolder | None: ...

    async def cards_of(self, core_ref: str) -> tuple[CardHolder, ...]:
        """Every active card of a person, oldest first."""

    async def cards_bound_to(self, phone: str) -> tuple[CardHolder, ...]: ...

    async def is_pin(self, card_number: str | None, pin: str) -> bool:
        """Compare; None (no such card) costs the same and is False. Counting failures is the caller's."""


class Throttle(Protocol):
    """Counts requests per source. It slows scripts down; it never decides about a person."""

    async def hit(self, key: str, per_minute: int) -> int:
        """Count one and return 0, or the seconds to wait when there were `per_minute` in this minute already."""


# ---------------------------------------------------------------- the store


class Journeys(Protocol):
    async def insert(self, row: JourneyRow) -> None:
        """Raises Taken when the id exists."""

    async def lock(self, journey_id: str) -> JourneyRow | None:
        """Read a journey and hold it until the transaction ends."""

    async def save(self, row: JourneyRow) -> bool:
        """Write everything but id and creation, guarded by `version - 1` being the stored version or `version`."""

    async def find_recent(self, visitor_digest: bytes, name: str, claim_digest: bytes, since: int) -> JourneyRow | None:
        """The newest open journey of this browser with the same name and claim, made at or after `since`."""

    async def void_others(self, customer_id: str, but: str) -> int:
        """End every other open journey of the customer, and their codes, but for those held this moment.

        Those find `Customer.ended_at` when they get to hold the customer; waiting for them here could be in a circle.
        """


class Codes(Protocol):
    async def issue(self, row: CodeRow) -> CodeRow:
        """Insert, or replace nonce, length and times of the journey's code. Tries stay, sends grow by one."""

    async def charge(self, journey_id: str, tries_max: int) -> CodeRow | None:
        """Spend one try, in one guarded statement. None: none left, used, or no code. Returns it as after the try."""

    async def consume(self, journey_id: str) -> bool:
        """Use the code up, in one guarded statement. False: somebody else did."""

    async def find(self, journey_id: str) -> CodeRow | None: ...

    async def spend_send(self, key: bytes, now: int) -> SendVerdict:
        """Charge one message to `key` under RESEND_SECONDS, SENDS_PER_HOUR and SENDS_PER_DAY, in one statement."""

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
    async def charge(self, customer_id: str, counter: str, lane: str, now: int) -> CounterRow | None:
        """Count one failure ahead of the comparison, in one guarded statement; every ROW_FAILURES-th sets a block.

        None: blocked now, or TOTAL_FAILURES reached over all lanes; nothing was counted.
        """

    async def succeed(self, customer_id: str, counter: str, lane: str) -> None:
        """The comparison was right: row, total and block of this lane go back to zero."""

    async def of(self, customer_id: str) -> tuple[CounterRow, ...]: ...

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

    async def by_login(self, kind: str, digest: bytes) -> Customer | None:
        """kind: phone | user_name | core_ref. One statement, whether found or not."""

    async def hold(self, customer_id: str) -> Customer | None:
        """Read and hold until the transaction ends: acts on one customer happen one after the other."""

    async def insert(self, customer: Customer, logins: dict[str, bytes]) -> None:
        """Claim the names (kind to digest) and write the row. Raises Taken(kind)."""

    async def set_password(self, customer_id: str, password_hash: str) -> None: ...

    async def signed_in(self, customer_id: str, now: int) -> None: ...

    async def end_earlier(self, customer_id: str, now: int) -> None:
        """Whatever was begun up to now ends, even what is being answered this moment in another transaction."""


class Sessions(Protocol):
    async def insert(self, row: SessionRow) -> None:
        """At most SESSIONS_PER_CUSTOMER stay; the one unused longest ends."""

    async def find(self, customer_id: str, session_id: str) -> SessionRow | None: ...

    async def touch(self, customer_id: str, session_id: str, now: int) -> None: ...

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
    def audit(self) -> Audit: ...
    @property
    def outbox(self) -> Outbox: ...


class Store(Protocol):
    """Where everything is kept."""

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Commit at the end, roll back on any exception. Raises Busy when no connection is free in time."""

    async def session(self, customer_id: str, session_id: str) -> SessionRow | None:
        """The one read that every signed-in request makes: one prepared statement, no transaction."""
