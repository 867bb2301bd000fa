"""Booking: outlet, service, day and time, then number and code. And the page that the link of an appointment opens.

Everything up to the number is links and reads nothing personal; what was typed never stands in an address. Looking at
an appointment changes nothing: messengers and mail programs open links by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from foregate.desk.bookings import Booked, Bookings, Times, Wish, moment_of
from foregate.desk.identify import CLAIMS
from foregate.desk.view import Reply, Told
from foregate.doors.calendars import calendar_of
from foregate.doors.pages import forms
from foregate.doors.pages.entry import ID, pending_of
from foregate.doors.pages.forms import NOTHING, Typed
from foregate.doors.pages.journey import show, went_well
from foregate.doors.pages.outlets import SHEETS
from foregate.doors.pages.problems import Problem, problem_of, refuse, told_when
from foregate.doors.pages.render import Page, respond
from foregate.doors.pages.tongue import remember, wished
from foregate.doors.requests import caller_of, language_of, seconds_to_hold, seconds_to_wait
from foregate.doors.text import catalog
from foregate.local_time import at_place, hour_and_minute, say_day, say_when
from foregate.outlets.appointments import Offer
from foregate.ports.outlets import Outlet
from foregate.rules import inputs, limits
from foregate.rules.causes import CAUSES
from foregate.rules.services import SERVICES, service_for
from foregate.rules.words import Who
from foregate.situation import Refused

JOURNEY: Final = "book-appointment"
ASKED: Final = ("phone", "surname", "people")  # the rest was chosen


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One free time: what people read, and what is sent."""

    label: str
    value: str
    href: str


class Day(msgspec.Struct, frozen=True):
    """A day with its free times."""

    label: str
    choices: list[Choice]


# ---------------------------------------------------------------- choose


async def show_booking(request: Request) -> Response:
    """Ask for what is still open: the outlet, the service, the time, then number and surname."""
    caller = await caller_of(request)
    came_from, wish = request.query_params.get("from", ""), _wish(request.query_params)
    if ID.fullmatch(came_from):
        known: Wish | None = await _bookings(request).wish_of(came_from, caller)
        return RedirectResponse(_at(known) if known is not None else _at(wish), 303)
    if not wish.outlet:
        return _page(request, wish, None, "outlet", pending=await pending_of(request, caller))
    at = _moment(request.query_params.get("at", ""))
    return await (details(request, wish, at) if at else choose(request, wish))


async def begin(request: Request) -> Response:
    """Hold the place and send the code; or say what stands against it, with what was typed."""
    form = await forms.posted(request)
    wish, at = _wish({**form, "case": form.get("case_number", "")}), _moment(form.get("starts_at", ""))
    if (look := wished(request, form)) is not None:
        return remember(request, await details(request, wish, at, Typed(form)), look)
    starts = await seconds_to_wait(request, "start", limits.STARTS_PER_MINUTE)
    if seconds := starts or await seconds_to_hold(request, Who.ANYBODY):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    desk = request.app.state.desk
    first = forms.answered({"version": "1", "step": Who.ANYBODY.value} | form, desk.house)
    return await _after(request, wish, form, await desk.start(JOURNEY, await caller_of(request), first))


async def _after(request: Request, wish: Wish, form: Mapping[str, str], reply: Reply) -> Response:
    told = reply.told
    if told is None:
        return went_well(request, reply)
    typed = forms.typed_of(form, told.fields)
    if told.cause == "input-invalid" and set(told.fields) <= set(ASKED):
        return await details(request, wish, _moment(form.get("starts_at", "")), typed, told=told)
    if told.cause in ("place-taken", "input-invalid"):
        return await choose(request, wish, typed, told=told)
    return await show(request, reply)


async def choose(request: Request, wish: Wish, typed: Typed = NOTHING, told: Told | None = None) -> Response:
    """Return the page that asks for outlet, service or time, whichever is open."""
    found = await _bookings(request).outlet(wish.outlet) if wish.outlet else None
    if found is None:
        return _page(request, wish, told, "outlet")
    outlet, offers = found
    if wish.service not in offers:
        services = [(offer.service, _at(wish, service=code)) for code, offer in offers.items()]
        return _page(request, wish, told, "service", outlet=outlet, services=services)
    facts = await _free(request, wish)
    return _page(request, wish, told, "time", outlet=outlet, typed=_kept(typed), **facts)


async def details(
    request: Request,
    wish: Wish,
    at: str,
    typed: Typed = NOTHING,
    *,
    told: Told | None = None,
) -> Response:
    """Return the last page before the code: what was chosen, and the fields for number and surname."""
    found = await _bookings(request).outlet(wish.outlet) if wish.outlet else None
    if found is None or wish.service not in found[1] or not at:
        return await choose(request, wish, typed, told)
    facts = _details(*found, wish, at, typed, language_of(request))
    return _page(request, wish, told, "details", **facts)


def _details(
    outlet: Outlet, offers: Mapping[str, Offer], wish: Wish, at: str, typed: Typed, language: str
) -> dict[str, Any]:
    fields = [field for field in inputs.fields_of(CLAIMS[Who.ANYBODY]) if field.name in ASKED]
    return {
        "outlet": outlet,
        "service": offers[wish.service].service,
        "when": say_when(catalog.text, language, moment_of(at), outlet.time_zone),
        "starts_at": at,
        "widgets": forms.widgets(language, fields, typed),
    }


def _page(request: Request, wish: Wish, told: Told | None, part: str, **facts: Any) -> Response:
    page = Page(
        template=f"booking_{part}.html",
        back=f"/{JOURNEY}" if part == "details" else _at(wish),
        status=told.status if told else 200,
        keeps_typed=part == "details",
        has_problem=told is not None,
        is_public=part == "outlet" and wish == Wish() and told is None,
        sheets=SHEETS,
    )
    problem = _problem(told, request, part) if told is not None else None
    finder = "/outlets" + _query(service=wish.service, case=wish.case)
    return told_when(respond(page, request, wish=wish, problem=problem, at=_at, finder=finder, **facts), told)


def _problem(told: Told, request: Request, part: str) -> Problem:
    problem = problem_of(told, request)
    # Where something else is chosen, the page itself is the way on.
    return problem if part == "details" else msgspec.structs.replace(problem, faults=(), remedies=())


async def _free(request: Request, wish: Wish) -> dict[str, Any]:
    day = _day(request.query_params.get("day", ""))
    times = await _bookings(request).times(wish.outlet, wish.service, day)
    return _times(wish, times, language_of(request), is_first=day is None)


def _times(wish: Wish, times: Times | None, language: str, *, is_first: bool) -> dict[str, Any]:
    if times is None:
        return {"days": []}
    zone = times.outlet.time_zone
    week = timedelta(days=limits.BOOKING_DAYS_SHOWN)

    def choice(start: int) -> Choice:
        value = at_place(start, "UTC").strftime("%Y-%m-%dT%H:%MZ")
        return Choice(label=hour_and_minute(start, zone), value=value, href=_at(wish, at=value))

    days = [
        Day(say_day(catalog.text, language, day), [choice(start) for start in starts])
        for day, starts in times.by_day.items()
    ]
    has_later = times.last_day < times.last_bookable_day
    return {
        "service": times.offer.service,
        "days": days,
        "first": say_day(catalog.text, language, times.first_day),
        "last": say_day(catalog.text, language, times.last_day),
        "later": _at(wish, day=(times.last_day + timedelta(days=1)).isoformat()) if has_later else None,
        "earlier": _at(wish, day=(times.first_day - week).isoformat()) if not is_first else None,
    }


# ---------------------------------------------------------------- the link


async def show_appointment(request: Request) -> Response:
    """Show what was booked. Changes nothing."""
    await caller_of(request)
    return await _booked_page(request, await _bookings(request).look(_token(request)))


async def cancel_appointment(request: Request) -> Response:
    """Cancel."""
    return await _changed(request, await _bookings(request).cancel(_token(request)))


async def check_in(request: Request) -> Response:
    """Draw the ticket."""
    return await _changed(request, await _bookings(request).check_in(_token(request)))


async def show_move(request: Request) -> Response:
    """Show the times that it may be moved to."""
    booked: Booked | Refused = await _bookings(request).look(_token(request))
    if isinstance(booked, Booked) and booked.may_change:
        return await _move_page(request, booked)
    return await _booked_page(request, booked if isinstance(booked, Refused) else Refused(cause="appointment-over"))


async def move_appointment(request: Request) -> Response:
    """Move."""
    form = await forms.posted(request)
    moved: Booked | Refused
    try:
        moved = await _bookings(request).move(_token(request), form.get("starts_at", ""))
    except (inputs.InvalidFields, inputs.BadInput):
        moved = Refused(cause="place-taken")  # not offered any more: on this page that is the same
    if isinstance(moved, Refused) and moved.cause == "place-taken":
        booked = await _bookings(request).look(_token(request))
        return await (
            _move_page(request, booked, moved) if isinstance(booked, Booked) else _booked_page(request, booked)
        )
    return await _changed(request, moved, "?moved=1")


async def show_calendar(request: Request) -> Response:
    """The appointment as a file for calendars."""
    booked: Booked | Refused = await _bookings(request).look(_token(request))
    if isinstance(booked, Refused):
        return await refuse(request, booked.cause)
    body = calendar_of(booked, request.app.state.settings, _token(request), language_of(request))
    headers = {"Content-Disposition": f'attachment; filename="{booked.row.reference}.ics"'}
    return Response(body, headers=headers, media_type="text/calendar; charset=utf-8")


async def _changed(request: Request, changed: Booked | Refused, query: str = "") -> Response:
    if isinstance(changed, Refused):
        return await _booked_page(request, changed)
    return RedirectResponse(f"/appointments/{_token(request)}{query}", 303)


async def _booked_page(request: Request, booked: Booked | Refused) -> Response:
    if isinstance(booked, Refused):
        return await refuse(request, booked.cause, retry_in_seconds=booked.retry_in_seconds)
    place = f"/appointments/{_token(request)}"
    facts = _facts(request, booked)
    is_new = booked.row.state.value == "confirmed" and bool(request.query_params.get("done"))
    is_moved = booked.may_change and bool(request.query_params.get("moved"))
    page = Page(template="appointment.html", back=place)
    return respond(page, request, place=place, is_new=is_new, is_moved=is_moved, **facts)


async def _move_page(request: Request, booked: Booked, refused: Refused | None = None) -> Response:
    wish = Wish(booked.row.outlet_id, booked.row.service)
    place, told = f"/appointments/{_token(request)}/move", None
    if refused is not None:
        told = request.app.state.desk.told_outside(refused.cause).told
    problem = _problem(told, request, "time") if told is not None else None
    page = Page(template="appointment_move.html", back=place, status=told.status if told else 200, sheets=SHEETS)
    shown = _facts(request, booked) | await _free(request, wish)
    for name in ("earlier", "later"):
        if (href := shown.get(name)) is not None:
            shown[name] = f"{place}?{href[href.index('day=') :]}"
    return respond(page, request, place=place, problem=problem, **shown)


def _facts(request: Request, booked: Booked) -> dict[str, Any]:
    when = say_when(catalog.text, language_of(request), booked.row.starts_at, booked.outlet.time_zone)
    return {
        "booked": booked,
        "row": booked.row,
        "outlet": booked.outlet,
        "when": when,
        "service": SERVICES[booked.row.service],
        "again": _at(Wish(booked.row.outlet_id, booked.row.service)),
    }


# ---------------------------------------------------------------- from a journey to an outlet


async def show_case(request: Request) -> Response:
    """What to bring, and a button that writes down what happened. Changes nothing."""
    journey, told = await _own_journey(request)
    if journey is None:
        return await refuse(request, "journey-unknown")
    page = Page(template="case.html", back=f"/j/{_journey_id(request)}/outlet")
    return respond(page, request, service=service_for(told, journey), told=told or "", place=request.url.path)


async def open_case(request: Request) -> Response:
    """Write it down, and go on to choose an outlet with service and number."""
    form = await forms.posted(request)
    told = form.get("told", "")
    case = await _bookings(request).open_case(
        _journey_id(request), await caller_of(request), told if told in CAUSES else None
    )  # fmt: skip
    if case is None:
        journey, _ = await _own_journey(request)
        if journey is None:
            return await refuse(request, "journey-unknown")
        return RedirectResponse("/outlets" + _query(service=service_for(told, journey).code), 303)
    return RedirectResponse("/outlets" + _query(service=case.service, case=case.case_no), 303)


async def _own_journey(request: Request) -> tuple[str | None, str | None]:
    reply = await request.app.state.desk.look(_journey_id(request), await caller_of(request))
    told = request.query_params.get("told", "")
    return reply.view.journey if reply.view is not None else None, told if told in CAUSES else None


# ---------------------------------------------------------------- addresses


def routes() -> list[BaseRoute]:
    """Return the routes of booking. They come before the journeys': booking has a page of its own."""
    link = "/appointments/{token}"
    return [
        Route(f"/{JOURNEY}", show_booking, methods=["GET"]),
        Route(f"/{JOURNEY}", begin, methods=["POST"]),
        Route(f"{link}.ics", show_calendar, methods=["GET"]),
        Route(link, show_appointment, methods=["GET"]),
        Route(f"{link}/cancel", cancel_appointment, methods=["POST"]),
        Route(f"{link}/check-in", check_in, methods=["POST"]),
        Route(f"{link}/move", show_move, methods=["GET"]),
        Route(f"{link}/move", move_appointment, methods=["POST"]),
        Route("/j/{journey_id}/outlet", show_case, methods=["GET"]),
        Route("/j/{journey_id}/outlet", open_case, methods=["POST"]),
    ]


def _bookings(request: Request) -> Bookings:
    bookings: Bookings = request.app.state.bookings
    return bookings


def _token(request: Request) -> str:
    return str(request.path_params["token"])[:64]


def _journey_id(request: Request) -> str:
    return str(request.path_params["journey_id"])[:64]


def _wish(given: Mapping[str, str]) -> Wish:
    """Return what was chosen so far; a case number that is none is left out rather than asked about."""
    wish = Wish(given.get("outlet", "")[:64], given.get("service", "")[:64])
    try:
        return msgspec.structs.replace(wish, case=inputs.NORMAL[inputs.Kind.CASE](given.get("case", "")[:64]))
    except inputs.BadInput:
        return wish


def _moment(text: str) -> str:
    try:
        return inputs.NORMAL[inputs.Kind.MOMENT](text[:64])
    except inputs.BadInput:
        return ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _kept(typed: Typed) -> dict[str, str]:
    return {name: typed.values[name] for name in ASKED if typed.values.get(name)}


def _at(wish: Wish, **more: str) -> str:
    return f"/{JOURNEY}" + _query(**{"outlet": wish.outlet, "service": wish.service, "case": wish.case, **more})


def _query(**values: str) -> str:
    given = {name: value for name, value in values.items() if value}
    return "?" + urlencode(given) if given else ""
