"""My ways in, as its owner is shown them: what they get in with, what a loss would mean, what would help most."""

from __future__ import annotations

from functools import cached_property

import msgspec

from foregate.ports import SessionRow
from foregate.proofs import held
from foregate.rules import ways
from foregate.rules.causes import CAUSES
from foregate.rules.check.model import World as Examined
from foregate.rules.holdings import Held, State
from foregate.rules.policy import POLICY
from foregate.rules.ways import Still
from foregate.situation import World


class WayView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody gets in with. Times are seconds: ago, or from now."""

    proof: str
    id: str
    label: str
    agent: str | None
    state: State
    ends_in_seconds: int | None
    added_seconds_ago: int | None
    used_seconds_ago: int | None
    is_synced: bool


class WaysView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that somebody gets in with. `suggestion`: the journey that would help most, or none."""

    ways: tuple[WayView, ...]
    if_lost: tuple[Still, ...]
    suggestion: str | None


class MyWays:
    """What doors ask about ways in."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def _examined(self) -> Examined:
        rules = self._world.rules
        return Examined(rules.journeys, POLICY, CAUSES, rules.built)

    async def of(self, session: SessionRow) -> WaysView | None:
        """Return the ways of whoever is signed in. None: the customer is gone."""
        gathered = await held.gather(session.customer_id, self._world, session.device_id)
        if gathered is None:
            return None
        now = self._world.clock.now()
        found = ways.ways_of(gathered.standing, self._world.rules, self._examined)
        return WaysView(
            ways=tuple(_view(each, now) for each in gathered.held),
            if_lost=found.if_lost,
            suggestion=found.suggestion,
        )


def _view(each: Held, now: int) -> WayView:
    def ago(at: int | None) -> int | None:
        return None if at is None else max(0, now - at)

    return WayView(
        proof=each.proof,
        id=each.id,
        label=each.label,
        agent=each.agent,
        state=each.state,
        ends_in_seconds=None if each.until is None else max(0, each.until - now),
        added_seconds_ago=ago(each.since),
        used_seconds_ago=ago(each.used_at),
        is_synced=each.is_synced,
    )
