"""Proof `permit` (vouched): the slip that two tellers handed out, with thirteen symbols to type.

65 bits: nobody guesses it, so nothing is charged, and so no stranger can use a counter up. It is asked for after the
phone's code, so only the customer's own phone ever sees the question. One journey at a time has it in hand; it dies
when a password is set, so it sets one. Whoever is interrupted half-way uses it again when that journey is over.
"""

from __future__ import annotations

import msgspec

from foregate.proofs import Proved, guessed
from foregate.rules import inputs, limits
from foregate.rules.words import PERMIT
from foregate.situation import Refused, Situation, World

PROOF = PERMIT
CAUSES = ("permit-wrong", "permit-over")
QUICK = True
offer, facts, refund = guessed.offer, guessed.facts, guessed.nothing_to_refund


class Answer(inputs.Answer, frozen=True):
    """The symbols as printed, in groups or not."""

    permit: inputs.Permit


ANSWER = Answer


class Ticket(msgspec.Struct, frozen=True):
    """What was typed, as it is kept, and whether this customer was given that permit."""

    digest: bytes
    is_theirs: bool


async def charge(answer: Answer, at: Situation) -> Ticket | Refused:
    """Nothing to charge; look it up among the permits of this customer alone."""
    digest = at.world.keyring.digest("permit", answer.permit)
    return Ticket(digest, await at.tx.permits.find(at.subject.customer_id, digest) is not None)


async def compare(answer: Answer, ticket: Ticket, world: World) -> bool:
    """Say whether it was given to this customer. Whether it is still good only `settle` knows."""
    return ticket.is_theirs


async def settle(is_right: bool, ticket: Ticket, at: Situation) -> Proved | Refused:
    """Take it in hand for as long as a journey lasts; of two journeys that ask for it one gets it."""
    if not is_right:
        return Refused(cause="permit-wrong")
    until = at.now + limits.JOURNEY_SECONDS
    if not await at.tx.permits.lend(at.subject.customer_id, ticket.digest, at.now, until):
        return Refused(cause="permit-over")
    return Proved()
