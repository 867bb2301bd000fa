"""Brings a consented proposal of the counter to the act that does it. Fits `counter.performs.Performs`."""

from __future__ import annotations

from typing import Final

from foregate.acts import at_counter
from foregate.acts.at_counter import AtCounter
from foregate.counter.performs import Effect, Order
from foregate.situation import Refused, World

CORRECT_DOCUMENT: Final = "correct-document"


class ByProposal:
    """Does what was consented to."""

    def __init__(self, world: World) -> None:
        self._world = world

    def needs_core(self, act: str) -> bool:
        """A document stands in the core bank; everything else is ours."""
        return act == CORRECT_DOCUMENT

    async def in_core(self, act: str, core_ref: str, expires_on: str | None, issued_on: str | None) -> None:
        """Correct the document where it stands. Raises Unreachable."""
        if act == CORRECT_DOCUMENT:
            await at_counter.correct_in_core(self._world, core_ref, expires_on, issued_on)

    async def perform(self, order: Order) -> Effect | str:
        """Do it in the order's transaction. A string: the objection, with nothing written."""
        if order.customer is None:
            return await self._for_somebody_new(order)
        at = AtCounter(
            world=self._world,
            tx=order.tx,
            now=order.now,
            customer=order.customer,
            actor=order.actor,
            proposal_id=order.proposal_id,
            source=order.source,
            language=order.language,
        )
        match order.act:
            case "replace-phone" if order.phone is not None:
                return _effect(await at_counter.replace_phone(at, order.phone))
            case "unfreeze":
                await at_counter.unfreeze(at)
            case "correct-document":
                await at_counter.correct_document(at, order.expires_on)
            case "end-sessions":
                return Effect(ended_sessions=await at_counter.end_sessions(at))
            case _:
                raise LookupError(f"nobody performs {order.act}")
        return Effect()

    async def _for_somebody_new(self, order: Order) -> Effect:
        if order.act != CORRECT_DOCUMENT:
            raise LookupError(f"{order.act} needs a customer")
        await at_counter.note_corrected(
            order.tx, order.now, order.subject_id, order.expires_on, actor=order.actor, source=order.source,
            proposal_id=order.proposal_id,
        )  # fmt: skip
        return Effect()


def _effect(done: at_counter.Replaced | Refused) -> Effect | str:
    if isinstance(done, Refused):
        return done.cause
    return Effect(permit=done.permit, permit_expires_at=done.permit_expires_at)
