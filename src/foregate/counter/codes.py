"""The code that proves a new number at the counter: sent to the phone in the customer's hand, read out to the teller.

Rules
  1. A code belongs to one proposal, takes its place where a journey's id would stand, and lives `CODE_TTL_SECONDS`.
  2. `CODE_TRIES` in all for one proposal; another code brings no new ones, and only the newest counts.
  3. Guesses are also counted per number, with those of the front door: after `CODE_STREAK` wrong in a row the number
     gets long codes.
  4. What may be sent is counted under a key of the counter's own: a stranger who used up the number's messages has
     used up none of these.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest

from foregate.ids import new_id
from foregate.ports import CodeRow, Event, Message, UnitOfWork
from foregate.rules import limits
from foregate.situation import Refused, World
from foregate.symbols import code_of

PURPOSE = "replace-phone-at-counter"


class CounterCodes:
    """Sends and checks codes for proposals. Both run in the caller's transaction, which has to be committed."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def send(
        self,
        tx: UnitOfWork,
        now: int,
        *,
        proposal_id: str,
        customer_id: str,
        phone: str,
        language: str,
        actor: str,
        source: str,
    ) -> Refused | None:
        """Send a code to `phone` (E.164). None: it is on its way.

        Refused: `code-used-up` (this proposal has no tries left), `codes-spent` or `code-too-soon`. The live code
        stays valid then. Sending to another number than before voids what was sent to the first.
        """
        known = await tx.codes.find(proposal_id)
        if known is not None and (known.is_used or known.tries >= limits.CODE_TRIES):
            return Refused(cause="code-used-up")
        if known is not None and known.sends >= limits.SENDS_PER_JOURNEY:
            return Refused(cause="codes-spent")
        number = self._world.keyring.digest("phone", phone)
        reserve = await tx.codes.spend_send(self._world.keyring.digest("reserve", f"counter:{phone}"), now)
        if not reserve.is_allowed:
            cause = "codes-spent" if reserve.is_spent else "code-too-soon"
            return Refused(cause=cause, retry_in_seconds=reserve.wait_seconds)
        streak = (await tx.codes.look_at_sends(number, now)).streak
        code = await tx.codes.issue(
            CodeRow(
                journey_id=proposal_id,
                purpose=PURPOSE,
                phone_digest=number,
                nonce=secrets.token_bytes(16),
                is_long=streak >= limits.CODE_STREAK,
                tries=known.tries if known else 0,
                sends=1,
                sent_at=now,
                expires_at=now + limits.CODE_TTL_SECONDS,
                is_used=False,
            )
        )
        message = Message(
            message_id=new_id(),
            customer_id=customer_id,
            phone=phone,
            template="sms.code",
            language=language,
            facts={"purpose": PURPOSE, "long": "yes" if code.is_long else "no"},
            nonce=code.nonce,
            expires_at=code.expires_at,
        )
        await tx.outbox.put(message, now)
        details: dict[str, str | int] = {"purpose": PURPOSE, "proposal": proposal_id, "sends": code.sends}
        await tx.audit.record(
            Event(chain=customer_id, kind="code-sent", actor=actor, source=source, details=details), now
        )
        return None

    async def check(self, tx: UnitOfWork, now: int, *, proposal_id: str, phone: str, code: str) -> Refused | None:
        """Spend one try on the proposal's code. None: right, in time, sent to `phone`, and used up by this call.

        `code` in normal form (`rules.inputs.normal_code`). Refused: `code-wrong` (with the tries left),
        `code-expired` or `code-used-up`. Commit after a refusal too, or the try is not counted.
        """
        charged = await tx.codes.charge(proposal_id, limits.CODE_TRIES)
        if charged is None or charged.purpose != PURPOSE:
            return Refused(cause="code-used-up")
        is_late = charged.expires_at <= now
        if not charged.is_long and not is_late:
            is_late = not await tx.codes.charge_streak(charged.phone_digest, limits.CODE_STREAK, now)
        if is_late or charged.phone_digest != self._world.keyring.digest("phone", phone):
            return Refused(cause="code-expired")
        if not compare_digest(code_of(self._world.keyring, charged.nonce, charged.is_long).encode(), code.encode()):
            left = limits.CODE_TRIES - charged.tries
            return Refused(cause="code-wrong", tries_left=left) if left > 0 else Refused(cause="code-used-up")
        if not await tx.codes.consume(proposal_id):
            return Refused(cause="code-used-up")
        await tx.codes.clear_streak(charged.phone_digest)
        return None
