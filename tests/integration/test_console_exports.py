"""Tables that staff take along: whole however long, masked as the page, and written down."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.ports import Event
from foregate.ports.counter import Role
from foregate.ports.outlets import Outlet
from foregate.rules import limits
from tests.appointments import HALL, TOMORROW_TEN, book, put_outlet
from tests.bank import LI, Bank, open_bank
from tests.staff import Console, hire

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    await put_outlet(bank)
    yield bank
    await bank.close()


async def table(console: Console, path: str) -> list[dict[str, str]]:
    page = await console.get(path)
    assert (200, "text/csv; charset=utf-8") == (page.status, page.raw.headers["content-type"]), page.words[:200]
    assert "no-store" == page.raw.headers["cache-control"]
    return list(csv.DictReader(io.StringIO(page.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))))


async def test_a_record_is_never_cut(bank: Bank) -> None:
    """More than two pages of it: every event is there, once, from the first to the last, at the end of it too."""
    async with bank.house.store.begin() as tx:
        for number in range(2 * limits.TRAIL_LISTED + 7):
            about = Event(chain=bank.customer_id(LI), kind="code-sent", details={"n": number})
            await tx.audit.record(about, bank.clock.now())
    auditor = Console(bank)
    await auditor.sign_in(await hire(bank, "xu.auditor", Role.AUDITOR))
    found = await auditor.post("/console/search", query=LI.card, reason="review")
    ref = found.location.rsplit("/", 1)[-1]
    rows = await table(auditor, f"/console/exports/customer/{ref}.csv")
    kinds = await bank.events(LI)
    assert kinds == [row["kind"] for row in rows]
    assert [str(n + 1) for n in range(len(kinds))] == [row["number"] for row in rows]
    assert len(kinds) > 2 * limits.TRAIL_LISTED


async def test_staff_outlets_and_a_day(bank: Bank) -> None:
    """Each to whoever sees the page: a supervisor gets their own outlet, a day is masked; each is an event."""
    await book(bank, LI.phone)
    outlets = [Outlet(outlet_id=f"M{n:03d}", name=f"=支行 {n}") for n in range(limits.OUTLETS_PER_PAGE_MAX + 1)]
    async with bank.house.store.begin() as tx:
        await tx.outlets.put(outlets, bank.clock.now())
    supervisor, administrator = Console(bank), Console(bank)
    head = await hire(bank, "wu.head", Role.SUPERVISOR, outlet_id=HALL.outlet_id)
    chief = await hire(bank, "sun.chief", Role.ADMINISTRATOR)
    await hire(bank, "zhou.elsewhere", Role.TELLER, outlet_id="M001")
    await supervisor.sign_in(head)
    await administrator.sign_in(chief)

    assert ["wu.head"] == [row["user_name"] for row in await table(supervisor, "/console/exports/staff.csv")]
    everybody = {row["user_name"] for row in await table(administrator, "/console/exports/staff.csv")}
    assert {"wu.head", "sun.chief", "zhou.elsewhere"} == everybody
    listed = {row["outlet_id"]: row for row in await table(administrator, "/console/exports/outlets.csv")}
    assert {HALL.outlet_id, *(each.outlet_id for each in outlets)} == set(listed)
    assert ("24/7", "'=支行 1") == (listed[HALL.outlet_id]["hours"], listed["M001"]["name"])

    assert [] == await table(supervisor, "/console/exports/queue.csv")
    bank.clock.at = TOMORROW_TEN
    await supervisor.sign_in(head)
    (visit,) = await table(supervisor, "/console/exports/queue.csv?day=2027-01-16")
    assert ("2027-01-16T10:00+08:00", "confirmed", "phone-change") == (visit["time"], visit["state"], visit["service"])
    assert LI.phone not in str(visit)
    async with bank.house.store.begin() as tx:
        trail = await tx.trail.of(f"staff-{head.member.staff_id}", kinds=("table-exported",))
    assert ["queue", "queue", "staff"] == [entry.details["by"] for entry in trail]
