"""How the bank's own services do, from what the house sees of them: the first thing to know when nothing works.

Rules
  1. Every state has a signal behind it that somebody at the door would notice: the database answers, messages go out,
     the core bank answers. Nothing is declared.
  2. One look answers everybody who asks within STATUS_KEPT_SECONDS, so asking costs the house nothing.
  3. States alone are told. How many wait, how many failed and of whom stays inside.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

import msgspec
import structlog

from foregate.ports import Busy, Unreachable
from foregate.ports.network import Outgoing
from foregate.rules import limits
from foregate.rules.network import State
from foregate.situation import World

log = structlog.get_logger("foregate.status")


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """ok, slow or down; None: it is not open here, or cannot be known now."""

    sign_in: State
    sms: State | None
    face: State | None
    core_bank: State


class Status:
    """Looks, and remembers for a few seconds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._turn = asyncio.Lock()
        self._seen: Services | None = None
        self._seen_at = 0.0

    async def look(self) -> Services:
        """Return how the services do. It waits STATUS_WAIT_SECONDS at most, and never fails."""
        async with self._turn:  # whoever comes while somebody looks gets what they see
            if self._seen is None or time.monotonic() - self._seen_at >= limits.STATUS_KEPT_SECONDS:
                self._seen = await self._look()
                self._seen_at = time.monotonic()
            return self._seen

    async def _look(self) -> Services:
        outgoing: list[Outgoing] = []

        async def write() -> None:
            # As a sign-in does: in a transaction that may write, on a connection from the same pool.
            now = self._world.clock.now()
            async with self._world.store.begin() as tx:
                outgoing.append(await tx.outbox.outgoing(now - limits.SMS_LOOKED_AT_SECONDS, now))

        async def ask() -> None:
            await self._world.core.person("")

        database, core_bank = await asyncio.gather(_timed(write()), _timed(ask()))
        return Services(
            sign_in="slow" if database == "ok" and self._world.hasher.is_full else database,
            sms=sms_of(outgoing[0]) if outgoing else None,
            face=self._face(),
            core_bank="slow" if core_bank == "ok" and self._world.accounts.failures_in_a_row else core_bank,
        )

    def _face(self) -> State | None:
        engine = self._world.faces
        if engine is None:
            return None
        return "slow" if engine.is_full else "ok"


def sms_of(outgoing: Outgoing) -> State:
    """Return how messages go out: by how long the oldest waits, and whether all that ended were given up."""
    if outgoing.waiting_seconds > limits.SMS_DOWN_SECONDS:
        return "down"
    if outgoing.given_up >= limits.SMS_FAILURES and not outgoing.sent:
        return "down"
    return "slow" if outgoing.waiting_seconds > limits.SMS_LATE_SECONDS else "ok"


async def _timed(work: Awaitable[None]) -> State:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(limits.STATUS_WAIT_SECONDS):
            await work
    except (Busy, Unreachable, TimeoutError):
        return "down"
    except Exception as wrong:
        # Whoever asks how we do wants to hear that it is badly, and not to be told a fault of ours.
        log.warning("status-look-failed", error=type(wrong).__name__)
        return "down"
    return "slow" if (time.perf_counter() - began) * 1000 > limits.STATUS_SLOW_MS else "ok"
