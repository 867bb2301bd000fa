"""What a proof or an act is given: who stands at the door as far as the bank can tell, and the transaction.

A `Subject` may be a decoy: nobody is behind it, and every step costs and answers as if somebody were. Only the
fields that are None or False tell, and they stay on the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from foregate.passkey_site import Site
from foregate.ports import Clock, CoreBank, Customer, DocumentRegistry, Hasher, Keyring, Store, UnitOfWork
from foregate.ports.accounts import Accounts
from foregate.ports.face import FaceEngine
from foregate.ports.messages import UNBOUNDED, MessageBudget
from foregate.ports.numbers import NumberChanges
from foregate.ports.social import Pictures, SocialProvider
from foregate.rules.journeys import Built, Journey, Table
from foregate.rules.social import Attribute, Provider
from foregate.rules.verdict import Rules


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a journey is about."""

    customer_id: str  # a decoy's is derived from what was typed, so it is stable
    known: bool  # registered for e-banking
    phone: str | None  # E.164, where codes go; None: nowhere
    phone_key: str  # what send limits are counted by: the number, or a decoy's stand-in
    claim_key: str  # what the visitor's own send limits are counted by: the thing they typed
    core_ref: str | None = None
    card_number: str | None = None
    flaw: str | None = None  # the cause to tell once possession is shown
    masked_phone: str | None = None  # only of a number that the visitor typed


class Evidence(msgspec.Struct, frozen=True):
    """A proof, and when it was given."""

    proof: str
    at: int


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why not. Numbers are shown only to a visitor who has earned the cause."""

    cause: str
    retry_in_seconds: int | None = None
    tries_left: int | None = None
    failures_in_a_row: int | None = None
    fields: Mapping[str, str] = {}  # what to type again, name to code; with these the journey goes on


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside, as `bootstrap` built it."""

    store: Store
    clock: Clock
    keyring: Keyring
    hasher: Hasher
    core: CoreBank
    registry: DocumentRegistry
    site: Site
    rules: Rules
    accounts: Accounts
    faces: FaceEngine | None = None  # None: face is not open
    social: Mapping[Provider, SocialProvider] = field(default_factory=dict)  # those that are set up
    pictures: Pictures | None = None  # None: no avatar is asked for
    messages: MessageBudget = UNBOUNDED
    numbers: NumberChanges | None = None  # None: nobody is asked whether a number changed hands
    trusts_unknown_numbers: bool = True  # what it means that nobody knows

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """What may be taken along from WeChat and Alipay here."""
        return tuple(each for each in Attribute if each is not Attribute.AVATAR or self.pictures is not None)


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment of one journey, inside one transaction."""

    world: World
    tx: UnitOfWork
    now: int
    row: Journey
    journeys: Table
    built: Built
    journey_id: str
    subject: Subject
    lane: str
    language: str
    source: str
    agent: str
    evidence: tuple[Evidence, ...] = ()
    sending_seconds: int = 0  # that the answer was on its way
    session_id: str | None = None
    device_id: str | None = None
    is_fresh: bool = False  # begun in this very transaction: nothing of it can be in the store yet
    customer: Customer | None = None  # held, while an act is performed

    @property
    def chain(self) -> str:
        """The audit chain: the customer's own, or one of sixteen for strangers."""
        return self.subject.customer_id if self.subject.known else f"stranger-{self.subject.customer_id[-1]}"
