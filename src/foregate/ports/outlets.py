"""Outlets and appointments: the records that cross a port, and what the house asks of the store about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, Protocol

import msgspec

from foregate.rules.appointments import Event, State
from foregate.rules.places import Place


class Outlet(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the bank. Coordinates are WGS-84, degrees; None where nobody knows them."""

    outlet_id: str  # the bank's own stable number for it
    name: str
    kind: str = "branch"  # branch | sub-branch | self-service | atm
    name_latin: str = ""
    address: str = ""
    country: str = "CN"  # ISO 3166-1 alpha-2: whose holidays count
    province: str = ""
    city: str = ""
    district: str = ""
    latitude: float | None = None
    longitude: float | None = None
    phone: str = ""
    services: tuple[str, ...] = ()  # codes of `rules.services`
    languages: tuple[str, ...] = ()  # BCP 47
    wheelchair: str = "unknown"  # yes | limited | no | unknown, as OSM says it
    hours: str = ""  # OSM opening_hours syntax; empty: nobody knows
    time_zone: str = "Asia/Shanghai"  # IANA

    @property
    def place(self) -> Place | None:
        """Where it stands, if anybody knows."""
        if self.latitude is None or self.longitude is None:
            return None
        return Place(self.latitude, self.longitude)


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank says of an outlet at the console. It stands above the file; None: as the file has it."""

    name: str | None = None
    address: str | None = None
    phone: str | None = None
    services: tuple[str, ...] | None = None
    wheelchair: str | None = None
    hours: str | None = None

    def above(self, filed: Outlet) -> Outlet:
        """Return the outlet as everybody sees it."""
        said = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return msgspec.structs.replace(filed, **said)


class Managed(msgspec.Struct, frozen=True, kw_only=True):
    """An outlet as administrators see it, also when nobody else does. `filed`: what the file says, or said at last."""

    outlet: Outlet
    filed: Outlet
    own: Own
    is_closed: bool  # taken out at the console: no file brings it back
    is_gone: bool  # the file no longer holds it


class HoursException(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank says about one day, above hours and holidays. `outlet_id` empty: every outlet of the country."""

    outlet_id: str
    country: str
    day: str  # ISO date
    hours: str  # "off", or OSM time ranges such as 10:00-14:00
    reason: str = ""


class Position(msgspec.Struct, frozen=True):
    """Where a list stopped: the outlet that was last, and what it was sorted by. Whole numbers: see `rules.places`."""

    order: int
    outlet_id: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for. Words, city and service are in the form of `rules.outlet_words`.

    With `centre` the nearest come first, else those whose name fits best.
    """

    words: tuple[str, ...] = ()
    city: str = ""
    service: str = ""
    is_step_free: bool = False
    centre: Place | None = None


class Found(msgspec.Struct, frozen=True):
    """An outlet of a list. `metres` from the centre that was asked for; None: not asked, or its place is unknown."""

    outlet: Outlet
    metres: float | None
    position: Position


class Written(msgspec.Struct, frozen=True):
    """What a batch came to."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


class Outlets(Protocol):
    """The bank's outlets. Those that were retired are found by nobody, and come back when they are put again."""

    async def find(self, outlet_id: str) -> Outlet | None:
        """Read one that is open to the public."""

    async def find_to_book(self, outlet_id: str) -> Outlet | None:
        """Read one that is open to the public, and have it stay so until the transaction ends."""

    async def page(self, wanted: Wanted, limit: int, after: Position | None = None) -> tuple[Found, ...]:
        """Return the next `limit` outlets that fit, in order."""

    async def put(self, outlets: Sequence[Outlet], now: int) -> Written:
        """Write what is new or other than it was, OUTLET_BATCH at most; what is the same costs one read."""

    async def ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the next ids, in order, of those not retired."""

    async def retire(self, outlet_ids: Sequence[str], now: int) -> int:
        """Take outlets out of every list. Returns how many were in one."""

    async def put_exception(self, exception: HoursException) -> None:
        """Say what is different on one day; what was said before of that day is replaced."""

    async def delete_exception(self, outlet_id: str, country: str, day: str) -> bool:
        """Take it back. False: there was none."""

    async def exceptions(self, outlet_ids: Sequence[str], first_day: str, last_day: str) -> tuple[HoursException, ...]:
        """Return what is said of these days (ISO): of these outlets, OUTLETS_PER_PAGE_MAX at most, and of countries."""

    async def exceptions_of(self, outlet: Outlet, first_day: date, last_day: date) -> tuple[HoursException, ...]:
        """Return what is said of these days, of one outlet and its country: for `outlets.hours`."""

    async def every_exception(self, first_day: str, limit: int) -> tuple[HoursException, ...]:
        """Return what is said from a day on, by day: for the console."""


class OwnOutlets(Protocol):
    """Outlets as the console manages them. What is said here no import takes back."""

    async def find(self, outlet_id: str) -> Managed | None:
        """Read one and hold it until the transaction ends, whether or not it is open to the public."""

    async def say(self, managed: Managed, own: Own, now: int) -> Outlet:
        """Put `own` above the file from now on. Returns the outlet as everybody sees it."""

    async def close(self, outlet_id: str, now: int) -> bool:
        """Take an outlet out of every list, whatever a file says later. False: it was in none."""

    async def reopen(self, managed: Managed, now: int) -> bool:
        """Bring back what was closed here. False: it was not."""

    async def closed(self, limit: int) -> tuple[Outlet, ...]:
        """Return what was closed here, by number."""

    async def countries(self) -> tuple[str, ...]:
        """Return the countries that outlets are in."""


# ---------------------------------------------------------------- appointments

FOR_GOOD: Final = 1 << 60  # of a place that is taken, not only held


class Appointment(msgspec.Struct, frozen=True, kw_only=True):
    """A place at an outlet, or a ticket drawn by somebody who walked in. Phone and surname are in clear here,
    encrypted in the store; who walks in leaves neither."""

    appointment_id: str
    outlet_id: str
    service: str
    state: State
    starts_at: int
    ends_at: int
    people: int
    created_at: int
    held_until: int = 0  # of a place that is only held
    journey_id: str | None = None
    phone: str | None = None  # E.164
    surname: str | None = None
    token_digest: bytes | None = None  # of the secret in the link
    reference: str = ""
    case_no: str | None = None
    language: str = "zh"
    reminded: int = 0  # reminders that were sent, or whose time had passed when it was booked
    ticket: str | None = None
    queue_at: int = 0  # since when the person waits
    called_at: int = 0
    desk: str = ""  # where they were called to
    ended_at: int = 0

    @property
    def is_walk_in(self) -> bool:
        """Whether nobody booked it."""
        return self.phone is None


class Booker(msgspec.Struct, frozen=True):
    """What is remembered of a number that books."""

    no_shows: int
    paused_until: int


class CaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody tried at the door, for whoever helps them at the counter. `facts` are encrypted in the store.

    The visitor sees the number alone. The facts are the journey's real ones, so they are for staff.
    """

    case_no: str
    journey_id: str
    service: str
    facts: Mapping[str, str]  # journey, cause as told, customer_id, flaw, proved
    created_at: int
    expires_at: int


class Appointments(Protocol):
    async def insert(self, appointment: Appointment) -> None:
        """Write a new one."""

    async def find(self, appointment_id: str) -> Appointment | None:
        """Read it. Holds nothing."""

    async def find_by_token(self, token_digest: bytes) -> Appointment | None:
        """Read what a link leads to. Holds nothing."""

    async def hold(self, appointment_id: str) -> Appointment | None:
        """Read it and hold it until the transaction ends."""

    async def hold_of_journey(self, journey_id: str) -> Appointment | None:
        """Read what a journey booked, and hold it until the transaction ends."""

    async def advance(self, before: Appointment, event: Event, **changes: str | int | bytes | None) -> Appointment:
        """Let `event` happen, guarded by the state in `before`. Raises NoTransition, also when it had moved."""

    async def change(self, before: Appointment, **changes: str | int | bytes | None) -> Appointment:
        """Change what does not move it, guarded by the state in `before`. Raises NoTransition when it had moved."""

    async def take(
        self,
        appointment: Appointment,
        pool: str,
        slots: Sequence[int],
        capacity: int,
        *,
        until: int,
        now: int,
        leaving: Sequence[int] = (),
    ) -> bool:
        """Take one unit of `pool` in each slot, and give back the slots `leaving` that are not among them.

        Units are taken in one order by everybody. `until` is when the hold lapses; FOR_GOOD: never. A unit that
        lapsed is free, as the statement that takes it finds. False: one slot is full, and nothing is held any more.
        """

    async def release(self, appointment: Appointment, pool: str, slots: Sequence[int]) -> None:
        """Give the units back."""

    async def taken(self, outlet_id: str, pool: str, first: int, last: int, now: int) -> Mapping[int, frozenset[int]]:
        """Which units are taken, by slot, from `first` to just before `last`."""

    async def hold_booker(self, phone: str, now: int) -> Booker:
        """Read what is known of a number, and hold it until the transaction ends: one booking at a time."""

    async def note_no_show(self, phone: str, now: int) -> Booker:
        """Count an appointment that was missed; every NO_SHOWS-th pauses the number."""

    async def open_of(self, phone: str, now: int) -> tuple[Appointment, ...]:
        """Every appointment of a number that is still to come, or under way and not forgotten since yesterday."""

    async def capacities(self, outlet_id: str) -> Mapping[str, int]:
        """What the bank said for this outlet: service to capacity; 0: not offered here."""

    async def set_capacity(self, outlet_id: str, service: str, capacity: int | None) -> None:
        """Say how many people an outlet has for a service; None: as everywhere."""

    async def next_ticket(self, outlet_id: str, day: str, letter: str, now: int) -> int:
        """Return the next number of the day, without a gap: 1, 2, 3."""

    async def of_outlet(self, outlet_id: str, first: int, last: int) -> tuple[Appointment, ...]:
        """Everything of an outlet from `first` to just before `last` that was ever confirmed, by time."""

    async def next_in_line(
        self, outlet_id: str, services: Sequence[str], first: int, last: int, now: int
    ) -> Appointment | None:
        """Hold whoever waits and comes next: appointments whose time has come, then everybody by arrival.

        Only of those from `first` to just before `last`: whom a day left behind is never called on another.
        """

    async def to_remind(self, number: int, now: int) -> tuple[Appointment, ...]:
        """Confirmed ones whose reminder `number` (1: the day before, 2: soon) is due."""

    async def lapsed(self, now: int) -> tuple[Appointment, ...]:
        """Holds that ran out."""

    async def missed(self, now: int) -> tuple[Appointment, ...]:
        """Confirmed ones that nobody came to."""

    async def zones_here(self) -> tuple[str, ...]:
        """The time zones (IANA) of the outlets where somebody waits or is called."""

    async def left_over(self, time_zone: str, before: int) -> tuple[Appointment, ...]:
        """Those at outlets of a time zone who wait or are called, and whose visit was to begin before `before`."""


class Cases(Protocol):
    async def insert(self, case: CaseFile) -> bool:
        """Write it. False: the number is taken already, or the journey has CASES_PER_JOURNEY."""

    async def find(self, case_no: str, now: int) -> CaseFile | None:
        """Read it, until it expires."""

    async def of_journey(self, journey_id: str) -> tuple[CaseFile, ...]:
        """What a journey opened already."""
