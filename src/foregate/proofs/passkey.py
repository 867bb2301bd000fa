"""Proof `passkey` (have, and know or are): a key that a phone or security key uses once its owner unlocked it.

Rules
  1. The challenge is ours: kept on the server for one journey, so for one browser, used once, for CHALLENGE_SECONDS.
  2. Whatever does not fit refuses, and in the same words: origin, site, type, challenge, algorithm, signature,
     presence, verification, whose key it says it is, and of which kind.
  3. A key that counts its uses and counts back was copied: refused, with an alarm and a message to its owner. Only a
     key whose signature is right is judged by its count, so nobody else raises that alarm.
  4. Before possession nobody is shown a list of credentials: every passkey names its owner by itself.
  5. It is asked for in the words of nobody's guess, so nothing is charged and no stranger can use a counter up.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import UUID

from foregate.acts import tell
from foregate.counter.guard import raise_alarm
from foregate.passkey_options import credential_id_of, to_sign_in
from foregate.ports import Customer, Event, Keyring, PasskeyChallenge, PasskeyRow
from foregate.proofs import Proved, guessed
from foregate.rules import engine, inputs, limits
from foregate.rules.words import PASSKEY
from foregate.situation import Refused, Situation, Subject, World

if TYPE_CHECKING:
    from foregate.passkey_wire import Used

PROOF = PASSKEY
CAUSES = ("not-recognised",)
QUICK = False
COPIED = "passkey-copied"
WIRE = "foregate.passkey_wire"
refund = guessed.nothing_to_refund


class Answer(inputs.Answer, frozen=True):
    """What the authenticator said, as the browser's JSON."""

    credential: inputs.Credential


ANSWER = Answer


@dataclass(slots=True)
class Ticket:
    """The challenge that was used up, the key that is said to have signed it, and, once compared, what it said."""

    challenge: bytes | None
    row: PasskeyRow | None
    used: Used | None = None


def digest_of(keyring: Keyring, credential_id: bytes) -> bytes:
    """Return what a credential is found by."""
    return keyring.digest("passkey", credential_id.hex())


def handle_of(customer_id: str) -> bytes:
    """Return what a passkey knows its owner by."""
    return UUID(customer_id).bytes


async def draw(at: Situation) -> bytes:
    """Draw the challenge that this journey waits for; an earlier one is worth nothing any more."""
    challenge = secrets.token_bytes(32)
    until = at.now + limits.CHALLENGE_SECONDS
    await at.tx.passkeys.put_challenge(
        PasskeyChallenge(journey_id=at.journey_id, challenge=challenge, expires_at=until)
    )
    return challenge


async def offer(at: Situation) -> Refused | None:
    """Draw a challenge."""
    await draw(at)
    return None


async def facts(at: Situation) -> Mapping[str, str | int]:
    """Return what to ask the authenticator, while there is a challenge for it to sign.

    Which credentials a customer has is listed only after possession; before, the question is the same for everybody.
    """
    challenge = await at.tx.passkeys.live_challenge(at.journey_id, at.now)
    if challenge is None:
        return {}
    proved = frozenset(evidence.proof for evidence in at.evidence)
    known = await at.tx.passkeys.of(at.subject.customer_id) if engine.has_possession(at.row, proved) else ()
    return {"options": to_sign_in(at.world.site, challenge, [row.credential_id for row in known])}


async def ready() -> None:
    """Load what reads signatures, before a transaction waits for it."""
    if WIRE not in sys.modules:
        await asyncio.to_thread(import_module, WIRE)


async def charge(answer: Answer, at: Situation) -> Ticket | Refused:
    """Use the challenge up; the key has to be one of the customer that this journey is about."""
    ticket = await take(answer.credential, at)
    if ticket.row is not None and ticket.row.customer_id != at.subject.customer_id:
        ticket.row = None
    return ticket


async def take(credential: str, at: Situation) -> Ticket:
    """Use the challenge up, and look for the key, whoever's it is."""
    challenge = await at.tx.passkeys.take_challenge(at.journey_id, at.now)
    credential_id = credential_id_of(credential) or b""
    return Ticket(challenge, await at.tx.passkeys.find(digest_of(at.world.keyring, credential_id)))


async def compare(answer: Answer, ticket: Ticket, world: World) -> bool:
    """Check what was signed, by which key, for whom."""
    await ready()
    from foregate import passkey_wire

    said, row = passkey_wire.parsed(answer.credential), ticket.row
    if said is None or row is None or ticket.challenge is None:
        return False
    ticket.used = passkey_wire.used(world.site, said, ticket.challenge, handle_of(row.customer_id), row.public_key)
    # A key is of one kind for life: one that says otherwise is another key.
    return ticket.used is not None and ticket.used.is_synced_kind == row.is_synced_kind


async def settle(is_right: bool, ticket: Ticket, at: Situation) -> Proved | Refused:
    """Count the use. Of two at the same count one is taken; refused, the page gets a new challenge at once."""
    row, used = ticket.row, ticket.used
    if not is_right or row is None or used is None:
        return await _refused(at)
    from foregate.passkey_wire import has_counted_on

    if not has_counted_on(row.sign_count, used.sign_count):
        await _tell_copied(row, at)
        return await _refused(at)
    if not await at.tx.passkeys.use(row, sign_count=used.sign_count, is_backed_up=used.is_backed_up, now=at.now):
        return await _refused(at)
    if used.is_backed_up != row.is_backed_up:
        details: dict[str, str | int] = {"passkey": row.passkey_id, "synced": int(used.is_backed_up)}
        event = Event(chain=row.customer_id, kind="passkey-backup-changed", source=at.source, details=details)
        await at.tx.audit.record(event, at.now)
    return Proved(cools_until=row.created_at + limits.COOLING_SECONDS)


async def _refused(at: Situation) -> Refused:
    await draw(at)
    return Refused(cause="not-recognised")


async def _tell_copied(row: PasskeyRow, at: Situation) -> None:
    """Its owner hears of it, and so does the risk officer: two devices hold a key that was made for one."""
    customer = await at.tx.customers.find(row.customer_id)
    if customer is None:
        return
    await raise_alarm(at.tx, at.now, COPIED, actor="visitor", source=at.source, subject=row.customer_id)
    await tell(replace(at, subject=_subject(customer)), "sms.passkey-copied", customer.phone)


def _subject(customer: Customer) -> Subject:
    return Subject(
        customer_id=customer.customer_id,
        known=True,
        phone=customer.phone,
        phone_key=customer.phone,
        claim_key=customer.phone,
    )
