"""Proof `password` (know): never alone, and only after possession.

Compared as argon2id over a keyed digest, outside the transaction and in a bounded pool. A customer that does not
exist, or has no password, costs the same hash (ASVS 5.0, 6.3.8; NIST SP 800-63B-4, 3.1.1).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from foregate.ports import CounterRow
from foregate.proofs import Proved, guessed
from foregate.rules import inputs
from foregate.rules.words import PASSWORD, PHONE_CODE
from foregate.situation import Refused, Situation, World

PROOF = PASSWORD
CAUSES = ("password-wrong", *guessed.CAUSES)
QUICK = False
offer = guessed.offer


class Answer(inputs.Answer, frozen=True):
    """The password."""

    password: inputs.Password


ANSWER = Answer


class Ticket(msgspec.Struct, frozen=True):
    """A charged try, and what to compare with."""

    charged: CounterRow
    password_hash: str | None
    customer_id: str


async def facts(at: Situation) -> Mapping[str, str | int]:
    """Say whether the phone is confirmed: not where a remembered device was enough, or a code counts for nothing."""
    return {"phone_confirmed": int(any(given.proof == PHONE_CODE.name for given in at.evidence))}


async def charge(answer: Answer, at: Situation) -> Ticket | Refused:
    """Count the try, and fetch the hash with it. Blocked is said before anything is hashed."""
    charged = await guessed.charge(PROOF, at, at.tx.counters.charge_and_look)
    return charged if isinstance(charged, Refused) else Ticket(*charged, at.subject.customer_id)


async def compare(answer: Answer, ticket: Ticket, world: World) -> bool:
    """Hash and compare."""
    is_right = await world.hasher.verify(ticket.password_hash, answer.password)
    if is_right and ticket.password_hash is not None and world.hasher.needs_rehash(ticket.password_hash):
        # Written with yesterday's parameters: only now is the password at hand to do better.
        better = await world.hasher.hash(answer.password)
        async with world.store.begin() as tx:
            await tx.customers.set_password(ticket.customer_id, better)
    return is_right


async def refund(ticket: Ticket, at: Situation) -> None:
    """Give the try back."""
    await guessed.refund(ticket.charged, at)


async def settle(is_right: bool, ticket: Ticket, at: Situation) -> Proved | Refused:
    """Forgive, or say how many tries are left."""
    return await guessed.settle(PROOF, is_right, ticket.charged, at, wrong="password-wrong")
