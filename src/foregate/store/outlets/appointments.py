"""Appointments and the units of capacity that they take.

Theory of operation
  A unit (outlet, pool, slot, number) is one row, and its key is unique. To take one is to insert the row, or to take
  over one whose hold has lapsed; the statement compares the time itself, and its answer alone decides. So however many
  book at once, and whatever dies in between, no more than `capacity` of them have a row.

  Everybody takes slots from the earliest on, and the units of a slot from the last number down. With one order for all
  nobody waits in a circle. A service with few people uses the low numbers, so others take the high ones first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, delete, select, update

from foregate.ports.outlets import Appointment, Booker
from foregate.rules import limits
from foregate.rules.appointments import OPEN, Event, NoTransition, State, after
from foregate.rules.limits import DAY
from foregate.store.keyring import Keys
from foregate.store.outlets import due
from foregate.store.outlets.appointment_tables import (
    appointment,
    appointment_unit,
    booker,
    outlet_service,
    ticket_counter,
)
from foregate.store.statements import Connection, Row, Statement, Value, insert_into, number, text_of, time_of, word

_a, _u, _now = appointment.c, appointment_unit.c, time_of("now")

# ---------------------------------------------------------------- appointments

_SEALED: Final = frozenset({"phone", "surname"})
_KEPT: Final = ("appointment_id", "journey_id", "created_at", "phone_digest", "phone_sealed", "surname_sealed")
_INSERT: Final = Statement(insert_into(appointment))
_FIND: Final = Statement(select(appointment).where(_a.appointment_id == text_of("of_appointment")))
_BY_TOKEN: Final = Statement(select(appointment).where(_a.token_digest == bindparam("of_token")))
_HOLD: Final = Statement(select(appointment).where(_a.appointment_id == text_of("of_appointment")).with_for_update())
_HOLD_OF_JOURNEY: Final = Statement(select(appointment).where(_a.journey_id == text_of("of_journey")).with_for_update())
_CHANGED: Final = tuple(column.name for column in appointment.columns if column.name not in _KEPT)
_ADVANCE: Final = Statement(
    update(appointment)
    .where(_a.appointment_id == text_of("of_appointment"), _a.state == text_of("was"))
    .values({name: bindparam(name) for name in _CHANGED})
)
_is_open: Final = _a.state.in_([word(state.value) for state in sorted(OPEN)])
_OPEN_OF: Final = Statement(
    select(appointment)
    .where(_a.phone_digest == bindparam("of_phone"), _is_open, _a.ends_at > _now - number(DAY))
    .order_by(_a.starts_at)
)
_OF_OUTLET: Final = Statement(
    select(appointment)
    .where(
        _a.outlet_id == text_of("of_outlet"),
        _a.starts_at >= time_of("first"),
        _a.starts_at < time_of("last"),
        _a.state.not_in([word("held"), word("expired")]),
    )
    .order_by(_a.starts_at, _a.appointment_id)
    .limit(number(limits.QUEUE_ROWS))
)

# ---------------------------------------------------------------- units

_TAKING = insert_into(appointment_unit)
_TAKE: Final = Statement(
    _TAKING.on_conflict_do_update(
        index_elements=list(appointment_unit.primary_key.columns),
        set_={"appointment_id": _TAKING.excluded.appointment_id, "held_until": _TAKING.excluded.held_until},
        where=_u.held_until <= _now,
    ).returning(_u.unit)
)
_mine: Final = (
    _u.outlet_id == text_of("of_outlet"),
    _u.pool == text_of("of_pool"),
    _u.slot_start == time_of("of_slot"),
    _u.appointment_id == text_of("of_appointment"),
)
_KEEP: Final = Statement(update(appointment_unit).where(*_mine).values(held_until=bindparam("until")))
_LEAVE: Final = Statement(delete(appointment_unit).where(*_mine))
_TAKEN: Final = Statement(
    select(_u.slot_start, _u.unit).where(
        _u.outlet_id == text_of("of_outlet"),
        _u.pool == text_of("of_pool"),
        _u.slot_start >= time_of("first"),
        _u.slot_start < time_of("last"),
        _u.held_until > _now,
    )
)

# ---------------------------------------------------------------- numbers that book

_HOLD_BOOKER: Final = Statement(
    insert_into(booker)
    .on_conflict_do_update(index_elements=[booker.c.phone_digest], set_={"touched_at": _now})
    .returning(booker)
)
_is_second: Final = booker.c.no_shows + number(1) >= number(limits.NO_SHOWS)
_NOTE_NO_SHOW: Final = Statement(
    insert_into(booker)
    .on_conflict_do_update(
        index_elements=[booker.c.phone_digest],
        set_={
            "no_shows": case((_is_second, number(0)), else_=booker.c.no_shows + number(1)),
            "paused_until": case(
                (_is_second, _now + number(limits.BOOKING_PAUSE_DAYS * DAY)), else_=booker.c.paused_until
            ),
            "touched_at": _now,
        },
    )
    .returning(booker)
)

# ---------------------------------------------------------------- what the bank said, tickets, the queue

_o = outlet_service.c
_CAPACITIES: Final = Statement(select(outlet_service).where(_o.outlet_id == text_of("of_outlet")))
_SET_CAPACITY: Final = Statement(
    (_setting := insert_into(outlet_service)).on_conflict_do_update(
        index_elements=[_o.outlet_id, _o.service], set_={"capacity": _setting.excluded.capacity}
    )
)
_UNSET_CAPACITY: Final = Statement(
    delete(outlet_service).where(_o.outlet_id == text_of("of_outlet"), _o.service == text_of("of_service"))
)
_t = ticket_counter.c
_NEXT_TICKET: Final = Statement(
    insert_into(ticket_counter)
    .on_conflict_do_update(
        index_elements=[_t.outlet_id, _t.day, _t.letter], set_={"last": _t.last + number(1), "touched_at": _now}
    )
    .returning(_t.last)
)
# Whose time has come goes first; everybody else, early or without an appointment, as they came.
_in_turn: Final = case((and_(_a.phone_digest.is_not(None), _a.starts_at <= _now), _a.starts_at), else_=number(0))


def _next_in_line(services: int) -> Statement:
    wanted = [text_of(f"service_{place}") for place in range(services)]
    return Statement(
        select(appointment)
        .where(
            _a.outlet_id == text_of("of_outlet"),
            _a.starts_at >= time_of("first"),
            _a.starts_at < time_of("last"),
            _a.state == word("checked-in"),
            _a.service.in_(wanted),
        )
        .order_by(case((_in_turn > number(0), number(0)), else_=number(1)), _in_turn, _a.queue_at, _a.appointment_id)
        .limit(number(1))
        .with_for_update(skip_locked=True)
    )


_NEXT_IN_LINE: Final[dict[int, Statement]] = {}


class AppointmentsIn:
    """`ports.outlets.Appointments` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    # ------------------------------------------------------------ one appointment

    async def insert(self, row: Appointment) -> None:
        """Write a new one."""
        await self._connection.run(_INSERT, **self._values(row))

    async def find(self, appointment_id: str) -> Appointment | None:
        """Read it. Holds nothing."""
        return await self._one(_FIND, of_appointment=appointment_id)

    async def find_by_token(self, token_digest: bytes) -> Appointment | None:
        """Read what a link leads to. Holds nothing."""
        return await self._one(_BY_TOKEN, of_token=token_digest)

    async def hold(self, appointment_id: str) -> Appointment | None:
        """Read it and hold it until the transaction ends."""
        return await self._one(_HOLD, of_appointment=appointment_id)

    async def hold_of_journey(self, journey_id: str) -> Appointment | None:
        """Read what a journey booked, and hold it until the transaction ends."""
        return await self._one(_HOLD_OF_JOURNEY, of_journey=journey_id)

    async def advance(self, before: Appointment, event: Event, **changes: str | int | bytes | None) -> Appointment:
        """Let `event` happen, guarded by the state in `before`. Raises NoTransition, also when it had moved."""
        return await self._write(before, {**changes, "state": after(before.state, event)})

    async def change(self, before: Appointment, **changes: str | int | bytes | None) -> Appointment:
        """Change what does not move it, guarded by the state in `before`. Raises NoTransition when it had moved."""
        return await self._write(before, changes)

    async def _write(self, before: Appointment, changes: Mapping[str, Any]) -> Appointment:
        row = _replaced(before, changes)
        values = {name: value for name, value in self._values(row).items() if name in _CHANGED}
        guard = {"of_appointment": row.appointment_id, "was": before.state.value}
        if await self._connection.run(_ADVANCE, **values, **guard) != 1:
            raise NoTransition(f"no longer {before.state}")
        return row

    # ------------------------------------------------------------ units

    async def take(
        self,
        row: Appointment,
        pool: str,
        slots: Sequence[int],
        capacity: int,
        *,
        until: int,
        now: int,
        leaving: Sequence[int] = (),
    ) -> bool:
        """Take one unit in each slot, and give back those of `leaving`. False: one is full, and nothing is held."""
        mine = {"of_outlet": row.outlet_id, "of_pool": pool, "of_appointment": row.appointment_id}
        in_order = sorted({*slots, *leaving})
        for slot in in_order:
            if slot not in slots:
                await self._connection.run(_LEAVE, **mine, of_slot=slot)
                continue
            is_mine = await self._connection.run(_KEEP, **mine, of_slot=slot, until=until) == 1
            if not is_mine and not await self._take_one(row, pool, slot, capacity, until, now):
                await self.release(row, pool, in_order)
                return False
        return True

    async def _take_one(self, row: Appointment, pool: str, slot: int, capacity: int, until: int, now: int) -> bool:
        for unit in reversed(range(capacity)):
            taken = await self._connection.one(
                _TAKE,
                outlet_id=row.outlet_id, pool=pool, slot_start=slot, unit=unit, appointment_id=row.appointment_id,
                held_until=until, now=now,
            )  # fmt: skip
            if taken is not None:
                return True
        return False

    async def release(self, row: Appointment, pool: str, slots: Sequence[int]) -> None:
        """Give the units back."""
        for slot in sorted(slots):
            await self._connection.run(
                _LEAVE, of_outlet=row.outlet_id, of_pool=pool, of_appointment=row.appointment_id, of_slot=slot
            )

    async def taken(self, outlet_id: str, pool: str, first: int, last: int, now: int) -> dict[int, frozenset[int]]:
        """Which units are taken, by slot, from `first` to just before `last`."""
        rows = await self._connection.all(_TAKEN, of_outlet=outlet_id, of_pool=pool, first=first, last=last, now=now)
        found: dict[int, frozenset[int]] = {}
        for row in rows:
            found[row["slot_start"]] = found.get(row["slot_start"], frozenset()) | {row["unit"]}
        return found

    # ------------------------------------------------------------ numbers that book

    async def hold_booker(self, phone: str, now: int) -> Booker:
        """Read what is known of a number, and hold it until the transaction ends."""
        return await self._booker(_HOLD_BOOKER, phone, now, no_shows=0)

    async def note_no_show(self, phone: str, now: int) -> Booker:
        """Count an appointment that was missed; every NO_SHOWS-th pauses the number."""
        return await self._booker(_NOTE_NO_SHOW, phone, now, no_shows=1)

    async def _booker(self, statement: Statement, phone: str, now: int, *, no_shows: int) -> Booker:
        row = await self._connection.one(
            statement, phone_digest=self._digest(phone), no_shows=no_shows, paused_until=0, touched_at=now, now=now
        )
        assert row is not None, "an upsert without a guard returns its row"  # noqa: S101 -- the engine's own claim
        return Booker(row["no_shows"], row["paused_until"])

    async def open_of(self, phone: str, now: int) -> tuple[Appointment, ...]:
        """Every appointment of a number that is still to come, or under way."""
        return await self._all(_OPEN_OF, of_phone=self._digest(phone), now=now)

    # ------------------------------------------------------------ outlets

    async def capacities(self, outlet_id: str) -> dict[str, int]:
        """What the bank said for this outlet: service to capacity; 0: not offered here."""
        rows = await self._connection.all(_CAPACITIES, of_outlet=outlet_id)
        return {row["service"]: row["capacity"] for row in rows}

    async def set_capacity(self, outlet_id: str, service: str, capacity: int | None) -> None:
        """Say how many people an outlet has for a service; None: as everywhere."""
        if capacity is None:
            await self._connection.run(_UNSET_CAPACITY, of_outlet=outlet_id, of_service=service)
        else:
            await self._connection.run(_SET_CAPACITY, outlet_id=outlet_id, service=service, capacity=capacity)

    async def next_ticket(self, outlet_id: str, day: str, letter: str, now: int) -> int:
        """Return the next number of the day, without a gap: 1, 2, 3."""
        row = await self._connection.one(
            _NEXT_TICKET, outlet_id=outlet_id, day=day, letter=letter, last=1, touched_at=now, now=now
        )
        assert row is not None, "an upsert without a guard returns its row"  # noqa: S101 -- the engine's own claim
        return int(row["last"])

    async def of_outlet(self, outlet_id: str, first: int, last: int) -> tuple[Appointment, ...]:
        """Everything of an outlet that was ever confirmed, by time."""
        return await self._all(_OF_OUTLET, of_outlet=outlet_id, first=first, last=last)

    async def next_in_line(
        self, outlet_id: str, services: Sequence[str], first: int, last: int, now: int
    ) -> Appointment | None:
        """Hold whoever waits and comes next, of those from `first` to just before `last`."""
        if not services:
            return None
        statement = _NEXT_IN_LINE.setdefault(len(services), _next_in_line(len(services)))
        wanted: dict[str, Value] = {f"service_{place}": code for place, code in enumerate(services)}
        return await self._one(statement, of_outlet=outlet_id, first=first, last=last, now=now, **wanted)

    # ------------------------------------------------------------ what is due

    async def to_remind(self, which: int, now: int) -> tuple[Appointment, ...]:
        """Confirmed ones whose reminder (1: the day before, 2: soon) is due."""
        return await self._all(due.TO_REMIND[which], now=now)

    async def lapsed(self, now: int) -> tuple[Appointment, ...]:
        """Holds that ran out."""
        return await self._all(due.LAPSED, now=now)

    async def missed(self, now: int) -> tuple[Appointment, ...]:
        """Confirmed ones that nobody came to."""
        return await self._all(due.MISSED, now=now)

    async def zones_here(self) -> tuple[str, ...]:
        """The time zones (IANA) of the outlets where somebody waits or is called."""
        return tuple(row["time_zone"] for row in await self._connection.all(due.ZONES_HERE))

    async def left_over(self, time_zone: str, before: int) -> tuple[Appointment, ...]:
        """Those at outlets of a time zone who wait or are called, and whose visit was to begin before `before`."""
        return await self._all(due.LEFT_OVER, of_zone=time_zone, before=before)

    # ------------------------------------------------------------ rows

    async def _one(self, statement: Statement, **values: Value) -> Appointment | None:
        row = await self._connection.one(statement, **values)
        return self._appointment(row) if row else None

    async def _all(self, statement: Statement, **values: Value) -> tuple[Appointment, ...]:
        return tuple(self._appointment(row) for row in await self._connection.all(statement, **values))

    def _digest(self, phone: str) -> bytes:
        return self._keys.digest("booker", phone)

    def _values(self, row: Appointment) -> dict[str, Value]:
        values: dict[str, Value] = {
            name: getattr(row, name) for name in row.__struct_fields__ if name not in _SEALED
        }  # fmt: skip
        place = f"appointment.%s:{row.appointment_id}"
        for name in sorted(_SEALED):
            said = getattr(row, name)
            values[f"{name}_sealed"] = self._keys.encrypt(said.encode(), place % name) if said is not None else None
        values["phone_digest"] = self._digest(row.phone) if row.phone is not None else None
        values["state"] = row.state.value
        return values

    def _appointment(self, row: Row) -> Appointment:
        values: dict[str, Any] = {
            name: row[name] for name in Appointment.__struct_fields__ if name not in _SEALED
        }  # fmt: skip
        place = f"appointment.%s:{row['appointment_id']}"
        for name in _SEALED:
            sealed = row[f"{name}_sealed"]
            values[name] = self._keys.decrypt(sealed, place % name).decode() if sealed is not None else None
        return Appointment(**{**values, "state": State(row["state"])})


def _replaced(row: Appointment, changes: Mapping[str, Any]) -> Appointment:
    fields = {name: getattr(row, name) for name in row.__struct_fields__}
    return Appointment(**{**fields, **changes})
