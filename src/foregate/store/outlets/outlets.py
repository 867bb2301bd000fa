"""Outlets: written in batches, found by id, by words, and by distance.

Theory of operation
  The nearest are looked for in a box around the centre that grows until nothing outside it can be nearer than what
  was found: its edges are whole numbers in an index, so a small box is read in no time. Within it the database sorts
  by the square of the straight line on the stored sphere, which needs no sine (`rules.places`).

  Words are looked for in a narrow table of their own, from its first row to its last. That is a few ten milliseconds
  for a hundred thousand outlets, whatever is typed, in any script, and needs no index that one database has and the
  other has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, func, literal_column, or_, select, update

from foregate.ports.outlets import Found, HoursException, Outlet, Position, Wanted, Written
from foregate.rules import limits, outlet_words, places
from foregate.rules.services import UNSTAFFED
from foregate.store.outlets import tables
from foregate.store.outlets.outlet_rows import (
    CLOSED,
    GONE,
    LISTED,
    PUT,
    PUT_WORDS,
    digest_of,
    opened,
    row_of,
    words_row,
)
from foregate.store.outlets.own import OwnOutletsIn
from foregate.store.statements import Connection, Row, Statement, Value, insert_into, number, text_of, time_of, word

_o, _w, _e = tables.outlet.c, tables.outlet_words.c, tables.hours_exception.c
_FAR: Final = 1 << 62  # behind everything: nobody knows where it is
_FIRST_METRES: Final = 2_000
_WIDER: Final = 3

_is_open: Final = _o.is_retired == number(0)
_open_one: Final = select(tables.outlet).where(_o.outlet_id == text_of("of_outlet"), _is_open)
_FIND: Final = Statement(_open_one)
_FIND_TO_BOOK: Final = Statement(_open_one.with_for_update(read=True))
_IDS: Final = Statement(
    select(_o.outlet_id)
    .where(_o.outlet_id > text_of("after"), _is_open)
    .order_by(_o.outlet_id)
    .limit(bindparam("how_many"))
)
_RETIRE: Final = Statement(
    update(tables.outlet)
    .where(_o.outlet_id == text_of("of_outlet"), _is_open)
    .values(is_retired=number(1), changed_at=time_of("now"))
)

_FORGET_WORDS: Final = Statement(delete(tables.outlet_words).where(_w.outlet_id == text_of("of_outlet")))


def _one_of(column: ColumnElement[str], how_many: int) -> ColumnElement[bool]:
    return column.in_([text_of(f"one_{n}") for n in range(how_many)])


def _padded(values: Sequence[str], how_many: int) -> dict[str, Value]:
    """Return the parameters of `_one_of`. No outlet has an empty id."""
    if len(values) > how_many:
        raise ValueError(f"{len(values)} where {how_many} is the most")
    return {f"one_{n}": values[n] if n < len(values) else "" for n in range(how_many)}


_DIGESTS: Final = Statement(
    select(_o.outlet_id, _o.digest, _o.is_retired).where(_one_of(_o.outlet_id, limits.OUTLET_BATCH))
)
# Held, so that nobody at the console changes them meanwhile.
_HELD: Final = Statement(
    select(_o.outlet_id, _o.is_retired)
    .where(_one_of(_o.outlet_id, limits.OUTLET_BATCH))
    .order_by(_o.outlet_id)
    .with_for_update()
)

# ---------------------------------------------------------------- lists

_x, _y, _z = (_o[name] - time_of(f"centre_{name}") for name in ("x", "y", "z"))
_chord: Final = func.coalesce(_x * _x + _y * _y + _z * _z, literal_column(str(_FAR)))
_fit: Final = case(
    (_w.words.like(text_of("starts")), number(0)),
    (_w.words.like(text_of("begins_part")), number(1)),
    else_=number(2),
)


def _filtered(wanted: tuple[bool, bool, bool]) -> list[ColumnElement[bool]]:
    has_city, has_service, is_step_free = wanted
    conditions = [_is_open]
    if has_city:
        conditions.append(_o.city_plain == text_of("city"))
    if has_service:
        # An outlet of people that lists nothing does everything: see rules/services.py.
        does_all = and_(_o.services == literal_column("''"), _o.kind.not_in([word(kind) for kind in UNSTAFFED]))
        conditions.append(or_(_o.services.like(text_of("service")), does_all))
    if is_step_free:
        conditions.append(_o.wheelchair == word("yes"))
    return conditions


def _in_order(query: Select[Any], order: ColumnElement[int]) -> Statement:
    later = or_(
        order > time_of("after_order"), and_(order == time_of("after_order"), _o.outlet_id > text_of("after_id"))
    )
    return Statement(query.where(later).order_by(order, _o.outlet_id).limit(bindparam("how_many")))


@cache
def _within_box(*filters: bool) -> Statement:
    return _in_order(
        select(tables.outlet, _chord.label("position")).where(
            _o.latitude.between(time_of("south"), time_of("north")),
            _o.longitude.between(time_of("west"), time_of("east")),
            *_filtered(filters),  # type: ignore[arg-type]  # three of them, always
        ),
        _chord,
    )


@cache
def _by_words(how_many: int, *filters: bool, has_centre: bool) -> Statement:
    order = _chord if has_centre else _fit
    # Joined by an expression, which no index of the words serves: so they are read first, and once.
    same = _o.outlet_id == _w.outlet_id.concat(literal_column("''"))
    query = select(tables.outlet, order.label("position")).select_from(tables.outlet_words).join(tables.outlet, same)
    fitting = [_w.words.like(text_of(f"word_{n}")) for n in range(how_many)]
    return _in_order(query.where(*fitting, *_filtered(filters)), order)  # type: ignore[arg-type]  # three of them


@cache
def _by_words_alone(how_many: int, *, goes_on: bool) -> Statement:
    # Sorted before they are joined: a word that fits nearly every outlet costs little more than one that fits few.
    conditions: list[ColumnElement[bool]] = [_w.words.like(text_of(f"word_{n}")) for n in range(how_many)]
    if goes_on:
        same = and_(_fit == time_of("after_order"), _w.outlet_id > text_of("after_id"))
        conditions.append(or_(_fit > time_of("after_order"), same))
    first = (
        select(_w.outlet_id, _fit.label("position"))
        .where(*conditions)
        .order_by("position", _w.outlet_id)
        .limit(bindparam("how_many"))
        .subquery()
    )
    query = select(tables.outlet, first.c.position).select_from(first)
    return Statement(
        query.join(tables.outlet, _o.outlet_id == first.c.outlet_id).order_by(first.c.position, _o.outlet_id)
    )


@cache
def _by_id(*filters: bool) -> Statement:
    query = select(tables.outlet, number(0).label("position")).where(*_filtered(filters))  # type: ignore[arg-type]  # three of them
    return Statement(
        query.where(_o.outlet_id > text_of("after_id")).order_by(_o.outlet_id).limit(bindparam("how_many"))
    )


# ---------------------------------------------------------------- exceptions

_PUT_EXCEPTION_MADE = insert_into(tables.hours_exception)
_PUT_EXCEPTION: Final = Statement(
    _PUT_EXCEPTION_MADE.on_conflict_do_update(
        index_elements=["day", "outlet_id", "country"],
        set_={name: _PUT_EXCEPTION_MADE.excluded[name] for name in ("hours", "reason")},
    )
)
_DELETE_EXCEPTION: Final = Statement(
    delete(tables.hours_exception)
    .where(_e.outlet_id == text_of("of_outlet"), _e.country == text_of("of_country"), _e.day == text_of("of_day"))
    .returning(_e.day)
)
_EXCEPTIONS: Final = Statement(
    select(tables.hours_exception)
    .where(
        _e.day.between(text_of("first_day"), text_of("last_day")),
        or_(_e.outlet_id == literal_column("''"), _one_of(_e.outlet_id, limits.OUTLETS_PER_PAGE_MAX)),
    )
    .order_by(_e.day, _e.outlet_id, _e.country)
)
_EVERY_EXCEPTION: Final = Statement(
    select(tables.hours_exception)
    .where(_e.day >= text_of("first_day"))
    .order_by(_e.day, _e.outlet_id, _e.country)
    .limit(bindparam("how_many"))
)


class OutletsIn:
    """`ports.outlets.Outlets` in one transaction, or on a connection that only reads."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, outlet_id: str) -> Outlet | None:
        """Read one that is open to the public."""
        row = await self._connection.one(_FIND, of_outlet=outlet_id)
        return opened(row) if row else None

    async def find_to_book(self, outlet_id: str) -> Outlet | None:
        """Read one that is open to the public, and have it stay so until the transaction ends."""
        row = await self._connection.one(_FIND_TO_BOOK, of_outlet=outlet_id)
        return opened(row) if row else None

    async def page(self, wanted: Wanted, limit: int, after: Position | None = None) -> tuple[Found, ...]:
        """Return the next `limit` outlets that fit, in order."""
        values: dict[str, Value] = {
            "how_many": limit,
            "after_order": after.order if after else -1,
            "after_id": after.outlet_id if after else "",
        }
        filters = (bool(wanted.city), bool(wanted.service), wanted.is_step_free)
        if wanted.city:
            values["city"] = wanted.city
        if wanted.service:
            values["service"] = f"%,{wanted.service},%"
        if wanted.centre is not None:
            values |= dict(zip(("centre_x", "centre_y", "centre_z"), places.on_sphere(wanted.centre), strict=True))
            if not wanted.words:
                return await self._nearest(wanted.centre, limit, _within_box(*filters), values)
        if wanted.words:
            rows = await self._with_words(wanted, filters, values)
        else:
            rows = await self._connection.all(_by_id(*filters), **values)
        return tuple(_found(row, wanted.centre is not None) for row in rows)

    async def _with_words(
        self, wanted: Wanted, filters: tuple[bool, bool, bool], values: dict[str, Value]
    ) -> Sequence[Row]:
        values |= {f"word_{n}": f"%{typed}%" for n, typed in enumerate(wanted.words)}
        if wanted.centre is None:
            values |= {"starts": f"{wanted.words[0]}%", "begins_part": f"%{outlet_words.SEPARATOR}{wanted.words[0]}%"}
        if wanted.centre is None and not any(filters):
            return await self._connection.all(
                _by_words_alone(len(wanted.words), goes_on=values["after_order"] != -1), **values
            )
        statement = _by_words(len(wanted.words), *filters, has_centre=wanted.centre is not None)
        return await self._connection.all(statement, **values)

    async def _nearest(
        self, centre: places.Place, limit: int, statement: Statement, values: dict[str, Value]
    ) -> tuple[Found, ...]:
        """Look in ever wider boxes until all that was found is nearer than anything outside can be."""
        after_order = values["after_order"]
        metres = float(_FIRST_METRES)
        if isinstance(after_order, int):
            metres = max(metres, _WIDER * places.metres_of_chord(max(0, after_order)))
        while True:
            rows: list[Row] = []
            for box in places.boxes_around(centre, metres):
                edges = {"south": box.south, "north": box.north, "west": box.west, "east": box.east}
                rows += await self._connection.all(statement, **values, **edges)
            rows = sorted(rows, key=lambda row: (row["position"], row["outlet_id"]))[:limit]
            is_enough = len(rows) == limit and rows[-1]["position"] <= places.chord_of_metres(metres)
            if is_enough or metres >= places.HALF_WAY_METRES:
                return tuple(_found(row, True) for row in rows)
            metres *= _WIDER

    async def put(self, outlets: Sequence[Outlet], now: int) -> Written:
        """Write what is new or other than it was, OUTLET_BATCH at most; what is the same costs one read."""
        wanted = {outlet.outlet_id: (outlet, digest_of(outlet)) for outlet in outlets}
        known = {
            row["outlet_id"]: row
            for row in await self._connection.all(_DIGESTS, **_padded(tuple(wanted), limits.OUTLET_BATCH))
        }
        other = [
            (outlet, digest)
            for outlet_id, (outlet, digest) in wanted.items()
            if outlet_id not in known or known[outlet_id]["digest"] != digest or known[outlet_id]["is_retired"] == GONE
        ]
        await self._write(other, now)
        added = sum(outlet.outlet_id not in known for outlet, _ in other)
        return Written(added, len(other) - added, len(wanted) - len(other))

    async def _write(self, filed: Sequence[tuple[Outlet, bytes]], now: int) -> None:
        """Write what a file says, under what the console said above it."""
        if not filed:
            return
        ids = tuple(outlet.outlet_id for outlet, _ in filed)
        held = await self._connection.all(_HELD, **_padded(ids, limits.OUTLET_BATCH))
        closed = {row["outlet_id"] for row in held if row["is_retired"] == CLOSED}
        own = OwnOutletsIn(self._connection)
        shown = await own.above([outlet for outlet, _ in filed])
        await self._connection.run_many(
            PUT,
            [
                row_of(outlet, digest, now, CLOSED if outlet.outlet_id in closed else LISTED)
                for outlet, (_, digest) in zip(shown, filed, strict=True)
            ],
        )
        found = [words_row(outlet) for outlet in shown if outlet.outlet_id not in closed]
        await self._connection.run_many(PUT_WORDS, found)

    async def ids(self, after: str, limit: int) -> tuple[str, ...]:
        """Return the next ids, in order, of those not retired."""
        return tuple(row["outlet_id"] for row in await self._connection.all(_IDS, after=after, how_many=limit))

    async def retire(self, outlet_ids: Sequence[str], now: int) -> int:
        """Take outlets out of every list. Returns how many were in one."""
        await self._connection.run_many(_FORGET_WORDS, [{"of_outlet": one} for one in outlet_ids])
        return sum([await self._connection.run(_RETIRE, of_outlet=one, now=now) for one in outlet_ids])

    async def put_exception(self, exception: HoursException) -> None:
        """Say what is different on one day; what was said before of that day is replaced."""
        await self._connection.run(_PUT_EXCEPTION, **msgspec.structs.asdict(exception))

    async def delete_exception(self, outlet_id: str, country: str, day: str) -> bool:
        """Take it back. False: there was none."""
        gone = await self._connection.one(_DELETE_EXCEPTION, of_outlet=outlet_id, of_country=country, of_day=day)
        return gone is not None

    async def exceptions(self, outlet_ids: Sequence[str], first_day: str, last_day: str) -> tuple[HoursException, ...]:
        """Return what is said of these days (ISO): of these outlets, OUTLETS_PER_PAGE_MAX at most, and of countries."""
        ids = _padded(outlet_ids, limits.OUTLETS_PER_PAGE_MAX)
        rows = await self._connection.all(_EXCEPTIONS, first_day=first_day, last_day=last_day, **ids)
        return tuple(_exception(row) for row in rows)

    async def exceptions_of(self, outlet: Outlet, first_day: date, last_day: date) -> tuple[HoursException, ...]:
        """Return what is said of these days, of one outlet and its country."""
        return await self.exceptions((outlet.outlet_id,), first_day.isoformat(), last_day.isoformat())

    async def every_exception(self, first_day: str, limit: int) -> tuple[HoursException, ...]:
        """Return what is said from a day on, by day: for the console."""
        rows = await self._connection.all(_EVERY_EXCEPTION, first_day=first_day, how_many=limit)
        return tuple(_exception(row) for row in rows)


def _found(row: Row, has_centre: bool) -> Found:
    order = row["position"]
    metres = places.metres_of_chord(order) if has_centre and order < _FAR else None
    return Found(opened(row), metres, Position(order, row["outlet_id"]))


def _exception(row: Row) -> HoursException:
    return HoursException(
        outlet_id=row["outlet_id"], country=row["country"], day=row["day"], hours=row["hours"], reason=row["reason"]
    )
