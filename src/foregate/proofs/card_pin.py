"""Proof `card_pin` (know): the PIN of the card, as the core bank knows it. Foregate never keeps it.

The card named in the journey decides; where none was named, the customer's oldest. The counter is Foregate's own:
a stranger cannot use it to block the card itself at a till.
"""

from __future__ import annotations

import msgspec

from foregate.ports import CounterRow
from foregate.proofs import Proved, guessed
from foregate.rules import inputs
from foregate.rules.words import CARD_PIN
from foregate.situation import Refused, Situation, World

PROOF = CARD_PIN
CAUSES = ("card-pin-wrong", *guessed.CAUSES)
QUICK = False
offer, facts = guessed.offer, guessed.facts


class Answer(inputs.Answer, frozen=True):
    """Six digits."""

    card_pin: inputs.Pin


ANSWER = Answer


class Ticket(msgspec.Struct, frozen=True):
    """A charged try, and the card whose PIN is asked."""

    charged: CounterRow
    card_number: str | None
    core_ref: str | None


async def charge(answer: Answer, at: Situation) -> Ticket | Refused:
    """Count the try."""
    charged = await guessed.charge(PROOF, at, at.tx.counters.charge)
    if isinstance(charged, Refused):
        return charged
    return Ticket(charged, at.subject.card_number, at.subject.core_ref)


async def compare(answer: Answer, ticket: Ticket, world: World) -> bool:
    """Ask the core bank."""
    card = ticket.card_number
    if card is None and ticket.core_ref is not None:
        cards = await world.core.cards_of(ticket.core_ref)
        card = cards[0].card_number if cards else None
    return await world.core.is_pin(card, answer.card_pin)


async def refund(ticket: Ticket, at: Situation) -> None:
    """Give the try back."""
    await guessed.refund(ticket.charged, at)


async def settle(is_right: bool, ticket: Ticket, at: Situation) -> Proved | Refused:
    """Forgive, or say how many tries are left."""
    return await guessed.settle(PROOF, is_right, ticket.charged, at, wrong="card-pin-wrong")
