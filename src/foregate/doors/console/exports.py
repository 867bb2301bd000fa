"""Tables to take along: the record, the staff, the outlets, one day's appointments. Whoever sees a page may have it.

Rules
  1. Whole or not at all: a table is read a page at a time while it is sent, in transactions of its own, and is never
     cut. A connection that ends early is an error to the browser, not a shorter table.
  2. What is masked on the page is masked in the table.
  3. That it was taken is written down before the first row leaves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from foregate.counter.administration import Administration
from foregate.counter.guard import Guard
from foregate.counter.sessions import OnDuty
from foregate.counter.sheets import sheet
from foregate.counter.views import Actor
from foregate.doors.console.duty import actor_of, world_of
from foregate.doors.console.queue import Line, day_of_request, lines_of
from foregate.local_time import at_place
from foregate.ports.outlets import Outlet, Position, Wanted
from foregate.rules import limits
from foregate.rules.staff import Right
from foregate.situation import World

# The mark lets spreadsheets read Chinese.
MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
STAFF: Final = ("user_name", "name", "role", "outlet_id", "is_active", "hold", "created_at")
OUTLETS: Final = (
    "outlet_id", "name", "name_latin", "kind", "address", "province", "city", "district", "country", "latitude",
    "longitude", "phone", "services", "languages", "wheelchair", "hours", "time_zone",
)  # fmt: skip
VISITS: Final = ("time", "state", "service", "name", "phone", "people", "ticket", "desk", "case_no")


def _table(name: str, rows: AsyncIterator[str]) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_marked(rows), media_type="text/csv; charset=utf-8", headers=headers)


async def _marked(rows: AsyncIterator[str]) -> AsyncIterator[str]:
    yield MARK
    async for part in rows:
        yield part


async def _noted(request: Request, duty: OnDuty, right: Right, what: str, day: str = "") -> Actor:
    """Write down that a table is taken. Raises Objected."""
    guard: Guard = request.app.state.counter.guard
    async with guard.doing(actor := actor_of(request, duty), right) as doing:
        await doing.record("table-exported", by=what, day=day)
    return actor


# ---------------------------------------------------------------- the record


async def export_staff_record(request: Request, duty: OnDuty) -> Response:
    """One member's whole record."""
    records = request.app.state.counter.records
    rows = await records.csv_of_staff(actor_of(request, duty), request.path_params["staff_id"])
    return _table("record", rows)


async def export_customer_record(request: Request, duty: OnDuty) -> Response:
    """One customer's whole record."""
    records = request.app.state.counter.records
    rows = await records.csv_of_customer(actor_of(request, duty), request.path_params["ref"])
    return _table("record", rows)


# ---------------------------------------------------------------- the house


async def export_staff(request: Request, duty: OnDuty) -> Response:
    """Who works here; for a supervisor, at their outlet."""
    actor = await _noted(request, duty, Right.SEE_STAFF, "staff")
    return _table("staff", _staff(request.app.state.counter.staff, actor))


async def _staff(staff: Administration, actor: Actor) -> AsyncIterator[str]:
    yield sheet([STAFF])
    after = ""
    while members := await staff.all(actor, after):
        yield sheet(
            (
                each.user_name, each.name, each.role.value, each.outlet_id or "",
                "yes" if each.is_active else "no", each.hold, _moment(each.created_at),
            )
            for each in members
        )  # fmt: skip
        after = members[-1].staff_id


async def export_outlets(request: Request, duty: OnDuty) -> Response:
    """Every outlet that is open to the public, in the columns of `foregate import outlets`."""
    await _noted(request, duty, Right.MANAGE_OUTLETS, "outlets")
    return _table("outlets", _outlets(world_of(request)))


async def _outlets(world: World) -> AsyncIterator[str]:
    yield sheet([OUTLETS])
    after: Position | None = None
    while True:
        async with world.store.begin() as tx:
            found = await tx.outlets.page(Wanted(), limits.OUTLETS_PER_PAGE_MAX, after)
        if not found:
            return
        yield sheet(_outlet(each.outlet) for each in found)
        after = found[-1].position


def _outlet(outlet: Outlet) -> Sequence[str]:
    return [_said(getattr(outlet, name)) for name in OUTLETS]


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ";".join(value)
    return "" if value is None else str(value)


# ---------------------------------------------------------------- one day


async def export_queue(request: Request, duty: OnDuty) -> Response:
    """Today's appointments and tickets, or those of another day, masked as on the page."""
    day, outlet = day_of_request(request), request.state.outlet
    await _noted(request, duty, Right.RUN_QUEUE, "queue", day.isoformat())
    return _table(f"appointments-{day}", _visits(await lines_of(request, day), outlet))


async def _visits(lines: Sequence[Line], outlet: Outlet) -> AsyncIterator[str]:
    yield sheet([VISITS])
    yield sheet(
        (
            at_place(line.starts_at, outlet.time_zone).isoformat(timespec="minutes"), line.state.value, line.service,
            line.who, line.phone, str(line.people), line.ticket, line.desk, line.case_no,
        )
        for line in lines
    )  # fmt: skip


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
