"""Sends what was committed to the outbox; each message ends exactly once.

Rules
  1. waiting -> sent | failed | expired | suppressed. A message that ended never changes again.
  2. A claim is a lease: it counts a try and hides the message for LEASE_SECONDS. A dispatcher that dies gives its
     messages back that way. So a message may be sent twice (an SMS centre cannot do better), but never lost.
  3. Only the try that was claimed may end the message: a worker that was thought dead cannot undo another's word.
  4. A decoy's message is claimed and ended like any other; it is only not handed over.
  5. What was personal in a message is erased when it ends.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import bindparam, null, select, update

from foregate.ports import Message, Rejected
from foregate.rules import limits
from foregate.store.loops import Loop
from foregate.store.messages import message_of
from foregate.store.statements import Row, Statement, Value, number, text_of, time_of, word
from foregate.store.tables import outbox
from foregate.store.unit_of_work import SqlStore

Deliver = Callable[[Message], Awaitable[None]]

POLL_SECONDS: Final = 1.0
DELIVER_SECONDS: Final = 10
STOP_SECONDS: Final = 3  # for what is on its way when the process stops; the message is tried again elsewhere
LEASE_SECONDS: Final = 30
BACKOFF_SECONDS: Final = 2
# Requests commit one by one; waiting this long lets one claim take what many of them wrote.
GATHER_SECONDS: Final = 0.01

_log: Final = logging.getLogger("foregate.store")

_o, _now = outbox.c, time_of("now")
_CLAIM: Final = Statement(
    update(outbox)
    .where(
        _o.message_id.in_(
            select(_o.message_id)
            .where(_o.status == word("waiting"), _o.next_at <= _now)
            .order_by(_o.next_at)
            .limit(number(limits.OUTBOX_BATCH))
            .with_for_update(skip_locked=True)
        )
    )
    .values(tries=_o.tries + number(1), next_at=_now + number(LEASE_SECONDS))
    .returning(outbox)
)
_this_try: Final = (
    _o.message_id == text_of("of_message"),
    _o.status == word("waiting"),
    _o.tries == time_of("of_try"),
)
_END: Final = Statement(
    update(outbox)
    .where(*_this_try)
    .values(status=bindparam("status"), ended_at=_now, phone_sealed=null(), facts_sealed=null(), nonce=null())
)
_AGAIN: Final = Statement(update(outbox).where(*_this_try).values(next_at=time_of("later")))


class Dispatcher(Loop):
    """Hands committed messages to `deliver`, which raises when a message was not taken; tells `note` how many were."""

    def __init__(
        self,
        store: SqlStore,
        deliver: Deliver,
        poll_seconds: float = POLL_SECONDS,
        note: Callable[[int], None] = lambda sent: None,
    ) -> None:
        super().__init__(poll_seconds)
        self._store, self._deliver, self._note = store, deliver, note
        self._waits: set[asyncio.Timeout] = set()
        store.tell(self)

    async def once(self) -> None:
        """Send until nothing is due."""
        await asyncio.sleep(GATHER_SECONDS)
        while await self.dispatch() == limits.OUTBOX_BATCH and not self.is_stopping:
            pass

    async def stop(self) -> None:
        """Let the round under way finish. A gateway that hangs just then is waited for STOP_SECONDS, and no longer."""
        until = asyncio.get_running_loop().time() + STOP_SECONDS
        for wait in self._waits:
            if not wait.expired():  # else it is over, and only cleans up
                wait.reschedule(min(until, wait.when() or until))
        await super().stop()

    async def dispatch(self) -> int:
        """Claim one batch and end each message or put it off. Returns how many were claimed."""
        now = self._store.clock.now()
        async with self._store.database.transaction(is_single=True) as connection:
            claimed = await connection.all(_CLAIM, now=now)
        if not claimed:
            return 0
        outcomes = await asyncio.gather(*(self._outcome(row, now) for row in claimed))
        ended = [outcome for outcome in outcomes if "status" in outcome]
        self._note(sum(outcome["status"] == "sent" for outcome in ended))
        again = [outcome for outcome in outcomes if "later" in outcome]
        for statement, rows in ((_END, ended), (_AGAIN, again)):
            if rows:
                async with self._store.database.transaction(is_single=True) as connection:
                    await connection.run_many(statement, rows)
        return len(claimed)

    async def _outcome(self, row: Row, now: int) -> dict[str, Value]:
        this: dict[str, Value] = {"of_message": row["message_id"], "of_try": row["tries"]}
        status = await self._send(row, now)
        if status is not None:
            return {**this, "status": status, "now": self._store.clock.now()}
        return {**this, "later": now + _backoff_seconds(row["tries"])}

    async def _send(self, row: Row, now: int) -> str | None:
        """Return how the message ended, or None when it has to be tried again."""
        if row["expires_at"] and row["expires_at"] <= now:
            return "expired"
        if row["phone_sealed"] is None:
            return "suppressed"
        if row["tries"] > limits.OUTBOX_TRIES:
            return "failed"  # each try ended with the dispatcher's death
        try:
            await self._hand_over(message_of(row, self._store.keys))
        except Rejected as why:
            _log.warning("message %s is given up: %s", row["message_id"], why)
            return "failed"
        except Exception as error:
            # Whatever went wrong with one message must not hold up the others.
            _log.warning("message %s, try %d: %s", row["message_id"], row["tries"], type(error).__name__)
            return "failed" if row["tries"] >= limits.OUTBOX_TRIES else None
        return "sent"

    async def _hand_over(self, message: Message) -> None:
        async with asyncio.timeout(DELIVER_SECONDS) as wait:
            self._waits.add(wait)
            try:
                await self._deliver(message)
            finally:
                self._waits.discard(wait)


def _backoff_seconds(tries: int) -> int:
    """2, 4, 8, 16 seconds, and as much again by chance, lest a thousand messages come back at once."""
    base = BACKOFF_SECONDS << (tries - 1)
    return base + random.randrange(base)  # noqa: S311  # no secret
