"""A visit that somebody wished for without a link. It waited on their device, and becomes a booking like any other.

Rules
  1. One key of one browser is one journey: its id follows from both. However often a wish arrives, one place is held
     and one code is sent.
  2. What is free was not known where the wish was made. The nearest free time is held: of the wished day first, of the
     wished part of it before any other.
  3. Nothing of a wish is kept here but the journey that it became.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from foregate.desk import beginnings, steps
from foregate.desk.answers import typed
from foregate.desk.beginnings import Beginning
from foregate.desk.desk import Desk
from foregate.desk.identify import ByBooking
from foregate.desk.turn import Caller
from foregate.desk.view import View
from foregate.local_time import at_place, day_of
from foregate.outlets import appointments
from foregate.ports import Taken, UnitOfWork
from foregate.ports.outlets import Outlet
from foregate.rules import limits

JOURNEY: Final = "book-appointment"
NOON: Final = 12
# Somebody else may take the nearest time in the same moment; after so many the visitor chooses again.
CANDIDATES: Final = 3
AROUND: Final = tuple(timedelta(days=days) for days in (1, limits.BOOKING_DAYS_SHOWN, limits.BOOKING_DAYS))


class Part(StrEnum):
    """Part of a day, by the clock at the outlet."""

    ANY = "any"
    MORNING = "morning"
    AFTERNOON = "afternoon"


class Wished(msgspec.Struct, frozen=True, kw_only=True):
    """What is wished for. Without a day it is the soonest time; a part that is none means any."""

    outlet: str
    service: str
    day: date | None
    part: Part
    phone: str
    surname: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the journey to go on with, and the place that it holds."""

    view: View
    outlet: Outlet
    starts_at: int
    is_as_wished: bool


class _NothingFree(Exception):
    """No time, or others took the nearest ones in this moment."""


class Wishes:
    """Makes bookings of wishes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._world = desk.house.world

    async def take(self, wished: Wished, key: str, caller: Caller) -> Held | None:
        """Hold the nearest time and send the code; sent again, say the same again. None: there is no time.

        Raises InvalidFields for a number or a surname that is none.
        """
        _claim(wished, self._world.clock.now())
        begun = Beginning(name=JOURNEY, caller=caller, key=f"wish {key}")
        journey_id = begun.journey_id(self._world)
        if not await self._is_known(journey_id):
            try:
                await self._begin(wished, begun)
            except _NothingFree:
                return None
            except Taken:  # the same wish, a moment ago
                pass
        return await self._held(wished, journey_id, caller)

    async def _is_known(self, journey_id: str) -> bool:
        async with self._world.store.begin() as tx:
            return await tx.journeys.lock(journey_id) is not None

    async def _begin(self, wished: Wished, begun: Beginning) -> None:
        async with self._world.store.begin() as tx:
            starts = await _nearest(tx, wished, self._world.clock.now())
        async with self._world.store.begin() as tx:
            turn = beginnings.fresh(self._desk.house, tx, begun)
            for start in starts:
                await steps.identified(turn, _claim(wished, start), None)
                if turn.state.subject is not None:
                    return
            raise _NothingFree  # with nothing written

    async def _held(self, wished: Wished, journey_id: str, caller: Caller) -> Held | None:
        reply = await self._desk.look(journey_id, caller)
        async with self._world.store.begin() as tx:
            row = await tx.appointments.hold_of_journey(journey_id)
            outlet = await tx.outlets.find(row.outlet_id) if row is not None else None
        if reply.view is None or row is None or outlet is None:
            return None
        days, is_other = _distance(wished, outlet, row.starts_at, self._world.clock.now())
        is_as_wished = not is_other and (wished.day is None or days == 0)
        return Held(view=reply.view, outlet=outlet, starts_at=row.starts_at, is_as_wished=is_as_wished)


def _claim(wished: Wished, start: int) -> ByBooking:
    said = {
        "phone": wished.phone,
        "surname": wished.surname,
        "outlet": wished.outlet,
        "service": wished.service,
        "starts_at": datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%MZ"),
    }
    return typed(ByBooking, said)


async def _nearest(tx: UnitOfWork, wished: Wished, now: int) -> list[int]:
    """Return the free times nearest to what is wished for, the nearest first."""
    outlet = await tx.outlets.find(wished.outlet)
    offer = (await appointments.offers_at(tx, outlet)).get(wished.service) if outlet is not None else None
    if outlet is None or offer is None:
        return []
    first, last = appointments.bookable_days(outlet, now)
    wanted = min(max(wished.day or first, first), last)
    for days in AROUND:  # mostly the day itself has one, and whole months are long to look through
        around = max(first, wanted - days), min(last, wanted + days)
        if free := await appointments.free_times(tx, outlet, offer, now, *around):
            return sorted(free, key=lambda start: (*_distance(wished, outlet, start, now), start))[:CANDIDATES]
    return []


def _distance(wished: Wished, outlet: Outlet, start: int, now: int) -> tuple[int, bool]:
    """Return how many days away a time is, and whether it is the other part of the day."""
    today = day_of(now, outlet.time_zone)
    wanted = max(wished.day or today, today)
    is_morning = at_place(start, outlet.time_zone).hour < NOON
    is_other = wished.part is not Part.ANY and is_morning != (wished.part is Part.MORNING)
    return abs((day_of(start, outlet.time_zone) - wanted).days), is_other
