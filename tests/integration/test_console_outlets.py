"""Outlets at the console: what is said there stands above the file, and an outlet is closed behind the last person."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.outlets import appointments
from foregate.outlets.importing import import_outlets
from foregate.ports.counter import Role
from foregate.rules.appointments import State
from foregate.rules.limits import DAY
from foregate.rules.services import SERVICES
from tests.appointments import TOMORROW_TEN, book, number, rows
from tests.bank import NOW, Bank, open_bank
from tests.staff import Console, Page, hire

HEADER = "outlet_id,name,kind,address,phone,services,wheelchair,hours\n"
HALL = "N001,滨江支行,branch,一号,0571-1,cash;loan,no,Mo-Fr 09:00-17:00\n"
ATM = "0002,滨江取款机,atm,二号,,,yes,24/7\n"


@pytest.fixture
async def bank(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Bank]:
    """A bank with two outlets from a file. It is four o'clock on a Friday afternoon."""
    opened = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bring(opened, tmp_path, HALL + ATM)
    yield opened
    await opened.close()


@pytest.fixture
async def admin(bank: Bank) -> Console:
    console = Console(bank)
    await console.sign_in(await hire(bank, "admin", Role.ADMINISTRATOR))
    return console


async def bring(bank: Bank, folder: Path, rows: str) -> None:
    file = folder / "outlets.csv"
    file.write_text(HEADER + rows, "utf-8")
    await import_outlets(bank.house.store, file, NOW, lambda *_: None)


async def shown(bank: Bank, outlet_id: str = "N001") -> dict[str, object]:
    return (await bank.visitor().get(f"/v1/outlets/{outlet_id}")).body


async def events(console: Console) -> list[str]:
    """What the console wrote about outlets, oldest first."""
    async with console.bank.house.store.begin() as tx:
        entries = await tx.trail.of("outlets")
    return [entry.kind for entry in reversed(entries)]


async def test_what_the_console_says_outlives_an_import(bank: Bank, admin: Console, tmp_path: Path) -> None:
    """Hours, phone, name, address, entrance and services stay; what was not touched follows the file."""
    place = "/console/outlets/N001"
    await admin.post(f"{place}/hours", hours="Mo-Su 08:00-20:00", phone="0571-9")
    await admin.post(f"{place}/facts", name="江边支行", address="一号", wheelchair="yes")
    await admin.post(f"{place}/services", **{"service-cash": "1", "service-phone-change": "1"})
    await bring(bank, tmp_path, HALL.replace("一号", "新一号").replace("09:00", "10:00") + ATM)
    now = await shown(bank)
    assert ("Mo-Su 08:00-20:00", "0571-9", "江边支行", "新一号", "yes", ["phone-change", "cash"]) == tuple(
        now[name] for name in ("hours", "phone", "name", "address", "wheelchair", "services")
    )
    page = await admin.get(place)
    assert "In the file: Mo-Fr 10:00-17:00" in page.words
    assert "In the file: 滨江支行" in page.words
    assert page.words.count("changed here") == 3
    assert ["outlet-hours-set", "outlet-facts-set", "outlet-services-set"] == await events(admin)


async def test_left_empty_the_file_is_taken_again(bank: Bank, admin: Console, tmp_path: Path) -> None:
    """At once, and with the next file; what says the same as the file is nothing of one's own."""
    place = "/console/outlets/N001"
    await admin.post(f"{place}/hours", hours="24/7", phone="0571-1")
    await admin.post(f"{place}/services", **{"service-cash": "1"})
    await admin.post(f"{place}/hours", hours="", phone="")
    await admin.post(f"{place}/services", **{"as-filed": "1"})
    now = await shown(bank)
    assert ("Mo-Fr 09:00-17:00", ["cash", "loan"]) == (now["hours"], now["services"])
    assert "changed here" not in (await admin.get(place)).words
    await bring(bank, tmp_path, HALL.replace("0571-1", "0571-2") + ATM)
    assert "0571-2" == (await shown(bank))["phone"]


async def test_services_as_ticks(bank: Bank, admin: Console) -> None:
    """None at a counter is said beside the field; all means those to come as well; a machine may do nothing."""
    place = "/console/outlets/N001"
    refused = await admin.post(f"{place}/services")
    assert (422, True) == (refused.status, "Tick at least one" in refused.words)
    assert ["cash", "loan"] == (await shown(bank))["services"]
    await admin.post(f"{place}/services", **{f"service-{code}": "1" for code in SERVICES})
    assert [] == (await shown(bank))["services"]
    page = await admin.get(place)
    assert len(SERVICES) == len(re.findall(r'name="service-[a-z-]+" value="1" checked', page.text))
    await admin.post("/console/outlets/0002/services", **{"service-cash": "1"})
    assert ["cash"] == (await shown(bank, "0002"))["services"]
    assert 303 == (await admin.post("/console/outlets/0002/services")).status
    assert [] == (await shown(bank, "0002"))["services"]


async def test_what_cannot_be_is_said_beside_its_field(bank: Bank, admin: Console) -> None:
    """Hours nobody can read, an entrance that is none, an outlet that is not there."""
    place = "/console/outlets/N001"
    before = await shown(bank)
    assert 422 == (await admin.post(f"{place}/hours", hours="whenever")).status
    assert 422 == (await admin.post(f"{place}/facts", name="x", wheelchair="perhaps")).status
    assert 422 == (await admin.post("/console/outlets/nowhere/facts", wheelchair="yes")).status
    assert before == await shown(bank)
    assert [] == await events(admin)


# ---------------------------------------------------------------- a country's day


def day_form(**changes: str) -> dict[str, str]:
    return {"country": "CN", "day": "2027-01-15", "hours": "off", "reason": "停电"} | changes


async def test_a_day_for_a_whole_country(bank: Bank, admin: Console) -> None:
    """Every outlet is closed that day, an outlet's own word comes first, and it is taken back once."""
    assert (await shown(bank))["is_open"] is True
    assert 303 == (await admin.post("/console/country-days", **day_form())).status
    assert [False, False] == [(await shown(bank, one))["is_open"] for one in ("N001", "0002")]
    own = {"day": "2027-01-15", "hours": "00:00-24:00"}
    await admin.post("/console/outlets/0002/exceptions", **own)
    assert [False, True] == [(await shown(bank, one))["is_open"] for one in ("N001", "0002")]
    assert "停电" in (await admin.get("/console/outlets")).words
    await admin.post("/console/country-days/delete", country="CN", day="2027-01-15")
    await admin.post("/console/country-days/delete", country="CN", day="2027-01-15")
    assert (await shown(bank))["is_open"] is True
    assert ["country-day-set", "outlet-exception-set", "country-day-deleted"] == await events(admin)


@pytest.mark.parametrize(
    "wrong", [{"country": "CH"}, {"country": ""}, {"day": "2027-02-30"}, {"day": ""}, {"hours": "whenever"}]
)
async def test_a_country_day_that_cannot_be(bank: Bank, admin: Console, wrong: dict[str, str]) -> None:
    """A country without outlets is a slip of the finger: nothing is written, and what was typed stays."""
    page = await admin.post("/console/country-days", **day_form(**wrong))
    assert (422, True) == (page.status, "停电" in page.text)
    assert [] == await events(admin)


# ---------------------------------------------------------------- the end of an outlet


async def close(admin: Console, outlet_id: str = "N001") -> Page:
    return await admin.post(f"/console/outlets/{outlet_id}/close")


async def test_an_outlet_is_closed_behind_the_last_person(bank: Bank, admin: Console, tmp_path: Path) -> None:
    """Not while somebody is booked or works there; then nobody finds it, and no file brings it back."""
    await admin.post("/console/outlets/N001/services", **{f"service-{code}": "1" for code in SERVICES})
    _, booked = await book(bank, number(1), TOMORROW_TEN + 2 * DAY, outlet="N001")
    assert booked.cause is None, booked.body
    hired = await hire(bank, "teller", Role.TELLER, outlet_id="N001")
    refused = await close(admin)
    assert 409 == refused.status
    assert "One appointment from today on" in refused.words
    assert "One member of staff works here" in refused.words
    assert 200 == (await bank.visitor().get("/v1/outlets/N001")).status

    (row,) = await rows(bank, State.CONFIRMED)
    async with bank.house.store.begin() as tx:
        await appointments.cancel(tx, row, bank.clock.now())
    await admin.post(f"/console/staff/{hired.member.staff_id}/deactivate")
    assert 303 == (await close(admin)).status
    await bring(bank, tmp_path, HALL.replace("一号", "新一号") + ATM)
    assert "not-found" == (await bank.visitor().get("/v1/outlets/N001")).cause
    assert [] == (await bank.visitor().get("/v1/outlets?q=滨江支行")).body["outlets"]
    assert "滨江支行" in (await admin.get("/console/outlets")).words
    assert "closed for good" in (await admin.get("/console/outlets/N001")).words

    assert 303 == (await admin.post("/console/outlets/N001/reopen")).status
    assert "新一号" == (await shown(bank))["address"]
    assert ["N001"] == [
        one["outlet_id"] for one in (await bank.visitor().get("/v1/outlets?q=滨江支行")).body["outlets"]
    ]
    assert ["outlet-closed", "outlet-reopened"] == (await events(admin))[-2:]
