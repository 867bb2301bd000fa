"""Free times and appointments over `/v1`. Whoever has the token of a link may see, move and cancel, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foregate.desk.bookings import Booked, Bookings, Times
from foregate.desk.view import Told
from foregate.doors.api.app import body_of, problem, refuse
from foregate.doors.requests import language_of, seconds_to_wait
from foregate.doors.text import catalog
from foregate.local_time import at_place
from foregate.rules import inputs, limits
from foregate.rules.services import SERVICES
from foregate.situation import Refused


class ServiceOut(msgspec.Struct):
    """A service as this outlet does it."""

    service: str
    name: str
    minutes: int
    bring: list[str]


class TimesOut(msgspec.Struct):
    """What is free, with the offset of the outlet's clock. `next_from`: where the next days begin, if there are any."""

    outlet: str
    service: ServiceOut
    time_zone: str
    first_day: str
    last_day: str
    next_from: str | None
    starts_at: list[str]


class OutletServicesOut(msgspec.Struct):
    """What an outlet does by appointment."""

    outlet: str
    name: str
    services: list[ServiceOut]


class AppointmentOut(msgspec.Struct):
    """What was booked. Neither number nor name: a link may be forwarded."""

    reference: str
    state: str
    outlet: str
    outlet_name: str
    address: str
    time_zone: str
    service: ServiceOut
    starts_at: str
    ends_at: str
    people: int
    case_number: str | None
    ticket: str | None
    ahead: int
    called_to: str
    may_move: bool
    may_cancel: bool
    check_in_opens_in_seconds: int | None


class MoveAppointment(msgspec.Struct, forbid_unknown_fields=True):
    """The new time, with its offset."""

    starts_at: Annotated[str, msgspec.Meta(max_length=64)]


async def list_services(request: Request) -> Response:
    """What an outlet does by appointment."""
    found = await _bookings(request).outlet(request.path_params["outlet_id"][:64])
    if found is None:
        return await refuse(request, "not-found")
    outlet, offers = found
    services = [_service(code, language_of(request)) for code in offers]
    return _json(request, OutletServicesOut(outlet.outlet_id, outlet.name, services))


async def list_times(request: Request) -> Response:
    """The free times of a week."""
    if await seconds_to_wait(request, "times", limits.ANSWERS_PER_MINUTE):
        return await refuse(request, "too-many-requests")
    query = request.query_params
    try:
        day = date.fromisoformat(query["from"]) if query.get("from") else None
    except ValueError:
        return _invalid(request, {"from": "shape"})
    times = await _bookings(request).times(request.path_params["outlet_id"][:64], query.get("service", "")[:64], day)
    if times is None:
        return await refuse(request, "not-found")
    return _json(request, _times_out(times, language_of(request)))


async def show_appointment(request: Request) -> Response:
    """Show it. Changes nothing."""
    return _answer(request, await _bookings(request).look(_token(request)))


async def cancel_appointment(request: Request) -> Response:
    """Cancel it; once or twice is the same."""
    return _answer(request, await _bookings(request).cancel(_token(request)))


async def check_in(request: Request) -> Response:
    """Draw the ticket; once or twice is the same one."""
    return _answer(request, await _bookings(request).check_in(_token(request)))


async def move_appointment(request: Request) -> Response:
    """Take another time."""
    body = await body_of(request, MoveAppointment)
    if isinstance(body, Response):
        return body
    try:
        return _answer(request, await _bookings(request).move(_token(request), body.starts_at))
    except inputs.BadInput as bad:
        return _invalid(request, {"starts_at": bad.code})
    except inputs.InvalidFields as wrong:
        return _invalid(request, wrong.fields)


def routes() -> list[Route]:
    """Return the routes of appointments."""
    link = "/v1/appointments/{token}"
    return [
        Route("/v1/outlets/{outlet_id}/services", list_services, methods=["GET"]),
        Route("/v1/outlets/{outlet_id}/times", list_times, methods=["GET"]),
        Route(link, show_appointment, methods=["GET"]),
        Route(f"{link}/cancel", cancel_appointment, methods=["POST"]),
        Route(f"{link}/check-in", check_in, methods=["POST"]),
        Route(f"{link}/move", move_appointment, methods=["POST"]),
    ]


# ---------------------------------------------------------------- helpers


def _bookings(request: Request) -> Bookings:
    bookings: Bookings = request.app.state.bookings
    return bookings


def _token(request: Request) -> str:
    return str(request.path_params["token"])[:64]


def _answer(request: Request, booked: Booked | Refused) -> Response:
    if isinstance(booked, Booked):
        return _json(request, _appointment_out(booked, language_of(request)))
    desk = request.app.state.desk
    told: Told = desk.told_outside(booked.cause, retry_in_seconds=booked.retry_in_seconds).told
    return problem(request, told)


def _invalid(request: Request, fields: Mapping[str, str]) -> Response:
    told: Told = request.app.state.desk.told_outside("input-invalid", fields=fields).told
    return problem(request, told)


def _json(request: Request, value: Any) -> Response:
    response = Response(msgspec.json.encode(value), media_type="application/json")
    response.headers["Content-Language"] = language_of(request)
    return response


def _service(code: str, language: str) -> ServiceOut:
    service = SERVICES[code]
    things = [catalog.text(language, f"bring.{thing}") for thing in service.bring]
    return ServiceOut(code, catalog.text(language, f"service.{code}.name"), service.minutes, things)


def _times_out(times: Times, language: str) -> TimesOut:
    zone, after = times.outlet.time_zone, times.last_day + timedelta(days=1)
    return TimesOut(
        outlet=times.outlet.outlet_id,
        service=_service(times.offer.service.code, language),
        time_zone=zone,
        first_day=times.first_day.isoformat(),
        last_day=times.last_day.isoformat(),
        next_from=after.isoformat() if times.last_day < times.last_bookable_day else None,
        starts_at=[at_place(start, zone).isoformat(timespec="minutes") for start in times.starts],
    )


def _appointment_out(booked: Booked, language: str) -> AppointmentOut:
    row, outlet = booked.row, booked.outlet
    return AppointmentOut(
        reference=row.reference,
        state=row.state.value,
        outlet=outlet.outlet_id,
        outlet_name=outlet.name,
        address=outlet.address,
        time_zone=outlet.time_zone,
        service=_service(row.service, language),
        starts_at=booked.iso(row.starts_at),
        ends_at=booked.iso(row.ends_at),
        people=row.people,
        case_number=row.case_no,
        ticket=row.ticket,
        ahead=booked.ahead,
        called_to=row.desk,
        may_move=booked.may_change,
        may_cancel=booked.may_cancel,
        check_in_opens_in_seconds=booked.check_in_opens_in_seconds,
    )
