"""Appointments of other days at the console: listed, printed, and sent again, from the list and from the file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.ports.counter import Role
from foregate.rules import limits
from tests.appointments import HALL, TOMORROW_TEN, book, number, put_outlet
from tests.bank import LI, Bank, open_bank
from tests.staff import Console, hire, open_outlet

pytestmark = pytest.mark.anyio

TODAY, TOMORROW = "2027-01-15", "2027-01-16"


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    await put_outlet(bank)
    await open_outlet(bank)
    yield bank
    await bank.close()


async def test_another_day_is_a_list_that_leads_to_slips(bank: Bank) -> None:
    """Tomorrow's visit is on tomorrow's list and not today's; its slip prints, its link goes out again, and the
    teller is back at that day."""
    await book(bank, LI.phone)
    await book(bank, number(1), TOMORROW_TEN + 3600)
    console, elsewhere = Console(bank), Console(bank)
    await console.sign_in(await hire(bank, "zhou.teller", Role.TELLER, outlet_id=HALL.outlet_id))
    await elsewhere.sign_in(await hire(bank, "qian.teller", Role.TELLER, outlet_id="0001"))
    assert "10:00" not in (await console.get("/console/queue")).words
    listed = await console.get(f"/console/queue?day={TOMORROW}")
    for said in ("10:00", "11:00", "2 people", "booked"):
        assert said in listed.words
    assert LI.phone[3:] not in listed.text

    slip = listed.text.partition('href="/console/queue/')[2].partition('"')[0]
    page = await console.get(f"/console/queue/{slip}")
    assert "Sat 16 Jan, 10:00" in page.words
    assert f'/console/queue?day={TOMORROW}"' in page.text
    sent = len(await bank.texts(LI.phone))
    bank.clock.turn(limits.RESEND_SECONDS)
    again = await console.post(f"/console/queue/{slip.replace('slip', 'text')}")
    assert again.location.endswith(f"&day={TOMORROW}")
    assert "The link is on its way" in (await console.get(again.location)).words
    assert sent + 1 == len(await bank.texts(LI.phone))

    for at, is_linked in ((console, True), (elsewhere, False)):
        found = await at.post("/console/search", query=LI.phone, reason="at-counter")
        file = await at.get(found.location)
        assert is_linked == (f"/console/queue/{slip}" in file.text)
        assert is_linked != ("at another outlet" in file.words)
    assert "said=refused" in (await elsewhere.get(f"/console/queue/{slip}")).location


SHOWN = {
    "": TODAY, "nonsense": TODAY, "2027-02-30": TODAY, "2027-01-17": "2027-01-17", "2099-01-01": "2027-02-14",
    "1999-01-01": "2026-10-17",
}  # fmt: skip


async def test_days_are_bounded(bank: Bank) -> None:
    """No further ahead than may be booked, no further back than visits are kept; what is no day is today."""
    console = Console(bank)
    await console.sign_in(await hire(bank, "zhou.teller", Role.TELLER, outlet_id="0001"))
    for asked, shown in SHOWN.items():
        assert f'name="day" type="date" value="{shown}"' in (await console.get(f"/console/queue?day={asked}")).text
