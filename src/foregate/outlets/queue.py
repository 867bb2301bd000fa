"""The queue of one outlet, for those who work there: who waits, who is next, who came and who did not.

Every function is one step inside a transaction of the caller's, is guarded by the state the appointment is in, and
leaves an audit event with the member of staff as its actor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from foregate.ids import new_id
from foregate.local_time import at_place, day_of, day_span
from foregate.outlets.appointments import draw, offers_at, record, release
from foregate.ports import UnitOfWork
from foregate.ports.outlets import Appointment, Outlet
from foregate.rules import limits
from foregate.rules.appointments import HERE, Event, NoTransition, State
from foregate.rules.limits import MINUTE
from foregate.rules.services import SERVICES
from foregate.situation import Refused

WAITING: Final = frozenset({State.CHECKED_IN})


async def today(tx: UnitOfWork, outlet: Outlet, now: int) -> tuple[Appointment, ...]:
    """Return today's appointments and tickets, in every state, by time.

    Where people work through the night, midnight ends no queue: whoever still waits since yesterday is in it, and so
    is whoever may already check in for the first minutes of tomorrow.
    """
    first, last = span_at(now, outlet.time_zone)
    midnight, _ = day_span(day_of(now, outlet.time_zone), outlet.time_zone)
    rows = await tx.appointments.of_outlet(outlet.outlet_id, first, last)
    return tuple(row for row in rows if row.starts_at >= midnight or row.state in HERE)


def span_at(now: int, time_zone: str) -> tuple[int, int]:
    """Return between which moments the visits of the queue begin, the second one excluded."""
    first, _ = day_span(day_of(now - limits.QUEUE_AFTER_MIDNIGHT_SECONDS, time_zone), time_zone)
    _, last = day_span(day_of(now, time_zone), time_zone)
    return first, max(last, now + limits.CHECK_IN_BEFORE_SECONDS + 1)


async def on_day(tx: UnitOfWork, outlet: Outlet, day: date) -> tuple[Appointment, ...]:
    """Return the appointments of one day."""
    return await tx.appointments.of_outlet(outlet.outlet_id, *day_span(day, outlet.time_zone))


def load_by_hour(rows: Iterable[Appointment], outlet: Outlet) -> Mapping[int, int]:
    """Return how many people come in each hour of the day; who cancelled does not."""
    hours = Counter(at_place(r.starts_at, outlet.time_zone).hour for r in rows if r.state is not State.CANCELLED)
    return dict(sorted(hours.items()))


def in_line(rows: Iterable[Appointment], now: int) -> tuple[Appointment, ...]:
    """Return who waits, in the order in which they will be called."""

    def turn(row: Appointment) -> tuple[bool, int, int, str]:
        is_due = not row.is_walk_in and row.starts_at <= now
        return not is_due, row.starts_at if is_due else 0, row.queue_at, row.appointment_id

    return tuple(sorted((row for row in rows if row.state in WAITING), key=turn))


def ahead_of(row: Appointment, rows: Iterable[Appointment], now: int) -> int:
    """Return how many are called before `row`, by the same people."""
    pool = SERVICES[row.service].pool
    line = [other for other in in_line(rows, now) if SERVICES[other.service].pool == pool]
    return next((place for place, other in enumerate(line) if other.appointment_id == row.appointment_id), 0)


async def walk_in(
    tx: UnitOfWork, outlet: Outlet, service: str, now: int, actor: str, people: int = 1
) -> Appointment | Refused:
    """Give a ticket to somebody who came without an appointment."""
    offer = (await offers_at(tx, outlet)).get(service)
    if offer is None or not 1 <= people <= limits.PEOPLE_PER_BOOKING:
        return Refused(cause="input-invalid")
    row = Appointment(
        appointment_id=new_id(),
        outlet_id=outlet.outlet_id,
        service=service,
        state=State.CHECKED_IN,
        starts_at=now,
        ends_at=now + offer.service.minutes * MINUTE,
        people=people,
        created_at=now,
        ticket=await draw(tx, outlet, offer.service, now),
        queue_at=now,
    )
    await tx.appointments.insert(row)
    await record(tx, row, "ticket-drawn", now, actor)
    return row


async def call_next(
    tx: UnitOfWork, outlet: Outlet, pools: Iterable[str], desk: str, now: int, actor: str
) -> Appointment | None:
    """Call whoever is next today for one of `pools` to `desk`. Two who call at once call two people. None: nobody."""
    wanted = sorted(service.code for service in SERVICES.values() if service.pool.name in set(pools))
    row = await tx.appointments.next_in_line(outlet.outlet_id, wanted, *span_at(now, outlet.time_zone), now)
    if row is None:
        return None
    called = await tx.appointments.advance(row, Event.CALLED, called_at=now, desk=desk)
    await record(tx, called, "appointment-called", now, actor, desk=desk)
    return called


async def call_again(tx: UnitOfWork, row: Appointment, desk: str, now: int, actor: str) -> Appointment | Refused:
    """Call somebody who waits, out of turn, or who did not hear it."""
    return await _advance(tx, row, Event.CALLED, "appointment-called", now, actor, called_at=now, desk=desk)


async def served(tx: UnitOfWork, row: Appointment, now: int, actor: str) -> Appointment | Refused:
    """They were helped."""
    return await _advance(tx, row, Event.SERVED, "appointment-served", now, actor, ended_at=now)


async def missed(tx: UnitOfWork, row: Appointment, now: int, actor: str) -> Appointment | Refused:
    """They did not come, or had gone when it was their turn. Every NO_SHOWS-th rests the number from booking."""
    gone = await _advance(tx, row, Event.MISSED, "appointment-missed", now, actor, ended_at=now)
    if isinstance(gone, Refused):
        return gone
    await release(tx, row)
    if row.phone is not None:
        await tx.appointments.note_no_show(row.phone, now)
    return gone


async def end_day(tx: UnitOfWork, row: Appointment, now: int, actor: str) -> Appointment | Refused:
    """The day is over: who was called was served, and who still waits was not called. Neither is a no-show."""
    kind = "appointment-served" if row.state is State.CALLED else "appointment-not-called"
    ended = await _advance(tx, row, Event.DAY_ENDED, kind, now, actor, ended_at=now)
    if not isinstance(ended, Refused):
        await release(tx, row)
    return ended


async def _advance(
    tx: UnitOfWork, row: Appointment, event: Event, kind: str, now: int, actor: str, **changes: str | int
) -> Appointment | Refused:
    try:
        moved = await tx.appointments.advance(row, event, **changes)
    except NoTransition:
        return Refused(cause="appointment-over")
    await record(tx, moved, kind, now, actor)
    return moved
