"""The map of outlets: what the finder's list shows, on the pictures of the bank's own tile server.

There is none unless the settings name a tile server. The page is whole without it: it begins as the sketch and the
list, and Leaflet, the extra `map`, draws over the sketch where scripts run. It has a policy of its own, which opens
to that one server and for pictures alone. Nothing that anybody typed reaches Leaflet as anything but text.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from foregate.doors.outlet_query import Answer, Asked, asked_on_page, find
from foregate.doors.pages import assets
from foregate.doors.pages.outlets import SHEETS, row_of, sketch_of, too_often
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page, respond
from foregate.doors.requests import caller_of, language_of
from foregate.outlets.hours import status
from foregate.outlets.search import Listed, Results, exceptions_around
from foregate.outlets.sketch import SIZE
from foregate.ports.outlets import Outlet, Outlets, Position
from foregate.rules import limits, places
from foregate.settings import Settings

ADDRESS: Final = "/outlets/map"


class Shown(msgspec.Struct, frozen=True):
    """What is on the map, the address of this very map, and of the page it was come from."""

    asked: Asked
    answer: Answer
    address: str
    back: str

    @property
    def is_somewhere(self) -> bool:
        """Whether there is anything to put on a map."""
        return any(one.outlet.place for one in self.answer.results.listed)


async def show_map(request: Request) -> Response:
    """The list of a search, or one outlet, on a map."""
    await caller_of(request)
    if not request.app.state.settings.map_tiles_url:
        return await refuse(request, "not-found")
    if (refusal := await too_often(request)) is not None:
        return refusal
    world = request.app.state.desk.house.world
    async with world.store.glance() as outlets:
        shown = await _shown(outlets, request.query_params, world.clock.now())
    if not shown.is_somewhere:
        return RedirectResponse(shown.back, 303)
    return _page(request, shown, world.clock.now())


def routes() -> list[BaseRoute]:
    """Return the route of the map. It stands before that of an outlet: no outlet is called `map`."""
    return [Route(ADDRESS, show_map, methods=["GET"])]


def policy(settings: Settings) -> str:
    """Return the policy of the map page: every page's, and what a map needs beside it."""
    return assets.content_security_policy(
        changed={
            "style-src": f"'self' '{assets.style_hash(*SHEETS)}'",
            # data: is an empty picture, which Leaflet puts in place of one that is no longer waited for.
            "img-src": f"'self' {settings.map_origin} data:",
            # Our script makes the one policy, before Leaflet runs: it lets a single constant through.
            "trusted-types": f"default {assets.WORKER_POLICY}",
        }
    )


async def _shown(outlets: Outlets, query: QueryParams, now: int) -> Shown:
    if outlet_id := query.get("outlet", "")[: limits.OUTLET_ID_CHARS]:
        outlet = await outlets.find(outlet_id)
        listed = (await _alone(outlets, outlet, now),) if outlet else ()
        address = f"{ADDRESS}?{urlencode({'outlet': outlet_id})}"
        back = f"/outlets/{outlet.outlet_id}" if outlet else "/outlets"
        return Shown(Asked(), Answer(Results(listed, None), None), address, back)
    asked = asked_on_page(query)
    answer = Answer(Results((), None), None) if asked.is_empty else await find(outlets, asked, now)
    return Shown(asked, answer, asked.address(ADDRESS, asked.after), asked.address("/outlets", asked.after))


async def _alone(outlets: Outlets, outlet: Outlet, now: int) -> Listed:
    said = await exceptions_around(outlets, (outlet.outlet_id,), now)
    return Listed(outlet, None, status(outlet, said, now), Position(0, outlet.outlet_id))


def _page(request: Request, shown: Shown, now: int) -> Response:
    settings = request.app.state.settings
    facts = _facts(settings, language_of(request), shown, now) | {"is_saving": _is_saving(request)}
    response = respond(Page(template="outlet_map.html", back=shown.address, sheets=SHEETS), request, **facts)
    response.headers["Content-Security-Policy"] = policy(settings)
    return response


def _facts(settings: Settings, language: str, shown: Shown, now: int) -> dict[str, Any]:
    centre, listed = shown.answer.centre, shown.answer.results.listed
    return {
        "asked": shown.asked,
        "rows": [(row_of(language, one, shown.asked, now), _at(settings, one.outlet)) for one in listed],
        "centre": centre,
        "here": _written(settings, centre) if centre else None,
        "sketch": sketch_of(centre, listed),
        "size": SIZE,
        "files": assets.map_files(),
        "host": urlsplit(settings.map_origin).netloc,
        "back": shown.back,
        "load": f"{shown.address}&load=1",
    }


def _is_saving(request: Request) -> bool:
    """Whether this browser was told to save data, and nobody has asked for the map all the same."""
    return request.headers.get("save-data", "").strip().lower() == "on" and request.query_params.get("load") != "1"


def _at(settings: Settings, outlet: Outlet) -> str | None:
    """Return where the tiles show an outlet."""
    return _written(settings, outlet.place, outlet.country) if outlet.place is not None else None


def _written(settings: Settings, where: places.Place, country: str = "CN") -> str:
    shown = places.on_chinese_map(where, country) if settings.map_datum == "gcj02" else where
    return f"{shown.latitude:.6f},{shown.longitude:.6f}"
