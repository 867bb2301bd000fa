"""Appointments as visitors meet them: the place that a journey holds, what is free, and what a link leads to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import msgspec

from foregate.desk.identify import ByBooking
from foregate.desk.state import unseal
from foregate.desk.turn import NOBODY, Caller, Turn
from foregate.desk.view import Reply
from foregate.local_time import at_place, day_of
from foregate.outlets import appointments, cases, queue
from foregate.outlets.appointments import Booking, Offer, PlaceTaken
from foregate.ports import UnitOfWork
from foregate.ports.outlets import Appointment, CaseFile, Outlet
from foregate.rules import inputs, limits
from foregate.rules.appointments import State
from foregate.rules.services import SERVICES
from foregate.situation import Refused, World


async def objection(turn: Turn, claim: ByBooking) -> Reply | None:
    """Hold the place that the visitor wants, in the transaction that sends the code; or say what is against it.

    Nobody has been told apart by then, so the journey stands where it stood: another time may be chosen.
    """
    fields: dict[str, str] = {}
    try:
        refused = await _hold(turn, claim)
    except inputs.InvalidFields as wrong:
        refused, fields = Refused(cause="input-invalid"), wrong.fields
    if refused is None:
        return None
    await turn.save(moved=False)
    return await turn.told(refused, fields)


async def _hold(turn: Turn, claim: ByBooking) -> Refused | None:
    booking = Booking(
        outlet_id=claim.outlet,
        service=claim.service,
        starts_at=moment_of(claim.starts_at),
        people=int(claim.people),
        phone=claim.phone,
        surname=claim.surname,
        case_no=claim.case_number or None,
        language=turn.state.language,
    )
    return await appointments.hold(turn.tx, turn.house.world.keyring, booking, turn.stored.journey_id, turn.now)


def moment_of(text: str) -> int:
    """Return a moment in its normal form as seconds since 1970."""
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC).timestamp())


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """What is free at an outlet for a service, from one day to another."""

    outlet: Outlet
    offer: Offer
    first_day: date
    last_day: date
    last_bookable_day: date
    starts: tuple[int, ...]

    @property
    def by_day(self) -> dict[date, list[int]]:
        """The free times under the day that it is at the outlet."""
        days: dict[date, list[int]] = {}
        for start in self.starts:
            days.setdefault(day_of(start, self.outlet.time_zone), []).append(start)
        return days


class Wish(msgspec.Struct, frozen=True):
    """What somebody is about to book, as far as they chose."""

    outlet: str = ""
    service: str = ""
    case: str = ""


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """What a link shows. Neither number nor name: the link may be forwarded."""

    row: Appointment
    outlet: Outlet
    now: int
    ahead: int

    @property
    def may_change(self) -> bool:
        """Whether it may still be moved."""
        return self.row.state is State.CONFIRMED and self.row.starts_at > self.now

    @property
    def may_cancel(self) -> bool:
        """Whether it may still be cancelled."""
        return self.row.state in (State.CONFIRMED, State.CHECKED_IN)

    @property
    def check_in_opens_in_seconds(self) -> int | None:
        """0: now. None: not any more."""
        if self.row.state is not State.CONFIRMED:
            return None
        if self.now > self.row.starts_at + limits.CHECK_IN_AFTER_SECONDS:
            return None
        return max(0, self.row.starts_at - limits.CHECK_IN_BEFORE_SECONDS - self.now)

    def iso(self, moment: int) -> str:
        """Return a moment as the clock at the outlet shows it, with its offset from UTC."""
        return at_place(moment, self.outlet.time_zone).isoformat(timespec="minutes")


Change = Callable[[UnitOfWork, Appointment, Outlet, int], Awaitable[Appointment | Refused]]


class Bookings:
    """What anybody may see of free times, and who has a link of their appointment."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def outlet(self, outlet_id: str) -> tuple[Outlet, dict[str, Offer]] | None:
        """Return an outlet and what it does by appointment."""
        async with self._world.store.begin() as tx:
            outlet = await tx.outlets.find(outlet_id)
            return (outlet, await appointments.offers_at(tx, outlet)) if outlet is not None else None

    async def times(self, outlet_id: str, service: str, from_day: date | None) -> Times | None:
        """Return the free times of a week from `from_day` on. None: no such outlet, or it does not do that."""
        now = self._world.clock.now()
        async with self._world.store.begin() as tx:
            outlet = await tx.outlets.find(outlet_id)
            offer = (await appointments.offers_at(tx, outlet)).get(service) if outlet is not None else None
            if outlet is None or offer is None:
                return None
            first, last = appointments.bookable_days(outlet, now)
            shown = min(max(from_day or first, first), last)
            until = min(shown + timedelta(days=limits.BOOKING_DAYS_SHOWN - 1), last)
            free = await appointments.free_times(tx, outlet, offer, now, shown, until)
        return Times(
            outlet=outlet, offer=offer, first_day=shown, last_day=until, last_bookable_day=last, starts=free
        )  # fmt: skip

    async def wish_of(self, journey_id: str, caller: Caller) -> Wish | None:
        """Return what a journey of this very browser wanted to book, to go on with another time."""
        async with self._world.store.begin() as tx:
            journey = await tx.journeys.lock(journey_id)
            if journey is None or journey.visitor_digest != caller.visitor_digest:
                return None
            row = await tx.appointments.hold_of_journey(journey_id)
        return Wish(outlet=row.outlet_id, service=row.service, case=row.case_no or "") if row is not None else None

    async def open_case(self, journey_id: str, caller: Caller, told: str | None) -> CaseFile | None:
        """Write down what happened on a journey of this very browser, under a number to carry to the counter."""
        now = self._world.clock.now()
        async with self._world.store.begin() as tx:
            journey = await tx.journeys.lock(journey_id)
            if journey is None or journey.visitor_digest != caller.visitor_digest:
                return None
            state = unseal(journey, self._world.keyring)
            subject = state.subject or NOBODY
            facts = {
                "status": journey.status,
                "who": state.who.value if state.who is not None else "",
                "customer_id": subject.customer_id if subject.known else "",
                "flaw": subject.flaw or "",
                "proved": "+".join(sorted({evidence.proof for evidence in state.evidence})),
            }
            chain = subject.customer_id if subject.known else f"stranger-{subject.customer_id[-1]}"
            return await cases.open_case(tx, journey_id, journey.name, told, facts, chain, now)

    async def look(self, token: str) -> Booked | Refused:
        """Return what a link leads to. Changes nothing."""
        now = self._world.clock.now()
        async with self._world.store.begin() as tx:
            row = await tx.appointments.find_by_token(appointments.token_digest(token))
            return await _booked(tx, row, now)

    async def cancel(self, token: str) -> Booked | Refused:
        """Cancel; the place is free at once."""
        return await self._change(token, lambda tx, row, outlet, now: appointments.cancel(tx, row, now))

    async def check_in(self, token: str) -> Booked | Refused:
        """Draw the ticket."""
        return await self._change(token, appointments.check_in)

    async def move(self, token: str, starts_at: str) -> Booked | Refused:
        """Take another time. Raises InvalidFields for a time that nobody could book."""
        keyring, start = self._world.keyring, moment_of(inputs.NORMAL[inputs.Kind.MOMENT](starts_at))
        return await self._change(
            token, lambda tx, row, outlet, now: appointments.move(tx, keyring, row, start, now)
        )  # fmt: skip

    async def _change(self, token: str, change: Change) -> Booked | Refused:
        now = self._world.clock.now()
        try:
            async with self._world.store.begin() as tx:
                found = await tx.appointments.find_by_token(appointments.token_digest(token))
                row = await tx.appointments.hold(found.appointment_id) if found is not None else None
                outlet = await tx.outlets.find(row.outlet_id) if row is not None else None
                if row is None or outlet is None or not _is_shown(row):
                    return Refused(cause="appointment-unknown")
                changed = await change(tx, row, outlet, now)
                return changed if isinstance(changed, Refused) else await _booked(tx, changed, now)
        except PlaceTaken:  # rolled back: the old place is still theirs
            return Refused(cause="place-taken")


async def _booked(tx: UnitOfWork, row: Appointment | None, now: int) -> Booked | Refused:
    outlet = await tx.outlets.find(row.outlet_id) if row is not None else None
    if row is None or outlet is None or not _is_shown(row):
        return Refused(cause="appointment-unknown")
    ahead = 0
    if row.state is State.CHECKED_IN:
        ahead = queue.ahead_of(row, await queue.today(tx, outlet, now), now)
    return Booked(row=row, outlet=outlet, now=now, ahead=ahead)


def _is_shown(row: Appointment) -> bool:
    # What was only held has no link yet.
    return row.state not in (State.HELD, State.EXPIRED) and row.service in SERVICES
