"""What happens to appointments by itself: holds lapse, reminders go out, who did not come is noted, days end.

Each appointment is a transaction of its own, and is looked at again when it is held: whatever was found a moment ago,
cancelled or moved since then, is left alone. So it may be stopped anywhere, and any number of nodes may do it at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from foregate.outlets import queue
from foregate.outlets.appointments import record, release, tell
from foregate.ports import UnitOfWork
from foregate.ports.outlets import Appointment
from foregate.rules import limits
from foregate.rules.appointments import HERE, Event, State
from foregate.situation import World
from foregate.store.loops import Loop

DAY_BEFORE, SOON = 1, 2
REMINDERS: Final = {SOON: "sms.appointment-soon", DAY_BEFORE: "sms.appointment-tomorrow"}

Find = Callable[[UnitOfWork, int], Awaitable[tuple[Appointment, ...]]]
Do = Callable[[UnitOfWork, Appointment, int], Awaitable[bool]]


class Upkeep(Loop):
    """Does one round every UPKEEP_SECONDS."""

    def __init__(self, world: World, pause_seconds: float = limits.UPKEEP_SECONDS) -> None:
        super().__init__(pause_seconds)
        self._world = world

    async def once(self) -> None:
        """Do one round."""
        await self.sweep()

    async def sweep(self) -> dict[str, int]:
        """Do everything that is due. Returns how many appointments of each kind."""
        done = {"lapsed": await self._each(lambda tx, now: tx.appointments.lapsed(now), self._lapse)}
        done["missed"] = await self._each(lambda tx, now: tx.appointments.missed(now), self._miss)
        done["left"] = await self._end_days()
        for which in REMINDERS:  # the nearer one first: whoever gets it needs no other
            done[f"reminded-{which}"] = await self._remind_all(which)
        return done

    async def _end_days(self) -> int:
        """End what is in no queue any more, each day by the clock of the outlets that have it."""
        async with self._world.store.begin() as tx:
            zones = await tx.appointments.zones_here()
        ended = 0
        for zone in zones:

            async def left(tx: UnitOfWork, now: int, zone: str = zone) -> tuple[Appointment, ...]:
                first, _ = queue.span_at(now, zone)
                return await tx.appointments.left_over(zone, first)

            ended += await self._each(left, self._end_day)
        return ended

    async def _remind_all(self, which: int) -> int:
        async def remind(tx: UnitOfWork, row: Appointment, now: int) -> bool:
            return await self._remind(tx, row, now, which)

        return await self._each(lambda tx, now: tx.appointments.to_remind(which, now), remind)

    async def _each(self, find: Find, do: Do) -> int:
        done = 0
        while not self.is_stopping:
            now = self._world.clock.now()
            async with self._world.store.begin() as tx:
                due = await find(tx, now)
            moved = 0
            for row in due:
                async with self._world.store.begin() as tx:
                    held = await tx.appointments.hold(row.appointment_id)
                    moved += held is not None and await do(tx, held, now)
            done += moved
            if len(due) < limits.UPKEEP_BATCH or not moved:
                break
        return done

    async def _lapse(self, tx: UnitOfWork, row: Appointment, now: int) -> bool:
        if row.state is not State.HELD or row.held_until > now:
            return False
        await tx.appointments.advance(row, Event.LAPSED)
        await release(tx, row)
        await record(tx, row, "appointment-lapsed", now, actor="foregate")
        return True

    async def _miss(self, tx: UnitOfWork, row: Appointment, now: int) -> bool:
        if row.state is not State.CONFIRMED or now <= row.starts_at + limits.CHECK_IN_AFTER_SECONDS:
            return False
        await queue.missed(tx, row, now, actor="foregate")
        return True

    async def _end_day(self, tx: UnitOfWork, row: Appointment, now: int) -> bool:
        if row.state not in HERE:
            return False
        await queue.end_day(tx, row, now, actor="foregate")
        return True

    async def _remind(self, tx: UnitOfWork, row: Appointment, now: int, which: int) -> bool:
        ahead = limits.REMINDER_SOON_SECONDS if which == SOON else limits.REMINDER_DAY_SECONDS
        if row.state is not State.CONFIRMED or row.reminded >= which or not 0 < row.starts_at - now <= ahead:
            return False
        await tx.appointments.change(row, reminded=which)
        outlet = await tx.outlets.find(row.outlet_id)
        await tell(tx, self._world.keyring, row, outlet, REMINDERS[which], now)
        return True
