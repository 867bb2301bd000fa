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
from foregate.ports.outlets import HoursException, Managed, Outlet, Wanted
from foregate.rules import limits
from foregate.rules.outlet_words import typed_words
from foregate.rules.services import ACCESS, SERVICES, offered

LISTED: Final = 25
AHEAD: Final = timedelta(days=400)
CHAIN: Final = "outlets"
HOME_ZONE: Final = "Asia/Shanghai"


async def show_outlets(request: Request, duty: OnDuty) -> Response:
    """Find an outlet by name, address or number."""
    return await _list(request, duty)


async def _list(
    request: Request, duty: OnDuty, wrong: dict[str, str] | None = None, typed: dict[str, str] | None = None
) -> Response:
    query, world = request.query_params.get("q", "")[: limits.OUTLET_QUERY_CHARS], world_of(request)
    async with world.store.begin() as tx:
        facts = await _listed(tx, query, world.clock.now())
    facts |= {"query_typed": query, "typed": typed or {}, "wrong": wrong or {}, "problem": wrong or None}
    return respond(request, duty, "outlets.html", tab="outlets", status=422 if wrong else 200, **facts)


async def _listed(tx: UnitOfWork, query: str, now: int) -> dict[str, Any]:
    today = day_of(now, HOME_ZONE)
    return {
        "today": today.isoformat(),
        "results": await search(tx.outlets, Wanted(words=typed_words(query)), now, limit=LISTED),
        "exceptions": await tx.outlets.every_exception(today.isoformat(), LISTED),
        "country_days": await tx.outlets.exceptions((), today.isoformat(), (today + AHEAD).isoformat()),
        "countries": await tx.own_outlets.countries(),
        "closed": await tx.own_outlets.closed(LISTED),
    }


async def show_outlet(request: Request, duty: OnDuty) -> Response:
    """One outlet, also one that was closed here."""
    return await page_of(request, duty)


async def page_of(
    request: Request,
    duty: OnDuty,
    wrong: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    in_use: dict[str, int] | None = None,
) -> Response:
    """Return the page of one outlet. `in_use`: who keeps it from being closed."""
    async with world_of(request).store.begin() as tx:
        facts = await _facts(tx, await managed_of(request, tx), world_of(request).clock.now())
    facts |= {"wrong": wrong or {}, "typed": typed or {}, "in_use": in_use, "problem": wrong or in_use or None}
    status = 422 if wrong else 409 if in_use else 200
    return respond(request, duty, "outlet.html", tab="outlets", status=status, **facts)


async def managed_of(request: Request, tx: UnitOfWork) -> Managed:
    """Return the outlet that the address names, held. Raises Objected."""
    managed = await tx.own_outlets.find(request.path_params["outlet_id"][: limits.OUTLET_ID_CHARS])
    if managed is None:
        raise Objected("outlet-missing")
    return managed


async def _facts(tx: UnitOfWork, managed: Managed, now: int) -> dict[str, Any]:
    outlet = managed.outlet
    today = day_of(now, outlet.time_zone)
    exceptions = await tx.outlets.exceptions_of(outlet, today, today + AHEAD)
    return {
        "place": outlet,
        "managed": managed,
        "services": SERVICES,
        "access": ACCESS,
        "offers": await appointments.offers_at(tx, outlet),
        "listed": {service.code for service in offered(outlet.kind, outlet.services)} or set(outlet.services),
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
    """The hours of the week, in OSM's syntax, and the number to call; left empty, the file's are taken."""
    form, world = await forms.posted(request), world_of(request)
    said = " ".join(form.get("hours", "").split())
    if said and not hours.can_be_read(said):
        return await page_of(request, duty, {"hours": "hours"}, form)
    async with world.store.begin() as tx:
        managed = await managed_of(request, tx)
        phone = above(form.get("phone", "").strip()[:40], managed.filed.phone)
        own = msgspec.structs.replace(managed.own, hours=above(said, managed.filed.hours), phone=phone)
        await tx.own_outlets.say(managed, own, world.clock.now())
        await record(request, duty, tx, "outlet-hours-set", managed.outlet.outlet_id, hours=said)
    return back_to(managed.outlet.outlet_id)


def above(said: str, filed: str) -> str | None:
    """Return what stands above the file; None: nothing, for it says the same or was asked for."""
    return None if said in ("", filed) else said


async def set_capacity(request: Request, duty: OnDuty) -> Response:
    """How many people an outlet has for a service; empty: as everywhere."""
    form, world = await forms.posted(request), world_of(request)
    service, typed = form.get("service", ""), form.get("capacity", "").strip()
    is_number = typed.isdecimal() and len(typed) < 3 and int(typed) <= limits.CAPACITY_MAX
    if service not in SERVICES or (typed and not is_number):
        return await page_of(request, duty, {f"capacity-{service}": "capacity"}, form)
    async with world.store.begin() as tx:
        outlet = await _outlet(request, tx)
        await tx.appointments.set_capacity(outlet.outlet_id, service, int(typed) if typed else None)
        await record(request, duty, tx, "outlet-capacity-set", outlet.outlet_id, service=service, capacity=typed)
    return back_to(outlet.outlet_id)


async def put_exception(request: Request, duty: OnDuty) -> Response:
    """One day on which the hours are different."""
    form, world = await forms.posted(request), world_of(request)
    day, reason = form.get("day", ""), form.get("reason", "").strip()[:60]
    said = " ".join(form.get("hours", "").split()) or "off"
    if wrong := _wrong_in(day, said):
        return await page_of(request, duty, wrong, form)
    async with world.store.begin() as tx:
        outlet = await _outlet(request, tx)
        told = HoursException(outlet_id=outlet.outlet_id, country=outlet.country, day=day, hours=said, reason=reason)
        await tx.outlets.put_exception(told)
        await record(request, duty, tx, "outlet-exception-set", outlet.outlet_id, day=day, hours=said)
    return back_to(outlet.outlet_id)


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
            await record(request, duty, tx, "outlet-exception-deleted", outlet.outlet_id, day=form.get("day", "")[:10])
    return back_to(outlet.outlet_id)


async def put_country_day(request: Request, duty: OnDuty) -> Response:
    """One day on which every outlet of a country is different."""
    form, world = await forms.posted(request), world_of(request)
    day, country, reason = form.get("day", ""), form.get("country", ""), form.get("reason", "").strip()[:60]
    said = " ".join(form.get("hours", "").split()) or "off"
    async with world.store.begin() as tx:
        known = await tx.own_outlets.countries()
    if wrong := _wrong_in(day, said) | ({} if country in known else {"country": "not-offered"}):
        return await _list(request, duty, wrong, form)
    told = HoursException(outlet_id="", country=country, day=day, hours=said, reason=reason)
    async with world.store.begin() as tx:
        await tx.outlets.put_exception(told)
        await record(request, duty, tx, "country-day-set", "", country=country, day=day, hours=said)
    return RedirectResponse("/console/outlets", 303)


async def take_country_day_back(request: Request, duty: OnDuty) -> Response:
    """As in every week again, all over the country."""
    form, world = await forms.posted(request), world_of(request)
    country, day = form.get("country", "")[:2], form.get("day", "")[:10]
    async with world.store.begin() as tx:
        if await tx.outlets.delete_exception("", country, day):
            await record(request, duty, tx, "country-day-deleted", "", country=country, day=day)
    return RedirectResponse("/console/outlets", 303)


async def record(
    request: Request, duty: OnDuty, tx: UnitOfWork, kind: str, outlet_id: str, **details: str | int
) -> None:
    """Write an event on the chain of outlets, and on the member's."""
    actor, now = actor_of(request, duty), world_of(request).clock.now()
    about: dict[str, str | int] = {"outlet": outlet_id, **details}
    for chain in (CHAIN, f"staff-{duty.member.staff_id}"):
        await tx.audit.record(Event(chain=chain, kind=kind, actor=actor.name, source=actor.source, details=about), now)


def back_to(outlet_id: str) -> Response:
    """Go on at the page of the outlet."""
    return RedirectResponse(f"/console/outlets/{outlet_id}", 303)
