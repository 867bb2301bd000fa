"""Outlets as administrators see them: hours, services and capacity, and the days on which everything is different."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.counter.guard import Objected
from foregate.counter.sessions import OnDuty
from foregate.doors.console.duty import actor_of, world_of
from foregate.doors.console.render import respond
from foregate.doors.pages import forms
from foregate.local_time import day_of
from foregate.outlets import appointments, hours
from foregate.outlets.search import search
from foregate.ports import Event, UnitOfWork
from foregate.ports.outlets import HoursException, Outlet, Wanted
from foregate.rules import limits
from foregate.rules.outlet_words import typed_words
from foregate.rules.services import SERVICES

LISTED: Final = 25
AHEAD: Final = timedelta(days=400)
CHAIN: Final = "outlets"


async def show_outlets(request: Request, duty: OnDuty) -> Response:
    """Find an outlet by name, address or number."""
    typed, world = request.query_params.get("q", "")[: limits.OUTLET_QUERY_CHARS], world_of(request)
    async with world.store.begin() as tx:
        found = await search(tx.outlets, Wanted(words=typed_words(typed)), world.clock.now(), limit=LISTED)
        said = await tx.outlets.every_exception(day_of(world.clock.now(), "Asia/Shanghai").isoformat(), LISTED)
    return respond(request, duty, "outlets.html", tab="outlets", typed=typed, results=found, exceptions=said)


async def show_outlet(request: Request, duty: OnDuty) -> Response:
    """One outlet."""
    return await _page(request, duty)


async def _page(
    request: Request, duty: OnDuty, wrong: dict[str, str] | None = None, typed: dict[str, str] | None = None
) -> Response:
    world = world_of(request)
    async with world.store.begin() as tx:
        facts = await _facts(tx, await _outlet(request, tx), world.clock.now())
    facts |= {"services": SERVICES, "wrong": wrong or {}, "typed": typed or {}, "problem": wrong or None}
    return respond(request, duty, "outlet.html", tab="outlets", status=422 if wrong else 200, **facts)


async def _facts(tx: UnitOfWork, outlet: Outlet, now: int) -> dict[str, Any]:
    today = day_of(now, outlet.time_zone)
    exceptions = await tx.outlets.exceptions_of(outlet, today, today + AHEAD)
    return {
        "place": outlet,
        "offers": await appointments.offers_at(tx, outlet),
        "own": await tx.appointments.capacities(outlet.outlet_id),
        "exceptions": exceptions,
        "standing": hours.status(outlet, exceptions, now),
        "today": today.isoformat(),
    }


async def _outlet(request: Request, tx: UnitOfWork) -> Outlet:
    outlet = await tx.outlets.find(request.path_params["outlet_id"])
    if outlet is None:
        raise Objected("outlet-missing")
    return outlet


async def set_hours(request: Request, duty: OnDuty) -> Response:
    """The hours of the week, in OSM's syntax, and the number to call."""
    form, world = await forms.posted(request), world_of(request)
    said = " ".join(form.get("hours", "").split())
    if said and not hours.can_be_read(said):
        return await _page(request, duty, {"hours": "hours"}, form)
    async with world.store.begin() as tx:
        before = await _outlet(request, tx)
        changed = msgspec.structs.replace(before, hours=said, phone=form.get("phone", "").strip()[:40])
        await tx.outlets.put([changed], world.clock.now())
        await _record(request, duty, tx, "outlet-hours-set", before.outlet_id, hours=said)
    return _back(before.outlet_id)


async def set_capacity(request: Request, duty: OnDuty) -> Response:
    """How many people an outlet has for a service; empty: as everywhere."""
    form, world = await forms.posted(request), world_of(request)
    service, typed = form.get("service", ""), form.get("capacity", "").strip()
    is_number = typed.isdecimal() and len(typed) < 3 and int(typed) <= limits.CAPACITY_MAX
    if service not in SERVICES or (typed and not is_number):
        return await _page(request, duty, {f"capacity-{service}": "capacity"}, form)
    async with world.store.begin() as tx:
        outlet = await _outlet(request, tx)
        await tx.appointments.set_capacity(outlet.outlet_id, service, int(typed) if typed else None)
        await _record(request, duty, tx, "outlet-capacity-set", outlet.outlet_id, service=service, capacity=typed)
    return _back(outlet.outlet_id)


async def put_exception(request: Request, duty: OnDuty) -> Response:
    """One day on which the hours are different."""
    form, world = await forms.posted(request), world_of(request)
    day, reason = form.get("day", ""), form.get("reason", "").strip()[:60]
    said = " ".join(form.get("hours", "").split()) or "off"
    if wrong := _wrong_in(day, said):
        return await _page(request, duty, wrong, form)
    async with world.store.begin() as tx:
        outlet = await _outlet(request, tx)
        told = HoursException(outlet_id=outlet.outlet_id, country=outlet.country, day=day, hours=said, reason=reason)
        await tx.outlets.put_exception(told)
        await _record(request, duty, tx, "outlet-exception-set", outlet.outlet_id, day=day, hours=said)
    return _back(outlet.outlet_id)


def _wrong_in(day: str, said: str) -> dict[str, str]:
    wrong = {} if _is_day(day) else {"day": "date"}
    return wrong if hours.can_be_read(said) else wrong | {"exception_hours": "hours"}


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2027-01-31") and bool(date.fromisoformat(text))
    except ValueError:
        return False


async def take_exception_back(request: Request, duty: OnDuty) -> Response:
    """As in every week again."""
    form, world = await forms.posted(request), world_of(request)
    async with world.store.begin() as tx:
        outlet = await _outlet(request, tx)
        if await tx.outlets.delete_exception(outlet.outlet_id, outlet.country, form.get("day", "")[:10]):
            await _record(request, duty, tx, "outlet-exception-deleted", outlet.outlet_id, day=form.get("day", "")[:10])
    return _back(outlet.outlet_id)


async def _record(
    request: Request, duty: OnDuty, tx: UnitOfWork, kind: str, outlet_id: str, **details: str | int
) -> None:
    actor, now = actor_of(request, duty), world_of(request).clock.now()
    about: dict[str, str | int] = {"outlet": outlet_id, **details}
    for chain in (CHAIN, f"staff-{duty.member.staff_id}"):
        await tx.audit.record(Event(chain=chain, kind=kind, actor=actor.name, source=actor.source, details=about), now)


def _back(outlet_id: str) -> Response:
    return RedirectResponse(f"/console/outlets/{outlet_id}", 303)
