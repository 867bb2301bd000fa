"""Appointments: which times are free, and what happens to a place from the hold to the visit.

Rules
  1. A place is held before the code is sent, and is the visitor's own when the code is right. A hold that lapsed
     meanwhile is taken again when the place is still free.
  2. Limits are the number's, so they are told only after the code proved the number.
  3. Whoever has the link may see, move and cancel; it shows neither the number nor the name.
  4. The secret of a link is derived, not stored: reminders carry it, the database has only its digest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from foregate.ids import new_id
from foregate.local_time import day_of
from foregate.outlets import slots
from foregate.outlets.hours import Span, open_spans
from foregate.ports import Event, Keyring, Message, UnitOfWork
from foregate.ports.outlets import FOR_GOOD, Appointment, Outlet
from foregate.rules import appointments as rules
from foregate.rules import inputs, limits
from foregate.rules.appointments import NoTransition, State
from foregate.rules.limits import DAY, MINUTE
from foregate.rules.services import SERVICES, Service, offered
from foregate.situation import Refused

LINK_BYTES: Final = 18  # 144 bits
LINK_CHARS: Final = LINK_BYTES * 4 // 3


class Offer(msgspec.Struct, frozen=True):
    """A service as one outlet does it, and how many people it has for it."""

    service: Service
    capacity: int


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody would like to book, and what they say about themselves."""

    outlet_id: str
    service: str
    starts_at: int
    people: int
    phone: str
    surname: str
    case_no: str | None
    language: str


# ---------------------------------------------------------------- links


def link_token(keyring: Keyring, appointment_id: str) -> str:
    """Return the secret part of the link."""
    secret = keyring.derive("appointment-link", appointment_id.encode())[:LINK_BYTES]
    return base64.urlsafe_b64encode(secret).decode()


def link_path(keyring: Keyring, appointment_id: str) -> str:
    """Return where the appointment is seen, moved and cancelled."""
    return f"/appointments/{link_token(keyring, appointment_id)}"


def token_digest(token: str) -> bytes:
    """Return what the store keeps of a link: enough for 144 random bits."""
    return hashlib.sha256(token.encode()).digest()


# ---------------------------------------------------------------- what is free


async def offers_at(tx: UnitOfWork, outlet: Outlet) -> dict[str, Offer]:
    """Return what an outlet does by appointment."""
    said = await tx.appointments.capacities(outlet.outlet_id)
    found = {s.code: Offer(s, said.get(s.code, s.pool.capacity)) for s in offered(outlet.kind, outlet.services)}
    return {code: offer for code, offer in found.items() if offer.capacity > 0}


async def free_times(
    tx: UnitOfWork, outlet: Outlet, offer: Offer, now: int, first_day: date, last_day: date
) -> tuple[int, ...]:
    """Return when `offer` may be booked between two days, both where the outlet stands."""
    candidates = slots.starts(await _spans(tx, outlet, first_day, last_day), offer.service, now)
    if not candidates:
        return ()
    last = candidates[-1] + offer.service.minutes * MINUTE
    taken = await tx.appointments.taken(outlet.outlet_id, offer.service.pool.name, candidates[0], last, now)
    return slots.free(candidates, taken, offer.service.minutes, offer.capacity)


async def _spans(tx: UnitOfWork, outlet: Outlet, first_day: date, last_day: date) -> tuple[Span, ...]:
    said = await tx.outlets.exceptions((outlet.outlet_id,), first_day.isoformat(), last_day.isoformat())
    return open_spans(outlet, said, first_day, last_day)


def bookable_days(outlet: Outlet, now: int) -> tuple[date, date]:
    """Return today and the last day that may be booked, where the outlet stands."""
    return day_of(now, outlet.time_zone), day_of(now + limits.BOOKING_DAYS * DAY, outlet.time_zone)


async def _offer_for(tx: UnitOfWork, wanted: Booking, now: int) -> tuple[Outlet, Offer]:
    """Return outlet and offer. Raises InvalidFields when this cannot be booked there, whoever asks."""
    outlet = await tx.outlets.find_to_book(wanted.outlet_id)
    if outlet is None:
        raise inputs.InvalidFields({"outlet": "outlet-unknown"})
    offer = (await offers_at(tx, outlet)).get(wanted.service)
    if offer is None:
        raise inputs.InvalidFields({"service": "service-not-offered"})
    day = day_of(wanted.starts_at, outlet.time_zone)
    spans = await _spans(tx, outlet, day, day + timedelta(days=1))
    if wanted.starts_at not in slots.starts(spans, offer.service, now):
        raise inputs.InvalidFields({"starts_at": "time-not-offered"})
    return outlet, offer


# ---------------------------------------------------------------- hold and confirm


async def hold(tx: UnitOfWork, keyring: Keyring, wanted: Booking, journey_id: str, now: int) -> Refused | None:
    """Hold the place for HOLD_SECONDS. Raises InvalidFields for what cannot be booked by anybody."""
    outlet, offer = await _offer_for(tx, wanted, now)
    appointment_id, until = new_id(), now + limits.HOLD_SECONDS
    number = int.from_bytes(keyring.derive("appointment-reference", appointment_id.encode()))
    held = Appointment(
        appointment_id=appointment_id,
        journey_id=journey_id,
        outlet_id=outlet.outlet_id,
        service=wanted.service,
        state=State.HELD,
        starts_at=wanted.starts_at,
        ends_at=wanted.starts_at + offer.service.minutes * MINUTE,
        people=wanted.people,
        created_at=now,
        held_until=until,
        phone=wanted.phone,
        surname=wanted.surname,
        token_digest=token_digest(link_token(keyring, appointment_id)),
        reference=rules.spelled(number, rules.REFERENCE_SYMBOLS),
        case_no=wanted.case_no,
        language=wanted.language,
    )
    if not await _take(tx, held, offer, until, now):
        return Refused(cause="place-taken")
    await tx.appointments.insert(held)
    await record(tx, held, "appointment-held", now)
    return None


async def confirm(tx: UnitOfWork, keyring: Keyring, journey_id: str, now: int) -> Appointment | Refused:
    """The number is proved: make the place its own, unless the number has enough, or somebody else has the place."""
    held = await tx.appointments.hold_of_journey(journey_id)
    if held is None or held.phone is None or held.state not in (State.HELD, State.EXPIRED):
        return Refused(cause="place-taken")
    booker = await tx.appointments.hold_booker(held.phone, now)
    outlet = await tx.outlets.find_to_book(held.outlet_id)
    if outlet is None or held.starts_at <= now:
        return await _let_go(tx, held, Refused(cause="place-taken"))
    if booker.paused_until > now:
        return await _let_go(tx, held, Refused(cause="booking-paused", retry_in_seconds=booker.paused_until - now))
    others = await tx.appointments.open_of(held.phone, now)
    for other in others:
        if other.service == held.service:
            await tell(tx, keyring, other, await tx.outlets.find(other.outlet_id), "sms.appointment-booked", now)
            return await _let_go(tx, held, Refused(cause="booked-already"))
    day = day_of(held.starts_at, outlet.time_zone)
    if sum(day_of(o.starts_at, outlet.time_zone) == day for o in others) >= limits.BOOKINGS_PER_DAY:
        return await _let_go(tx, held, Refused(cause="too-many-bookings"))
    offer = (await offers_at(tx, outlet)).get(held.service)
    if offer is None or not await _take(tx, held, offer, FOR_GOOD, now):
        return await _let_go(tx, held, Refused(cause="place-taken"))
    confirmed = await tx.appointments.advance(
        held, rules.Event.CONFIRMED, held_until=0, reminded=_reminded(held.starts_at, now)
    )
    await tell(tx, keyring, confirmed, outlet, "sms.appointment-booked", now)
    await record(tx, confirmed, "appointment-confirmed", now)
    return confirmed


async def _take(
    tx: UnitOfWork, row: Appointment, offer: Offer, until: int, now: int, leaving: Sequence[int] = ()
) -> bool:
    wanted = slots.covered(row.starts_at, offer.service.minutes)
    return await tx.appointments.take(
        row, offer.service.pool.name, wanted, offer.capacity, until=until, now=now, leaving=leaving
    )


async def _let_go(tx: UnitOfWork, held: Appointment, why: Refused) -> Refused:
    """Nothing comes of this place: it is free for others at once."""
    await release(tx, held)
    if held.state is State.HELD:
        await tx.appointments.advance(held, rules.Event.LAPSED)
    return why


async def release(tx: UnitOfWork, row: Appointment) -> None:
    """Give its places back."""
    service = SERVICES[row.service]
    await tx.appointments.release(row, service.pool.name, _slots_of(row))


def _slots_of(row: Appointment) -> tuple[int, ...]:
    return slots.covered(row.starts_at, (row.ends_at - row.starts_at) // MINUTE)


def _reminded(starts_at: int, now: int) -> int:
    """Return which reminders have no sense any more: who books today knows about tomorrow."""
    ahead = starts_at - now
    return (ahead <= limits.REMINDER_DAY_SECONDS) + (ahead <= limits.REMINDER_SOON_SECONDS)


# ---------------------------------------------------------------- by the link


async def cancel(tx: UnitOfWork, row: Appointment, now: int, actor: str = "visitor") -> Appointment | Refused:
    """Cancel; doing it twice is doing it once."""
    if row.state is State.CANCELLED:
        return row
    try:
        cancelled = await tx.appointments.advance(row, rules.Event.CANCELLED, ended_at=now)
    except NoTransition:
        return Refused(cause="appointment-over")
    await release(tx, row)
    await record(tx, cancelled, "appointment-cancelled", now, actor)
    return cancelled


async def move(
    tx: UnitOfWork, keyring: Keyring, row: Appointment, starts_at: int, now: int, actor: str = "visitor"
) -> Appointment | Refused:
    """Take another time of the same service at the same outlet; the old one is free in the same moment.

    When the new place is taken already, the caller has to roll back, so that the old one stays: raises PlaceTaken.
    """
    if row.state is not State.CONFIRMED or row.starts_at <= now:
        return Refused(cause="appointment-over")
    if row.starts_at == starts_at:
        return row
    wanted = Booking(
        outlet_id=row.outlet_id, service=row.service, starts_at=starts_at, people=row.people, phone="", surname="",
        case_no=None, language=row.language,
    )  # fmt: skip
    outlet, offer = await _offer_for(tx, wanted, now)
    changes = {"starts_at": starts_at, "ends_at": starts_at + offer.service.minutes * MINUTE}
    later = msgspec.structs.replace(row, **changes)
    if not await _take(tx, later, offer, FOR_GOOD, now, leaving=_slots_of(row)):
        raise PlaceTaken
    moved = await tx.appointments.advance(row, rules.Event.MOVED, **changes, reminded=_reminded(starts_at, now))
    await tell(tx, keyring, moved, outlet, "sms.appointment-moved", now)
    await record(tx, moved, "appointment-moved", now, actor)
    return moved


class PlaceTaken(Exception):
    """Somebody else took the place that was to be moved to."""


async def check_in(
    tx: UnitOfWork, row: Appointment, outlet: Outlet, now: int, actor: str = "visitor"
) -> Appointment | Refused:
    """Draw the ticket, from CHECK_IN_BEFORE_SECONDS before until CHECK_IN_AFTER_SECONDS after; twice is once."""
    if row.ticket is not None and row.state in (State.CHECKED_IN, State.CALLED):
        return row
    if row.state is not State.CONFIRMED:
        return Refused(cause="appointment-over")
    opens_at = row.starts_at - limits.CHECK_IN_BEFORE_SECONDS
    if now < opens_at:
        return Refused(cause="check-in-closed", retry_in_seconds=opens_at - now)
    if now > row.starts_at + limits.CHECK_IN_AFTER_SECONDS:
        return Refused(cause="check-in-closed")
    ticket = await draw(tx, outlet, SERVICES[row.service], now)
    checked_in = await tx.appointments.advance(row, rules.Event.CHECKED_IN, ticket=ticket, queue_at=now)
    await record(tx, checked_in, "appointment-checked-in", now, actor)
    return checked_in


async def draw(tx: UnitOfWork, outlet: Outlet, service: Service, now: int) -> str:
    """Return the next ticket of the day: the pool's letter and a number, without a gap."""
    day = day_of(now, outlet.time_zone).isoformat()
    number = await tx.appointments.next_ticket(outlet.outlet_id, day, service.pool.letter, now)
    return f"{service.pool.letter}{number:03d}"


# ---------------------------------------------------------------- what is written down and told


def chain_of(row: Appointment) -> str:
    """Return the audit chain: who books is nobody in particular, so one of sixteen for strangers."""
    return f"stranger-{row.appointment_id[-1]}"


async def record(
    tx: UnitOfWork, row: Appointment, kind: str, now: int, actor: str = "visitor", **details: str | int
) -> None:
    """Write the audit event of one appointment. Neither number nor name stands in it."""
    event = Event(
        chain=chain_of(row),
        kind=kind,
        journey_id=row.journey_id,
        actor=actor,
        details={
            "appointment": row.appointment_id, "outlet": row.outlet_id, "service": row.service,
            "starts_at": row.starts_at, **details,
        },
    )  # fmt: skip
    await tx.audit.record(event, now)


async def tell(
    tx: UnitOfWork, keyring: Keyring, row: Appointment, outlet: Outlet | None, template: str, now: int
) -> None:
    """Send the booker a message with the link. It is of no use once the appointment is over."""
    if row.phone is None or outlet is None:
        return
    message = Message(
        message_id=new_id(),
        customer_id=None,
        phone=row.phone,
        template=template,
        language=row.language,
        facts={
            "starts_at": str(row.starts_at),
            "time_zone": outlet.time_zone,
            "outlet": outlet.name,
            "service": row.service,
            "reference": row.reference,
            "path": link_path(keyring, row.appointment_id),
        },
        expires_at=max(row.ends_at, now + MINUTE),
    )
    await tx.outbox.put(message, now)
