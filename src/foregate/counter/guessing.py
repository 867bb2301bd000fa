"""Looks, while the house is open, whether somebody guesses at many accounts, a little at each.

Each account by itself is safe: failures are counted before anything is compared, and nobody who shows no phone gets to
guess at a password at all. But who tries four codes at each of twenty thousand numbers stays below every limit of one
account and of one address. What gives it away is how many fail at once, measured by how many are tried: on a bad day of
the bank both grow, under an attack one of them does.

The alarm stops nobody. Remembered devices go on as ever; unknown ones are asked for possession first, as always.
Source: OWASP, Credential Stuffing Prevention; ASVS 5.0, 6.3.1.
"""

from __future__ import annotations

from foregate.counter.guard import raise_alarm
from foregate.counter.telling import Told
from foregate.ports import Tried
from foregate.rules import limits
from foregate.situation import World
from foregate.store.loops import Loop

PROOFS, CODES = "many-proofs-guessed", "many-codes-guessed"


def is_guessing(tried: Tried) -> bool:
    """Say whether so many failures are one person at many doors."""
    return tried.failing >= limits.GUESSED_MIN and tried.failing * limits.GUESSED_SHARE >= tried.all


class GuessWatch(Loop):
    """Raises an alarm when many accounts fail at once, and again every while, as long as it goes on."""

    def __init__(self, world: World, pause_seconds: float = limits.GUESSING_LOOK_SECONDS) -> None:
        super().__init__(pause_seconds)
        self._world = world
        self._told = Told[str](limits.GUESSING_AGAIN_SECONDS)

    async def once(self) -> None:
        """Look once."""
        now = self._world.clock.now()
        until = now - limits.GUESSING_SETTLED_SECONDS  # what is still being compared counts as a failure so far
        async with self._world.store.begin() as tx:
            found = {
                PROOFS: await tx.counters.tried(until - limits.GUESSING_WINDOW_SECONDS, until),
                CODES: await tx.codes.tried(until - limits.CODE_TTL_SECONDS, until),
            }
            due = [what for what, tried in found.items() if is_guessing(tried) and self._told.is_due(what, now)]
            for what in due:
                failing, everybody = found[what].failing, found[what].all
                await raise_alarm(tx, now, what, actor="foregate", source="", failing=failing, all=everybody)
        self._told.note(due, now)
