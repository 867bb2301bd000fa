"""Today's appointments as a queue that moves by itself: who waits, who is next, who came. Other days are lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.counter.sessions import OnDuty
from foregate.doors.console.duty import actor_of, duty_of, world_of
from foregate.doors.console.live import Live, state_of
from foregate.doors.console.render import respond
from foregate.doors.pages import forms
from foregate.doors.requests import language_of
from foregate.doors.text import catalog
from foregate.local_time import day_of, say_day, say_when
from foregate.outlets import appointments, queue
from foregate.ports import UnitOfWork
from foregate.ports.outlets import Appointment, Outlet
from foregate.rules import limits
from foregate.rules.appointments import State
from foregate.rules.masks import mask_name, mask_phone
from foregate.rules.services import POOLS, SERVICES
from foregate.situation import Refused, World

DESK_CHARS: Final = 8
STEPS: Final = ("check-in", "call", "served", "missed")
ENDED: Final = (State.SERVED, State.NO_SHOW, State.NOT_CALLED, State.CANCELLED)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One appointment as the queue shows it."""

    id: str
    state: State
    starts_at: int
    service: str
    who: str
    phone: str
    people: int
    ticket: str
    desk: str
    case_no: str
    waits_seconds: int


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Today at one outlet. `hours` is how many come in each hour, for the little chart."""

    state: str
    called: tuple[Line, ...]
    waiting: tuple[Line, ...]
    coming: tuple[Line, ...]
    over: tuple[Line, ...]
    hours: tuple[tuple[int, int], ...]


async def board_of(world: World, outlet: Outlet) -> Board:
    """Read the queue of one outlet."""
    now = world.clock.now()
    async with world.store.begin() as tx:
        rows = await queue.today(tx, outlet, now)
    lines = {row.appointment_id: _line(row, now) for row in rows}
    by_state = [(lines[row.appointment_id], row.state) for row in rows]
    return Board(
        state=_state(rows),
        called=tuple(line for line, state in by_state if state is State.CALLED),
        waiting=tuple(lines[row.appointment_id] for row in queue.in_line(rows, now)),
        coming=tuple(line for line, state in by_state if state is State.CONFIRMED),
        over=tuple(line for line, state in by_state if state in ENDED),
        hours=tuple(queue.load_by_hour(rows, outlet).items()),
    )


def _state(rows: Sequence[Appointment]) -> str:
    return state_of([(row.appointment_id, row.state, row.ticket, row.desk, row.called_at) for row in rows])


def _line(row: Appointment, now: int) -> Line:
    return Line(
        id=row.appointment_id,
        state=row.state,
        starts_at=row.starts_at,
        service=row.service,
        who=mask_name(row.surname) if row.surname else "",
        phone=mask_phone(row.phone) if row.phone else "",
        people=row.people,
        ticket=row.ticket or "",
        desk=row.desk,
        case_no=row.case_no or "",
        waits_seconds=max(0, now - row.queue_at) if row.queue_at else 0,
    )


async def show_queue(request: Request, duty: OnDuty) -> Response:
    """The queue; with `day` another day's list."""
    today, day = _today(request), day_of_request(request)
    return await (_show_today(request, duty, today) if day == today else _show_day(request, duty, today, day))


def _today(request: Request) -> date:
    return day_of(world_of(request).clock.now(), request.state.outlet.time_zone)


def day_of_request(request: Request) -> date:
    """Return the day to show, no further back than visits are kept and no further ahead than they are booked."""
    today = _today(request)
    try:
        asked = date.fromisoformat(request.query_params.get("day", "")[:10])
    except ValueError:
        return today
    return min(max(asked, _first(today)), _last(today))


def _first(today: date) -> date:
    return today - timedelta(days=limits.APPOINTMENT_DAYS)


def _last(today: date) -> date:
    return today + timedelta(days=limits.BOOKING_DAYS)


def _days(request: Request, today: date, day: date) -> dict[str, Any]:
    """Return what leads from a day to another."""
    return {
        "day": day.isoformat(),
        "day_in_words": say_day(catalog.text, language_of(request), day),
        "first_day": _first(today).isoformat(),
        "last_day": _last(today).isoformat(),
        "day_before": (day - timedelta(days=1)).isoformat() if day > _first(today) else "",
        "day_after": (day + timedelta(days=1)).isoformat() if day < _last(today) else "",
        "said": request.query_params.get("said", "")[:40],
        "ticket": request.query_params.get("ticket", "")[:8],
        "desk": request.query_params.get("desk", "")[:DESK_CHARS],
    }


async def _show_day(request: Request, duty: OnDuty, today: date, day: date) -> Response:
    lines = await lines_of(request, day)
    return respond(request, duty, "queue_day.html", tab="queue", lines=lines, **_days(request, today, day))


async def lines_of(request: Request, day: date) -> list[Line]:
    """Return everything of one day at this member's outlet, by time."""
    now = world_of(request).clock.now()
    async with world_of(request).store.begin() as tx:
        rows = await queue.on_day(tx, request.state.outlet, day)
    return [_line(row, now) for row in rows]


async def _show_today(request: Request, duty: OnDuty, today: date) -> Response:
    outlet, world = request.state.outlet, world_of(request)
    async with world.store.begin() as tx:
        offers = await appointments.offers_at(tx, outlet)
    facts: dict[str, Any] = {
        "board": await board_of(world, outlet),
        "services": sorted(offers),
    } | _days(request, today, today)
    return respond(request, duty, "queue.html", tab="queue", **facts)


async def watch_queue(request: Request, duty: OnDuty) -> Response:
    """Say when the queue moved."""
    outlet, world, live = request.state.outlet, world_of(request), request.app.state.live

    async def read() -> str:
        async with world.store.begin() as tx:
            return _state(await queue.today(tx, outlet, world.clock.now()))

    return watch(request, duty, live, f"queue:{outlet.outlet_id}", read)


def watch(request: Request, duty: OnDuty, live: Live, key: str, read: Callable[[], Awaitable[str]]) -> Response:
    """Return the stream of one thing, for as long as this member is on duty."""

    async def is_on_duty() -> bool:
        return await duty_of(request, is_used=False) is not None

    seen = request.query_params.get("seen", "")[:16]
    return live.response(duty.member.staff_id, key, seen, read, is_on_duty)


async def call_next(request: Request, duty: OnDuty) -> Response:
    """Call whoever is next to this desk."""
    form = await forms.posted(request)
    desk, outlet, world = form.get("desk", "").strip()[:DESK_CHARS] or "1", request.state.outlet, world_of(request)
    pools = [form["pool"]] if form.get("pool") in POOLS else list(POOLS)
    async with world.store.begin() as tx:
        called = await queue.call_next(tx, outlet, pools, desk, world.clock.now(), actor_of(request, duty).name)
    return _back("called" if called else "nobody", desk, called.ticket if called else None)


async def draw_ticket(request: Request, duty: OnDuty) -> Response:
    """A ticket for somebody who came without an appointment."""
    form, world = await forms.posted(request), world_of(request)
    async with world.store.begin() as tx:
        drawn = await queue.walk_in(
            tx, request.state.outlet, form.get("service", ""), world.clock.now(), actor_of(request, duty).name
        )
    if isinstance(drawn, Refused):
        return _back("refused", form.get("desk", ""))
    return _back("drawn", form.get("desk", ""), drawn.ticket)


def moved_by(verb: str) -> Callable[[Request, OnDuty], Awaitable[Response]]:
    """Return the handler of one step of one appointment."""

    async def move(request: Request, duty: OnDuty) -> Response:
        form, world = await forms.posted(request), world_of(request)
        desk, now = form.get("desk", "").strip()[:DESK_CHARS], world.clock.now()
        async with world.store.begin() as tx:
            row = await tx.appointments.hold(request.path_params["appointment_id"])
            if row is None or row.outlet_id != request.state.outlet.outlet_id:
                return _back("refused", desk)
            moved = await _step(tx, verb, request.state.outlet, row, desk or "1", now, actor_of(request, duty).name)
        return _back("refused" if isinstance(moved, Refused) else verb, desk, row.ticket)

    return move


async def _step(
    tx: UnitOfWork, verb: str, outlet: Outlet, row: Appointment, desk: str, now: int, actor: str
) -> Appointment | Refused:
    if verb == "check-in":
        return await appointments.check_in(tx, row, outlet, now, actor)
    if verb == "call":
        return await queue.call_again(tx, row, desk, now, actor)
    return await (queue.served if verb == "served" else queue.missed)(tx, row, now, actor)


# ---------------------------------------------------------------- handing an appointment over


async def text_link(request: Request, duty: OnDuty) -> Response:
    """Text the link again to whoever booked, as seldom as any message goes to one number."""
    world, now = world_of(request), world_of(request).clock.now()
    async with world.store.begin() as tx:
        row = await _booked_here(request, tx)
        if row is None or row.phone is None:
            return _back("refused")
        day = _list_of(row, request.state.outlet, now)
        key = world.keyring.digest("appointment-text", row.phone)
        if not (await tx.codes.spend_send(key, now)).is_allowed:
            return _back("texted-already", day=day)
        await appointments.tell(tx, world.keyring, row, request.state.outlet, "sms.appointment-booked", now)
        await appointments.record(tx, row, "appointment-texted", now, actor_of(request, duty).name)
    return _back("texted", day=day)


async def show_slip(request: Request, duty: OnDuty) -> Response:
    """The appointment on paper: when, where, what to bring. Nothing on it says who comes."""
    async with world_of(request).store.begin() as tx:
        row = await _booked_here(request, tx)
    if row is None:
        return _back("refused")
    day = day_of(row.starts_at, request.state.outlet.time_zone).isoformat()
    when = say_when(catalog.text, language_of(request), row.starts_at, request.state.outlet.time_zone)
    return respond(request, duty, "slip.html", tab="queue", row=row, when=when, day=day, service=SERVICES[row.service])


async def _booked_here(request: Request, tx: UnitOfWork) -> Appointment | None:
    row = await tx.appointments.hold(request.path_params["appointment_id"])
    is_here = row is not None and row.outlet_id == request.state.outlet.outlet_id and row.state is State.CONFIRMED
    return row if is_here else None


def _list_of(row: Appointment, outlet: Outlet, now: int) -> str:
    """Return the day whose list shows `row`, empty where that is the queue."""
    first, last = queue.span_at(now, outlet.time_zone)
    return "" if first <= row.starts_at < last else day_of(row.starts_at, outlet.time_zone).isoformat()


def _back(said: str, desk: str = "", ticket: str | None = None, day: str = "") -> Response:
    number = "".join(c for c in desk if c.isalnum())[:DESK_CHARS]
    there = f"&day={day}" if day else ""
    return RedirectResponse(f"/console/queue?said={said}&desk={number}&ticket={ticket or ''}{there}", 303)
