"""Sessions read lately, kept in memory for as long as the database proves that it would tell us of an end.

Rules
  1. A session that ended anywhere is refused everywhere at once: the database itself sends a notice for every row of
     `session` that is deleted or changed (a trigger of the migration), whoever did it.
  2. Silence is not trusted. We send ourselves a notice every BEAT_SECONDS. Notices arrive in the order of their
     commits, so one that comes back proves that every earlier one has come too. A proof is good for TRUST_SECONDS
     from the moment its beat was sent; without one, every session is read from the database.
  3. A kept session is used for SESSION_TOUCH_SECONDS after it was last seen, no longer: then it has to be read to be
     touched anyway, and another node's touch is noticed.

Only PostgreSQL sends notices. Embedded, reading a session costs less than keeping one.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from foregate.ports import Busy, SessionRow
from foregate.rules import limits
from foregate.store.loops import Loop

CHANNEL: Final = "foregate_session"
EVERYBODY: Final = "*"
BEAT_SECONDS: Final = 0.3
TRUST_SECONDS: Final = 0.9  # with the notice's own way, an end is seen within a second at the worst
_BEAT: Final = "beat:"


class Notices(Protocol):
    """A connection on which the database speaks up by itself."""

    async def send(self, payload: str) -> None:
        """Have `payload` sent to everybody who listens, this connection too. Raises Busy when it is lost."""


class Announcer(Protocol):
    """A database that sends notices."""

    def listening(self, channel: str, hear: Callable[[str], None]) -> AbstractAsyncContextManager[Notices]:
        """Call `hear` with each payload on `channel`, in the order of their commits. Raises Busy."""


class SessionCache(Loop):
    """The sessions of one node. The loop keeps it trustworthy; while it does not run, nothing is kept."""

    def __init__(self, announcer: Announcer) -> None:
        super().__init__(BEAT_SECONDS)
        self._announcer = announcer
        self._kept: dict[str, dict[str, SessionRow]] = {}
        self._count = 0
        self._trusted_until = 0.0
        self._beat, self._beat_at = "", 0.0
        self.changes = 0  # how many notices came; a row that was read across one is not kept

    def get(self, customer_id: str, session_id: str, now: int) -> SessionRow | None:
        """Return a session that has certainly not ended, or None: ask the database."""
        of_customer = self._kept.get(customer_id)
        row = of_customer.get(session_id) if of_customer else None
        if row is None or row.seen_at + limits.SESSION_TOUCH_SECONDS <= now or not self.is_trusted:
            return None
        return row

    def keep(self, row: SessionRow, changes: int) -> None:
        """Keep a session read from the database, unless something changed since `changes` was looked at."""
        if changes != self.changes or not self.is_trusted:
            return
        if self._count >= limits.SESSIONS_KEPT:
            self._forget_all()
        of_customer = self._kept.setdefault(row.customer_id, {})
        self._count += row.session_id not in of_customer
        of_customer[row.session_id] = row

    def forget(self, customer_id: str) -> None:
        """Something about this customer's sessions changed."""
        self.changes += 1
        self._count -= len(self._kept.pop(customer_id, ()))

    @property
    def is_trusted(self) -> bool:
        """Whether an end that was committed TRUST_SECONDS ago would have been heard of."""
        return time.monotonic() < self._trusted_until

    async def once(self) -> None:
        """Listen and beat until stopped. Raises Busy when the connection is lost or notices stay away."""
        try:
            async with self._announcer.listening(CHANNEL, self._hear) as notices:
                while not self.is_stopping:
                    await self._send_beat(notices)
                    await self._pause()
        finally:
            self._trusted_until = 0.0
            self._forget_all()

    async def _send_beat(self, notices: Notices) -> None:
        # Only the newest counts: one that comes back late proves less than the next.
        self._beat, self._beat_at = _BEAT + secrets.token_hex(8), time.monotonic()
        try:
            async with asyncio.timeout(TRUST_SECONDS):
                await notices.send(self._beat)
        except TimeoutError:
            raise Busy("the database answers no beat") from None

    def _hear(self, payload: str) -> None:
        if payload == EVERYBODY:
            self._forget_all()
        elif not payload.startswith(_BEAT):
            self.forget(payload)
        elif payload == self._beat:
            self._trusted_until = self._beat_at + TRUST_SECONDS

    def _forget_all(self) -> None:
        self.changes += 1
        self._kept.clear()
        self._count = 0
