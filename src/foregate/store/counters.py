"""Failures of each proof, and login permission, lane by lane."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from foregate.ports import CounterRow, Tried
from foregate.rules import limits
from foregate.rules.engine import block_seconds
from foregate.rules.permission import Permission
from foregate.store.statements import (
    Connection,
    Row,
    Statement,
    Value,
    insert_into,
    number,
    text_of,
    time_of,
    word,
)
from foregate.store.tables import counter, customer, permission

_c, _now = counter.c, time_of("now")
_of_customer: Final = _c.customer_id == text_of("of_customer")
_of_counter: Final = and_(_of_customer, _c.counter == text_of("of_counter"))
_of_lane: Final = and_(_of_counter, _c.lane == text_of("of_lane"))

_other = counter.alias("other")
# A lane is counted exactly. Over all lanes this is exact too, but for charges in different lanes at the very same
# moment: then each of the customer's own remembered devices may bring one guess more.
_in_other_lanes: Final = (
    select(func.coalesce(func.sum(_other.c.total), number(0)))
    .where(
        _other.c.customer_id == text_of("of_customer"),
        _other.c.counter == text_of("of_counter"),
        _other.c.lane != text_of("of_lane"),
    )
    .scalar_subquery()
)
_row_after: Final = _c.in_a_row + number(1)
# From the same function that tells visitors how long to wait, so the two cannot differ.
_block_after: Final = case(
    *(
        (_row_after == number(row), _now + number(block_seconds(row)))
        for row in range(1, limits.TOTAL_FAILURES + 1)
        if block_seconds(row)
    ),
    else_=number(0),
)
_charging = (
    insert(counter)
    .from_select(
        [column.name for column in counter.columns],
        select(
            text_of("of_customer"), text_of("of_counter"), text_of("of_lane"), number(1), number(1),
            _now + number(block_seconds(1)) if block_seconds(1) else number(0), _now,
        ).where(_in_other_lanes < time_of("total_max")),
    )
    .on_conflict_do_update(
        index_elements=[_c.customer_id, _c.counter, _c.lane],
        set_={
            "in_a_row": _row_after,
            "total": _c.total + number(1),
            "blocked_until": _block_after,
            "touched_at": _now,
        },
        where=and_(
            _c.blocked_until <= _now,
            _c.total + _in_other_lanes < time_of("total_max"),
        ),
    )
    .returning(_c.counter, _c.lane, _c.in_a_row, _c.total, _c.blocked_until)
)  # fmt: skip
_CHARGE: Final = Statement(_charging)
_hash = select(customer.c.password_hash).where(customer.c.customer_id == text_of("of_customer")).scalar_subquery()
_CHARGE_AND_LOOK: Final = Statement(_charging.returning(_hash.label("password_hash")))
_SUCCEED: Final = Statement(
    update(counter).where(_of_lane).values(in_a_row=number(0), total=number(0), blocked_until=number(0))
)
_row_before: Final = _c.in_a_row - number(1)
# Whoever succeeded meanwhile left nothing to give back. A block goes with the failure that made it, not before.
_REFUND: Final = Statement(
    update(counter)
    .where(_of_lane, _c.in_a_row > number(0), _c.total > number(0))
    .values(
        in_a_row=_row_before,
        total=_c.total - number(1),
        blocked_until=case(
            (
                _c.in_a_row.in_([number(row) for row in range(1, limits.TOTAL_FAILURES + 1) if block_seconds(row)]),
                number(0),
            ),
            else_=_c.blocked_until,
        ),
    )
)
_OF: Final = Statement(
    select(_c.counter, _c.lane, _c.in_a_row, _c.total, _c.blocked_until)
    .where(_of_customer)
    .order_by(_c.counter, _c.lane)
)
# A success puts the row back to zero and leaves its time: so it counts as tried at, and not as failing.
_failing = case((_c.in_a_row > number(0), _c.customer_id))
_TRIED: Final = Statement(
    select(
        func.count(_c.customer_id.distinct()).label("number"), func.count(_failing.distinct()).label("failing")
    ).where(_c.touched_at > time_of("since"), _c.touched_at <= time_of("until"))
)
_CLEAR: Final = Statement(update(counter).where(_of_counter).values(in_a_row=number(0), blocked_until=number(0)))
_BIND_AGAIN: Final = Statement(delete(counter).where(_of_counter))


class CountersIn:
    """`ports.Counters` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def charge(
        self, customer_id: str, counter: str, lane: str, now: int, total_max: int = limits.TOTAL_FAILURES
    ) -> CounterRow | None:
        """Count one failure ahead of the comparison; every ROW_FAILURES-th sets a block.

        None: blocked now, or `total_max` reached over all lanes; nothing was counted.
        """
        row = await self._connection.one(
            _CHARGE, of_customer=customer_id, of_counter=counter, of_lane=lane, now=now, total_max=int(total_max)
        )
        return _counter(row) if row else None

    async def charge_and_look(
        self, customer_id: str, counter: str, lane: str, now: int, total_max: int
    ) -> tuple[CounterRow, str | None] | None:
        """As `charge`, and return the password's hash with it. Of nobody, or where none is set, that is None."""
        row = await self._connection.one(
            _CHARGE_AND_LOOK,
            of_customer=customer_id,
            of_counter=counter,
            of_lane=lane,
            now=now,
            total_max=int(total_max),
        )
        return (_counter(row), row["password_hash"]) if row else None

    async def succeed(self, customer_id: str, counter: str, lane: str) -> None:
        """The comparison was right: row, total and block of this lane go back to zero."""
        await self._connection.run(_SUCCEED, of_customer=customer_id, of_counter=counter, of_lane=lane)

    async def refund(self, customer_id: str, charged: CounterRow) -> None:
        """Nothing could be compared: take back what `charge` counted, and the block that it set."""
        await self._connection.run(_REFUND, of_customer=customer_id, of_counter=charged.counter, of_lane=charged.lane)

    async def tried(self, since: int, until: int) -> Tried:
        """How many customers' proofs were last tried after `since`, by `until`, and how many of these failed."""
        row = await self._connection.one(_TRIED, since=since, until=until)
        return Tried(row["number"], row["failing"]) if row else Tried(0, 0)

    async def of(self, customer_id: str) -> tuple[CounterRow, ...]:
        """Return every counter of the customer, lane by lane."""
        return tuple(_counter(row) for row in await self._connection.all(_OF, of_customer=customer_id))

    async def clear(self, customer_id: str, counters: tuple[str, ...]) -> None:
        """Reset rows and blocks of these counters in every lane; totals stay."""
        rows: list[dict[str, Value]] = [{"of_customer": customer_id, "of_counter": name} for name in counters]
        if rows:
            await self._connection.run_many(_CLEAR, rows)

    async def bind_again(self, customer_id: str, counter: str) -> None:
        """The proof was bound anew: forget the counter whole."""
        await self._connection.run(_BIND_AGAIN, of_customer=customer_id, of_counter=counter)


def _counter(row: Row) -> CounterRow:
    return CounterRow(
        counter=row["counter"],
        lane=row["lane"],
        in_a_row=row["in_a_row"],
        total=row["total"],
        blocked_until=row["blocked_until"],
    )


# ---------------------------------------------------------------- permission

_p = permission.c
_of_owner: Final = _p.customer_id == text_of("of_customer")
_PERMISSIONS_OF: Final = Statement(select(_p.lane, _p.state).where(_of_owner))
_inserting = insert_into(permission)
# A lane without a row is open, so moving from open may make the row; moving from anything else may not.
_MOVE_FROM_OPEN: Final = Statement(
    _inserting.on_conflict_do_update(
        index_elements=[_p.customer_id, _p.lane],
        set_={"state": _inserting.excluded.state, "changed_at": _inserting.excluded.changed_at},
        where=_p.state == word(Permission.OPEN),
    )
)
_MOVE: Final = Statement(
    update(permission)
    .where(_of_owner, _p.lane == text_of("of_lane"), _p.state == text_of("was"))
    .values(state=text_of("to"), changed_at=time_of("now"))
)
_OPEN_ALL: Final = Statement(
    update(permission)
    .where(_of_owner, _p.state.not_in((word(Permission.OPEN), word(Permission.CLOSED_BY_BANK))))
    .values(state=word(Permission.OPEN), changed_at=time_of("now"))
)


class PermissionsIn:
    """`ports.Permissions` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, customer_id: str) -> dict[str, Permission]:
        """Lane to state; a lane that is not there is open. Locks nothing."""
        rows = await self._connection.all(_PERMISSIONS_OF, of_customer=customer_id)
        return {row["lane"]: Permission(row["state"]) for row in rows}

    async def move(self, customer_id: str, lane: str, was: Permission, to: Permission, now: int) -> bool:
        """Guarded by the state it was in. False: it had moved."""
        if was is Permission.OPEN:
            moved = await self._connection.run(
                _MOVE_FROM_OPEN, customer_id=customer_id, lane=lane, state=to.value, changed_at=now
            )
        else:
            moved = await self._connection.run(
                _MOVE, of_customer=customer_id, of_lane=lane, was=was.value, to=to.value, now=now
            )
        return moved == 1

    async def open_all(self, customer_id: str, now: int) -> None:
        """Open every lane that the bank did not close."""
        await self._connection.run(_OPEN_ALL, of_customer=customer_id, now=now)
