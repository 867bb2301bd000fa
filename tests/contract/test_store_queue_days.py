"""The end of a day in the store: who is called is of today, and what a day left is found by its own clock."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from foregate.ports.outlets import Outlet
from foregate.rules.appointments import Event, State
from foregate.rules.limits import DAY
from foregate.store.outlets.due import LEFT_OVER, ZONES_HERE
from foregate.store.statements import Dialect, Statement
from foregate.store.unit_of_work import SqlStore, Unit
from tests.contract.samples import NOW, in_one
from tests.contract.test_store_appointments import an_appointment

pytestmark = pytest.mark.anyio

HERE, THERE = "Asia/Shanghai", "Europe/London"


async def test_who_is_called_is_of_the_day(store: SqlStore) -> None:
    """From its first second to just before its last: whoever waits since another day is not in line."""
    first, last = NOW - 3600, NOW + 3600
    for starts_at in (first - 1, first, last - 1, last):
        row = an_appointment(state=State.CHECKED_IN, starts_at=starts_at, queue_at=NOW)
        await in_one(store, lambda tx, row=row: tx.appointments.insert(row))  # type: ignore[misc]  # bound now

    async def call(tx: Unit) -> int | None:
        row = await tx.appointments.next_in_line("N001", ["phone-change"], first, last, NOW)
        if row is None:
            return None
        await tx.appointments.advance(row, Event.CALLED, called_at=NOW)
        return row.starts_at

    assert [first, last - 1, None] == [await in_one(store, call) for _ in range(3)]


async def test_what_a_day_left(store: SqlStore) -> None:
    """Who waits or is called there since before a moment; nobody of another zone, nobody who is done or yet to come."""
    outlets = [
        Outlet(outlet_id="N001", name="此处", time_zone=HERE),
        Outlet(outlet_id="L001", name="彼处", time_zone=THERE),
    ]
    await in_one(store, lambda tx: tx.outlets.put(outlets, NOW))
    assert () == await in_one(store, lambda tx: tx.appointments.zones_here())
    rows = {
        "waits": an_appointment(state=State.CHECKED_IN, starts_at=NOW - DAY),
        "called": an_appointment(state=State.CALLED, starts_at=NOW - 1),
        "of-today": an_appointment(state=State.CALLED, starts_at=NOW),
        "done": an_appointment(state=State.SERVED, starts_at=NOW - DAY),
        "booked": an_appointment(state=State.CONFIRMED, starts_at=NOW - DAY),
        "elsewhere": an_appointment(state=State.CHECKED_IN, starts_at=NOW - DAY, outlet_id="L001"),
    }
    for row in rows.values():
        await in_one(store, lambda tx, row=row: tx.appointments.insert(row))  # type: ignore[misc]  # bound now
    names = {row.appointment_id: name for name, row in rows.items()}
    assert (HERE, THERE) == await in_one(store, lambda tx: tx.appointments.zones_here())
    for zone, expected in ((HERE, ["waits", "called"]), (THERE, ["elsewhere"]), ("Asia/Tokyo", [])):
        left = await in_one(store, lambda tx, zone=zone: tx.appointments.left_over(zone, NOW))  # type: ignore[misc]  # as above
        assert expected == [names[row.appointment_id] for row in left]


@pytest.mark.parametrize("statement", [ZONES_HERE, LEFT_OVER])
def test_looking_for_them_reads_nobody_else(sqlite_path: Path, statement: Statement) -> None:
    """The sweep looks three times a minute: it goes by its own index, however many visits there ever were."""
    said = statement.text(Dialect.SQLITE)
    with closing(sqlite3.connect(sqlite_path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {said.sql}", said.arguments({"before": NOW, "of_zone": HERE}))
        assert "ix_appointment_here" in str(plan.fetchall())
