"""Booking a visit at 360 px: from the outlet to the ticket, in both languages, with script and without."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from foregate.ports.outlets import Outlet
from tests.appointments import HALL
from tests.browser.bank import Bank, Visitor
from tests.browser.conftest import Kind
from tests.browser.looking import found_by_axe

Visit = Callable[..., Visitor]
PLACE = f"/book-appointment?outlet={HALL.outlet_id}"


def open_outlet(bank: Bank, outlet: Outlet = HALL, **capacity: int) -> None:
    """Open an outlet; `capacity` by service, with `_` for `-`."""

    async def put() -> None:
        async with bank.house.store.begin() as tx:
            await tx.outlets.put((outlet,), bank.clock.now())
            for service, people in capacity.items():
                await tx.appointments.set_capacity(outlet.outlet_id, service.replace("_", "-"), people)

    bank.run(put())


def choose_last_time(visitor: Visitor) -> str:
    """Follow the last free time of the page; return what it says."""
    visitor.page.locator("summary").last.click()
    link = visitor.page.locator(".times a").last
    label = link.inner_text()
    link.click()
    return label


def book(visitor: Visitor, phone: str, surname: str = "欧阳") -> None:
    """Fill in number and surname, and prove the number."""
    before = visitor.codes(phone)
    visitor.fill("phone", phone.removeprefix("+86"))
    visitor.fill("surname", surname)
    visitor.press("step.anybody.submit")
    visitor.prove_phone(phone, before)


def test_book_a_visit_move_it_and_cancel_it(visit: Visit, bank: Bank) -> None:
    """Outlet, service, time, number, code; then the page of the link does the rest."""
    open_outlet(bank)
    visitor, phone = visit(), "+8613900000001"
    visitor.go("/book-appointment")
    visitor.sees("booking.choose-outlet")
    visitor.shoot("no-outlet")
    visitor.go(PLACE)
    visitor.shoot("services")
    visitor.follow("service.phone-change.name")
    visitor.sees("booking.choose-time")
    visitor.shoot("times")
    label = choose_last_time(visitor)
    visitor.shoot("details")
    visitor.fill("phone", "1390")
    visitor.fill("surname", "王")
    visitor.press("step.anybody.submit")
    visitor.is_told("input-invalid")
    expect(visitor.page.locator("#f-surname")).to_have_value("王")
    visitor.shoot("wrong-number")
    book(visitor, phone)
    visitor.sees("appointment.done")
    expect(visitor.page.get_by_text(label).first).to_be_visible()
    visitor.shoot("booked")
    link = re.sub(r"\?.*", "", visitor.page.url)

    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name=visitor.t("appointment.calendar")).click()
    assert download.value.suggested_filename.endswith(".ics")

    visitor.follow("appointment.move")
    visitor.sees("appointment.move-title")
    visitor.shoot("move")
    visitor.page.locator(".times button").first.click()
    visitor.sees("appointment.moved")
    visitor.page.goto(link)
    visitor.page.locator("summary").click()
    visitor.shoot("before-cancel")
    visitor.press("appointment.cancel-yes")
    visitor.sees("appointment.state.cancelled")
    visitor.shoot("cancelled")


def test_somebody_is_faster(visit: Visit, bank: Bank) -> None:
    """The time is gone when the number is typed: other times are one tap away, and nothing is typed again."""
    open_outlet(bank, wealth=1)
    slow, fast = visit("-slow"), visit("-fast")
    for visitor in (slow, fast):
        visitor.go(f"{PLACE}&service=wealth")
        choose_last_time(visitor)
    book(fast, "+8613900000002")
    fast.sees("appointment.done")
    slow.fill("phone", "13900000003")
    slow.fill("surname", "李")
    slow.press("step.anybody.submit")
    slow.is_told("place-taken")
    slow.shoot("taken")
    slow.page.locator(".times button").first.click()
    slow.prove_phone("+8613900000003", 0)
    slow.sees("appointment.done")


def test_check_in_on_arrival(visit: Visit, bank: Bank) -> None:
    """From half an hour before, one tap draws the ticket."""
    open_outlet(bank)
    visitor = visit()
    visitor.go(f"{PLACE}&service=document-update")
    visitor.page.locator(".times a").first.click()
    book(visitor, "+8613900000004")
    visitor.sees("appointment.check-in-later")
    started = bank.clock.passed

    async def soonest() -> int:
        async with bank.house.store.begin() as tx:
            rows = await tx.appointments.of_outlet(HALL.outlet_id, 0, 1 << 40)
        return min(row.starts_at for row in rows if row.service == "document-update" and row.ticket is None)

    bank.let_pass(max(0, bank.run(soonest()) - 600 - int(time.time()) - started))
    visitor.page.reload()
    visitor.press("appointment.check-in")
    visitor.sees("appointment.next")
    visitor.shoot("ticket")
    bank.clock.passed = started


def test_from_a_refusal_to_an_outlet(visit: Visit, bank: Bank) -> None:
    """Whoever cannot go on is sent with what to bring, and a number that spares them the story."""
    visitor = visit()
    visitor.go("/sign-in")
    visitor.fill("phone", "13900000005")
    visitor.press("step.phone.submit")
    visitor.fill("code", "000000")
    visitor.press("step.phone_code.submit")
    visitor.is_told("code-wrong")
    visitor.follow("remedy.visit-outlet")
    visitor.sees("case.title")
    visitor.shoot("bring")
    visitor.press("case.visit")
    visitor.page.wait_for_url(re.compile(r"/outlets\?service=\S+&case=[0-9A-Z]{10}$"))


def test_every_page_is_accessible(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Nothing that axe can see is wrong, at 320 px too, and no page scrolls sideways."""
    if not kind[1]:
        pytest.skip("axe is a script")
    open_outlet(bank)
    visitor = visit()
    at = "2030-01-01T02%3A00Z"
    for place in ("/book-appointment", PLACE, f"{PLACE}&service=other", f"{PLACE}&service=other&at={at}"):
        visitor.go(place)
        check(visitor, place)
    visitor.go(f"{PLACE}&service=other")
    choose_last_time(visitor)
    book(visitor, "+8613900000006")
    visitor.sees("appointment.done")
    check(visitor, "booked")
    visitor.follow("appointment.move")
    check(visitor, "move")


def check(visitor: Visitor, place: str) -> None:
    assert [] == found_by_axe(visitor.page), place
    for width in (320, 360, 1280):
        visitor.page.set_viewport_size({"width": width, "height": 740})
        wide = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{place} at {width}"
