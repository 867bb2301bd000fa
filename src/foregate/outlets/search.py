"""Find outlets for somebody: by distance or by words, the open ones only if asked, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from foregate.outlets.hours import OpenStatus, status
from foregate.ports.outlets import Found, HoursException, Outlet, Outlets, Position, Wanted
from foregate.rules import limits, places

# Outlets that carry the words of a place; its middle is theirs.
PLACE_OUTLETS: Final = 200
# The outlet's day is not ours: it may be a day ahead or behind, and what is looked at begins the day before.
_DAYS_BACK, _DAYS_AHEAD = timedelta(days=2), timedelta(days=int(limits.HOURS_AHEAD_DAYS) + 1)


class Listed(msgspec.Struct, frozen=True):
    """An outlet as a list shows it."""

    outlet: Outlet
    metres: float | None
    status: OpenStatus
    position: Position


class Results(msgspec.Struct, frozen=True):
    """One page. `after`: where the next one begins; None: this was the last."""

    listed: tuple[Listed, ...]
    after: Position | None


async def search(
    outlets: Outlets, wanted: Wanted, now: int, *, limit: int, after: Position | None = None, open_now: bool = False
) -> Results:
    """Return the next `limit` outlets. For the open ones no more than OUTLETS_EXAMINED are looked at in one go."""
    listed: list[Listed] = []
    examined = 0
    while True:
        found = await outlets.page(wanted, limit + 1, after)
        here = found[:limit]
        for one in await with_status(outlets, here, now):
            after = one.position
            if one.status.is_open or not open_now:
                listed.append(one)
                if len(listed) == limit:
                    return Results(tuple(listed), after if len(found) > limit or one is not _last(here, one) else None)
        examined += len(here)
        if len(found) <= limit:
            return Results(tuple(listed), None)
        if examined >= limits.OUTLETS_EXAMINED:
            return Results(tuple(listed), after)


def _last(here: Sequence[Found], one: Listed) -> Listed | None:
    return one if here[-1].outlet.outlet_id == one.outlet.outlet_id else None


async def with_status(outlets: Outlets, found: Sequence[Found], now: int) -> tuple[Listed, ...]:
    """Add whether each is open, OUTLETS_PER_PAGE_MAX at most."""
    said = await exceptions_around(outlets, [one.outlet.outlet_id for one in found], now)
    return tuple(Listed(one.outlet, one.metres, status(one.outlet, said, now), one.position) for one in found)


async def exceptions_around(outlets: Outlets, outlet_ids: Sequence[str], now: int) -> tuple[HoursException, ...]:
    """Return what is said of the days that `status` may look at."""
    today = datetime.fromtimestamp(now, UTC).date()
    first, last = today - _DAYS_BACK, today + _DAYS_AHEAD
    return await outlets.exceptions(outlet_ids, first.isoformat(), last.isoformat())


async def centre_of(outlets: Outlets, words: tuple[str, ...]) -> places.Place | None:
    """Return where a place is that somebody typed: the middle of the outlets whose address names it.

    A street of this name is in many cities. The city with the most of them is meant.
    """
    found = await outlets.page(Wanted(words=words), PLACE_OUTLETS)
    by_city: dict[str, list[places.Place]] = {}
    for outlet in (one.outlet for one in found):
        if outlet.place is not None:
            by_city.setdefault(outlet.city, []).append(outlet.place)
    return places.middle(max(by_city.values(), key=len)) if by_city else None
