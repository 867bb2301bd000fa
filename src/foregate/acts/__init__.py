"""One file for each thing the bank does for a visitor.

An act is a module that fits `ActKind`. By the time the desk calls `perform` the row's formula is satisfied; an act
never asks which proofs were given. `admit` may still refuse for a reason of the customer's (the bank closed the
login, the card is registered already); `prepare` does what takes long, outside the transaction; `perform` changes
the state, and writes the audit event and the messages in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from foregate.ids import new_id
from foregate.ports import Event, Message, SessionRow
from foregate.rules.inputs import Answer
from foregate.situation import Refused, Situation, Subject, World
from foregate.tokens import Token


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It is done. Tokens go into cookies, once."""

    session: SessionRow | None = None
    session_token: Token | None = None
    device_token: Token | None = None
    ends_session: bool = False
    facts: Mapping[str, str | int] = {}


class ActKind(Protocol):
    """Something the bank does."""

    @property
    def ACTS(self) -> tuple[str, ...]: ...
    @property
    def INPUT(self) -> type[Answer] | None: ...

    async def admit(self, at: Situation) -> Refused | None:
        """Refuse for a reason of the customer's, before anything more is asked."""

    async def prepare(self, given: Any, subject: Subject, world: World) -> Any | Refused:
        """Do what takes long, outside the transaction. Raises InvalidFields for what has to be typed again."""

    async def perform(self, prepared: Any, at: Situation) -> Done | Refused: ...


async def admit_anybody(at: Situation) -> Refused | None:
    """An act that nothing of the customer's stands against."""
    return None


async def prepare_nothing(given: Any, subject: Subject, world: World) -> Any:
    """An act of which nothing takes long: what was given is ready."""
    return given


async def record(at: Situation, kind: str, **details: str | int) -> None:
    """Write the act's audit event, with the proofs that bought it."""
    bought_by = "+".join(sorted({evidence.proof for evidence in at.evidence}))
    event = Event(
        chain=at.chain,
        kind=kind,
        journey_id=at.journey_id,
        source=at.source,
        details={"journey": at.row.name, "proofs": bought_by, "lane": at.lane, **details},
    )
    await at.tx.audit.record(event, at.now)


async def tell(at: Situation, template: str, phone: str | None, **facts: str) -> None:
    """Put a notice to the customer into the outbox."""
    message = Message(
        message_id=new_id(),
        customer_id=at.subject.customer_id,
        phone=phone,
        template=template,
        language=at.language,
        facts=facts,
        expires_at=at.now + 86400,
    )
    await at.tx.outbox.put(message, at.now)
