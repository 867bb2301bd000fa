"""Proof `phone_code` (have): digits sent to a number the customer holds, or a text sent from it.

Rules
  1. A code is never stored, not even hashed: it is derived from a random nonce and a key outside the database.
  2. One code is live per journey, the newest. Another one brings no new tries.
  3. Guesses at short codes are also counted per number, over all journeys. After `CODE_STREAK` wrong in a row the
     number gets long codes, 65 bits, which need no counter. So nobody can be guessed, and nobody locked out.
  4. Whose messages were used up by a stranger can still prove the number by texting us: that costs the bank
     nothing and no stranger can spend it.
  5. Who asks for codes and never answers them is after the bank's money, or its customers' peace. So of each range of
     numbers, and of the day's messages, strangers get only so many. A remembered device, and whoever was let in, is no
     stranger; nor does it matter whether the number is anybody's.

Sources: NIST SP 800-63B-4, 3.1.3.2 and 3.2.2; ASVS 5.0, 2.4.1, 6.5 and 6.6.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hmac import compare_digest

import msgspec
from prometheus_client import Counter as Metric

from foregate.counter.guard import raise_alarm
from foregate.ids import new_id
from foregate.ports import CodeRow, Event, Keyring, Message, SendVerdict
from foregate.proofs import Proved
from foregate.rules import inputs, limits
from foregate.rules.words import PHONE_CODE
from foregate.situation import Refused, Situation, World
from foregate.symbols import code_of

PROOF = PHONE_CODE
CAUSES = (
    "code-wrong", "code-expired", "code-used-up", "code-too-soon", "codes-spent", "codes-held-back", "text-not-arrived",
)  # fmt: skip
QUICK = True


class Answer(inputs.Answer, frozen=True):
    """The code as typed or filled in by the phone."""

    code: inputs.Code


ANSWER = Answer
CODES = Metric("foregate_codes_total", "Codes asked for, answered, and not sent for a limit of many", ("what",))
ASKED, ANSWERED, HELD_BACK = (CODES.labels(what) for what in ("asked", "answered", "held-back"))


class Ticket(msgspec.Struct, frozen=True):
    """A charged try at this code. `is_decoy`: nothing can be right."""

    code: CodeRow
    is_decoy: bool
    is_late: bool


def token_of(keyring: Keyring, nonce: bytes) -> str:
    """Return the digits to send us by text instead."""
    number = int.from_bytes(keyring.derive("text-us", nonce))
    return f"{number % 10**limits.TEXT_DIGITS:0{int(limits.TEXT_DIGITS)}d}"


def phone_digest(keyring: Keyring, phone_key: str) -> bytes:
    """Return what a number, or a decoy's stand-in, is counted by."""
    return keyring.digest("phone", phone_key)


async def offer(at: Situation) -> Refused | None:
    """Send a code if the limits allow it. The live code, if any, stays valid when they do not."""
    known = None if at.is_fresh else await at.tx.codes.find(at.journey_id)
    if known is not None and known.tries >= limits.CODE_TRIES:
        return Refused(cause="code-used-up")
    if known is not None and known.sends >= limits.SENDS_PER_JOURNEY:
        return Refused(cause="codes-spent")
    if _is_stranger(at) and at.world.messages.is_for_holders_only:
        number = phone_digest(at.world.keyring, at.subject.phone_key)
        streak = (await at.tx.codes.look_at_sends(number, at.now)).streak
        return await _kept(at, known, streak, Refused(cause="codes-held-back"))
    mine = await at.tx.codes.spend_send(_own_key(at), at.now)
    theirs, held_back = await _spend_theirs(at, is_counted=mine.is_allowed)
    if not mine.is_allowed:
        cause = "codes-spent" if mine.is_spent else "code-too-soon"
        return await _kept(at, known, theirs.streak, Refused(cause=cause, retry_in_seconds=mine.wait_seconds))
    is_typed = at.subject.claim_key == at.subject.phone_key
    if held_back is not None and is_typed:
        await at.tx.codes.give_back_send(_own_key(at))  # or the next answer would be that a code was just sent
        return await _kept(at, known, theirs.streak, held_back)
    is_delivered = at.device_id is not None or (theirs.is_allowed and held_back is None)
    await _issue(at, known, theirs.streak, is_sent=True, is_delivered=is_delivered)
    return None


async def _spend_theirs(at: Situation, *, is_counted: bool) -> tuple[SendVerdict, Refused | None]:
    """Charge a message to the number and its range; say how the number stands, and whether the range is closed.

    The visitor hears of the limit on what they typed. That on the number is silent, and so is that on its range unless
    the number itself was typed, or a card's limit that shows on somebody's phone number would tell whose number it is.
    A remembered device is counted by itself alone: a stranger who used up every limit has used up nothing of its own
    (LCK-04).
    """
    number = phone_digest(at.world.keyring, at.subject.phone_key)
    if not is_counted or at.device_id is not None:
        return await at.tx.codes.look_at_sends(number, at.now), None
    if not _is_stranger(at):
        return await at.tx.codes.spend_send(number, at.now), None
    theirs, ours = await at.tx.codes.spend_sends(number, _range_key(at), at.now)
    if ours.is_last:
        await raise_alarm(at.tx, at.now, "codes-unanswered", actor="foregate", source=at.source)
    if ours.is_allowed:
        return theirs, None
    if theirs.is_allowed:
        await at.tx.codes.give_back_send(number)  # nothing goes out to it: what it has left is left to it
    return theirs, Refused(cause="codes-held-back", retry_in_seconds=ours.wait_seconds)


def _is_stranger(at: Situation) -> bool:
    """Say whether the visitor holds nothing yet: no remembered device, no session, no proof given before.

    What somebody proved to be let in may be too old for what they do now; they were let in all the same.
    """
    return at.device_id is None and at.session_id is None and not at.evidence


def _range_key(at: Situation) -> bytes:
    """Return what the numbers beside this one are counted by; a decoy's stand-in has none beside it."""
    key = at.subject.phone_key
    return at.world.keyring.digest("range", key[: -limits.RANGE_DIGITS] if key.startswith("+") else key)


def _own_key(at: Situation) -> bytes:
    """Return what the visitor's own send limit is counted by: what they typed, or the remembered device they hold."""
    if at.device_id is not None:
        return at.world.keyring.digest("reserve", f"device:{at.subject.customer_id}:{at.device_id}")
    return at.world.keyring.digest("claim", at.subject.claim_key)


async def _kept(at: Situation, known: CodeRow | None, streak: int, refused: Refused) -> Refused:
    """No message goes out. The first time there is a code all the same, for the text that would do too."""
    if refused.cause == "codes-held-back":
        HELD_BACK.inc()
    if known is None:
        await _issue(at, known, streak, is_sent=False, is_delivered=False)
    return refused


async def _issue(at: Situation, known: CodeRow | None, streak: int, *, is_sent: bool, is_delivered: bool) -> None:
    code = CodeRow(
        journey_id=at.journey_id,
        purpose=at.row.name,
        phone_digest=phone_digest(at.world.keyring, at.subject.phone_key),
        nonce=secrets.token_bytes(16),
        is_long=streak >= limits.CODE_STREAK,
        tries=known.tries if known else 0,
        sends=(known.sends if known else 0) + is_sent,
        sent_at=at.now if is_sent else 0,
        expires_at=at.now + limits.CODE_TTL_SECONDS if is_sent else 0,
        is_used=False,
    )
    await at.tx.codes.issue(code)
    if not is_sent:
        return
    ASKED.inc()
    await at.tx.outbox.put(
        Message(
            message_id=new_id(),
            customer_id=at.subject.customer_id,
            phone=at.subject.phone if is_delivered else None,
            template="sms.code",
            language=at.language,
            facts={"purpose": at.row.name, "long": "yes" if code.is_long else "no"},
            nonce=code.nonce,
            expires_at=code.expires_at,
        ),
        at.now,
    )
    await at.tx.audit.record(
        Event(chain=at.chain, kind="code-sent", journey_id=at.journey_id, source=at.source,
              details={"purpose": at.row.name, "sends": code.sends}),
        at.now,
    )  # fmt: skip


async def facts(at: Situation) -> Mapping[str, str | int]:
    """Return the seconds until the code dies and until another may be asked for, and the text that would do too."""
    code = await at.tx.codes.find(at.journey_id)
    if code is None:
        return {}
    resend_in_seconds = max(0, code.sent_at + limits.RESEND_SECONDS - at.now)
    if code.sends == 0:  # none went out for this journey yet: another one used the minute up
        resend_in_seconds = (await at.tx.codes.look_at_sends(_own_key(at), at.now)).wait_seconds
    shown: dict[str, str | int] = {
        "code_expires_in_seconds": max(0, code.expires_at - at.now),
        "resend_in_seconds": resend_in_seconds,
        "sends": code.sends,
        "sends_left": max(0, limits.SENDS_PER_JOURNEY - code.sends),
        "code_length": int(limits.LONG_CODE_SYMBOLS if code.is_long else limits.CODE_DIGITS),
        "text_us": token_of(at.world.keyring, code.nonce),
    }
    if at.subject.masked_phone:
        shown["phone"] = at.subject.masked_phone
    return shown


async def charge(answer: Answer, at: Situation) -> Ticket | Refused:
    """Spend one of the journey's tries, and for a short code one of the number's streak."""
    code = await at.tx.codes.charge(at.journey_id, limits.CODE_TRIES)
    if code is None:
        return Refused(cause="code-used-up")
    is_late = code.expires_at <= at.now
    if not code.is_long and not is_late:
        is_counted = await at.tx.codes.charge_streak(code.phone_digest, limits.CODE_STREAK, at.now)
        is_late = not is_counted  # outgrown: only a long code is taken for this number now
    return Ticket(code, is_decoy=at.subject.phone is None, is_late=is_late)


async def compare(answer: Answer, ticket: Ticket, world: World) -> bool:
    """Say whether `answer` is the live code. A decoy's never is."""
    right = code_of(world.keyring, ticket.code.nonce, ticket.code.is_long)
    is_equal = compare_digest(right.encode(), answer.code.encode())
    return is_equal and not ticket.is_decoy


async def refund(ticket: Ticket, at: Situation) -> None:
    """Nothing to give back: comparing takes no help from outside."""


async def settle(is_right: bool, ticket: Ticket, at: Situation) -> Proved | Refused:
    """Use the code up when it was right and in time; two right answers may race here, one of them wins."""
    if ticket.is_late:
        return Refused(cause="code-expired")
    if not is_right:
        left = limits.CODE_TRIES - ticket.code.tries
        return Refused(cause="code-wrong" if left > 0 else "code-used-up")
    if not await at.tx.codes.consume(at.journey_id):
        return Refused(cause="code-used-up")
    await at.tx.codes.clear_streak(ticket.code.phone_digest)
    await _answered(at)
    return Proved()


async def _answered(at: Situation) -> None:
    ANSWERED.inc()
    if _is_stranger(at):
        await at.tx.codes.answered(_range_key(at))


async def texted(at: Situation) -> Proved | Refused:
    """Say whether the text that the page showed has arrived from the customer's number."""
    code = await at.tx.codes.find(at.journey_id)
    if code is None or code.is_used:
        return Refused(cause="code-used-up")
    keyring = at.world.keyring
    token = keyring.digest("text-us", token_of(keyring, code.nonce))
    has_arrived = await at.tx.codes.take_inbound(code.phone_digest, token, at.now)
    if not has_arrived or at.subject.phone is None:
        return Refused(cause="text-not-arrived")
    if not await at.tx.codes.consume(at.journey_id):
        return Refused(cause="code-used-up")
    if code.sends:  # what was held back was not counted either
        await _answered(at)
    return Proved()
