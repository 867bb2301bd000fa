"""The records that cross a port. Times are whole seconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from foregate.rules.permission import Permission
from foregate.rules.words import Level


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
    cooling_until: int = 0  # the number is new: until then it vouches for nothing of high risk


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


class RangeVerdict(msgspec.Struct, frozen=True):
    """Whether codes may go out to a range of numbers. `is_last`: this one filled it, the first time within its hour."""

    is_allowed: bool
    is_last: bool
    wait_seconds: int


class CounterRow(msgspec.Struct, frozen=True):
    """Failures of one proof of one customer in one lane."""

    counter: str
    lane: str
    in_a_row: int
    total: int
    blocked_until: int


class Tried(msgspec.Struct, frozen=True):
    """How many were tried at in a while, customers or numbers, and how many of them failed last."""

    all: int
    failing: int


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer stands at one moment, none of it sealed. Somebody who does not exist stands well, with nothing."""

    counters: tuple[CounterRow, ...]
    permission: Mapping[str, Permission]  # by lane; a lane that is not there is open
    keeps: frozenset[str]  # of face, passkey and permit, those of which anything is kept
    last_sign_in_at: int | None
    cooling_until: int


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


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody the core bank knows, with or without a card."""

    core_ref: str
    name: str
    document_type: str
    document_number: str
    document_expires_on: str | None  # ISO date; None for long-term
    birth_date: str  # ISO date
    document_issued_on: str | None = None  # ISO date; None where nobody said
