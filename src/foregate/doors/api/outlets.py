"""Outlets over the API: for everybody, signed in or not, and the same for all."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foregate.desk.view import Told
from foregate.doors.api import schema
from foregate.doors.api.app import problem, refuse
from foregate.doors.outlet_query import GCJ02, asked_of_api, cursor, find, is_datum_unknown, is_gcj02
from foregate.doors.requests import language_of, seconds_to_wait
from foregate.outlets.search import Listed, with_status
from foregate.ports.outlets import Found, Position
from foregate.rules import limits
from foregate.rules.places import on_chinese_map


async def list_outlets(request: Request) -> Response:
    """The nearest outlets, or those that fit."""
    if await seconds_to_wait(request, "outlets", limits.OUTLET_LOOKS_PER_MINUTE):
        return await refuse(request, "too-many-requests")
    asked = asked_of_api(request.query_params)
    if asked.faults:
        return _misunderstood(request, asked.faults)
    world = request.app.state.desk.house.world
    async with world.store.glance() as outlets:
        answer = await find(outlets, asked, world.clock.now())
    is_shifted = is_gcj02(request.query_params)
    listed = [_out(one, world.clock.now(), is_shifted=is_shifted) for one in answer.results.listed]
    after = answer.results.after
    return _json(request, schema.OutletsOut(listed, cursor(after) if after else None))


async def show_outlet(request: Request) -> Response:
    """One outlet."""
    if await seconds_to_wait(request, "outlets", limits.OUTLET_LOOKS_PER_MINUTE):
        return await refuse(request, "too-many-requests")
    if is_datum_unknown(request.query_params):
        return _misunderstood(request, ("datum",))
    world = request.app.state.desk.house.world
    async with world.store.glance() as outlets:
        outlet = await outlets.find(request.path_params["outlet_id"][: limits.OUTLET_ID_CHARS])
        if outlet is None:
            return await refuse(request, "not-found")
        found = Found(outlet, None, Position(0, outlet.outlet_id))
        (listed,) = await with_status(outlets, (found,), world.clock.now())
    return _json(request, _out(listed, world.clock.now(), is_shifted=is_gcj02(request.query_params)))


def routes() -> list[Route]:
    """Return the routes of outlets."""
    return [
        Route("/v1/outlets", list_outlets, methods=["GET"]),
        Route("/v1/outlets/{outlet_id}", show_outlet, methods=["GET"]),
    ]


def _out(listed: Listed, now: int, *, is_shifted: bool) -> schema.OutletOut:
    outlet, changes_at = listed.outlet, listed.status.changes_at
    facts = {name: getattr(outlet, name) for name in outlet.__struct_fields__}
    if is_shifted and outlet.place is not None:
        shown = on_chinese_map(outlet.place, outlet.country)
        facts |= {"latitude": shown.latitude, "longitude": shown.longitude}
    return schema.OutletOut(
        **facts,
        datum=GCJ02 if is_shifted else "wgs84",
        metres=None if listed.metres is None else round(listed.metres),
        is_open=listed.status.is_open,
        changes_in_seconds=None if changes_at is None else max(0, changes_at - now),
    )


def _misunderstood(request: Request, faults: tuple[str, ...]) -> Response:
    reply = request.app.state.desk.told_outside("input-invalid", fields=dict.fromkeys(faults, "shape"))
    told: Told = reply.told
    return problem(request, told)


def _json(request: Request, value: Any) -> Response:
    response = Response(msgspec.json.encode(value), media_type="application/json")
    response.headers["Content-Language"] = language_of(request)
    return response
