"""Money at 360 px: from a basic session to who paid 300 on the 3rd, and to a receipt. Nothing needs a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from playwright.sync_api import expect

from foregate.demo.lives import ZONE
from foregate.demo.people import PASSWORD, person
from foregate.ids import new_id
from foregate.local_time import day_of
from foregate.ports.exports import Export, Format
from tests.browser.bank import Bank, Visitor
from tests.browser.conftest import Kind
from tests.browser.looking import found_by_axe

Visit = Callable[..., Visitor]


def looks_right(visitor: Visitor, kind: Kind, what: str) -> None:
    """A picture; and where scripts run, nothing that scrolls sideways and nothing that axe objects to."""
    visitor.shoot(what)
    if kind[1]:
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not visitor.page.evaluate(wide)
        assert [] == found_by_axe(visitor.page)


def test_who_paid_me_300_on_the_3rd(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Basic shows no money and says what is missing; one password later the record is searched, and answers."""
    visitor, lin = visit(bypass_csp=kind[1]), person("fine")
    visitor.sign_in_basic(lin)
    visitor.sees("accounts.home-basic")
    assert "¥" not in visitor.page.content()
    visitor.go("/accounts")
    visitor.is_told("needs-full-session")
    looks_right(visitor, kind, "basic")
    visitor.follow("remedy.finish-sign-in")
    visitor.fill("password", PASSWORD)
    visitor.press("journey.finish-sign-in.title")
    visitor.sees("accounts.home-title")
    looks_right(visitor, kind, "home")
    visitor.follow("accounts.home-lead")
    visitor.sees("accounts.chart")
    looks_right(visitor, kind, "overview")
    visitor.follow("accounts.category.rent")
    visitor.sees("accounts.record.found")
    expect(visitor.page.locator("#f-category")).to_have_value("rent")
    visitor.go("/accounts")
    visitor.page.get_by_role("link", name=re.compile("借记卡")).first.click()
    visitor.sees("accounts.record.title")
    looks_right(visitor, kind, "record")
    today = day_of(bank.clock.now(), ZONE.key)
    third = (today if today.day >= 3 else today.replace(day=1) - timedelta(days=1)).replace(day=3)
    visitor.page.locator("details.change > summary").click()
    visitor.fill("dateFrom", third.isoformat())
    visitor.fill("dateTo", third.isoformat())
    visitor.fill("amountFrom", "￥300")
    visitor.fill("amountTo", "３００.00")
    visitor.page.locator("#f-creditDebitIndicator").select_option("CRDT")
    visitor.press("accounts.record.find")
    visitor.sees("accounts.record.found")
    looks_right(visitor, kind, "found")
    visitor.page.get_by_role("link", name=re.compile("许知远")).click()
    visitor.sees("accounts.entry.title")
    visitor.sees("accounts.entry.booked-in")
    looks_right(visitor, kind, "entry")
    visitor.follow("accounts.entry.receipt")
    visitor.sees("accounts.receipt.note")
    looks_right(visitor, kind, "receipt")
    visitor.page.emulate_media(media="print")
    expect(visitor.page.locator("footer")).to_be_hidden()
    visitor.shoot("receipt-printed")


def test_amounts_are_hidden_with_one_tap_and_a_search_goes_wrong(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Not one is left in the page, not for eyes and not for a screen reader; one tap brings them back."""
    visitor = visit(bypass_csp=kind[1])
    bank.let_pass(61)  # another code for the same number
    visitor.sign_in(person("fine"))
    visitor.go("/accounts")
    visitor.press("accounts.hide")
    visitor.sees("accounts.show")
    assert not re.search(r"¥|CNY", visitor.page.content())
    looks_right(visitor, kind, "hidden")
    visitor.page.get_by_role("link", name=re.compile("借记卡")).first.click()
    visitor.follow("accounts.record.more")
    assert not re.search(r"¥|CNY", visitor.page.content())
    visitor.press("accounts.show")
    assert "cursor=" in visitor.page.url
    assert "¥" in visitor.page.content()
    looks_right(visitor, kind, "older")
    visitor.follow("accounts.record.newest")
    assert "cursor=" not in visitor.page.url

    # A search that cannot be read keeps what was typed and names the field; one that finds nothing says so kindly.
    visitor.page.emulate_media(color_scheme="dark")
    place = visitor.page.url
    visitor.page.goto(f"{place}?amountFrom=viel&text=%E6%88%BF%E7%A7%9F")
    visitor.sees("accounts.record.misread")
    expect(visitor.page.locator("#f-amountFrom")).to_have_value("viel")
    looks_right(visitor, kind, "misread")
    visitor.page.goto(f"{place}?text=%E6%B2%A1%E6%9C%89%E7%9A%84%E4%BA%8B")
    visitor.sees("accounts.record.nothing")
    looks_right(visitor, kind, "nothing")
    visitor.follow("accounts.record.clear")
    visitor.sees("accounts.record.title")


async def ask_for_one_that_waits(bank: Bank, account_id: str) -> None:
    """A file of this account that nobody takes up for some seconds."""
    now, core_ref = bank.clock.now(), person("fine").core_ref
    async with bank.house.store.begin() as tx:
        row = Export(
            export_id=new_id(), customer_id=tx.alerts.customer_id(core_ref), core_ref=core_ref, account_id=account_id,
            format=Format.CSV, language="zh", date_from=date.today().isoformat(), date_to=date.today().isoformat(),
            created_at=now, next_at=now + 5, expires_at=now + 3600,
        )  # fmt: skip
        assert await tx.exports.put(row)


def test_a_statement_is_made_and_an_alert_chosen(visit: Visit, bank: Bank, kind: Kind) -> None:
    """From the record to a PDF on the phone; and from home to a message when money comes in: the demo lets it come."""
    visitor = visit(bypass_csp=kind[1])
    bank.let_pass(61)
    visitor.sign_in(person("fine"))
    visitor.go("/accounts")
    visitor.page.get_by_role("link", name=re.compile("借记卡")).first.click()
    visitor.follow("accounts.record.statements")
    looks_right(visitor, kind, "asked")
    bank.run(ask_for_one_that_waits(bank, visitor.page.url.split("/")[-2]))
    visitor.fill("dateFrom", (date.today() - timedelta(days=60)).isoformat())
    visitor.press("accounts.statement.ask")
    ready = visitor.page.get_by_role("link", name=re.compile(f"{visitor.t('accounts.statement.ready')} PDF"))
    # Nobody taps anything: the page looks again by itself.
    for one in (
        visitor.page.get_by_role("link", name=re.compile(f"{visitor.t('accounts.statement.ready')} CSV")),
        ready,
    ):
        expect(one).to_be_visible(timeout=30_000)
    looks_right(visitor, kind, "ready")
    with visitor.page.expect_download() as download:
        ready.click()
    shot = visitor.keep(download.value)
    assert shot.read_bytes().startswith(b"%PDF-")
    visitor.go("/home")
    visitor.follow("accounts.alerts.home")
    visitor.page.locator("#f-money_out").check()
    visitor.fill("above", "viel")
    visitor.press("accounts.alerts.save")
    visitor.sees("accounts.alerts.misread")
    looks_right(visitor, kind, "misread")
    visitor.fill("above", "1,000")
    visitor.page.locator("#f-money_in").check()
    visitor.press("accounts.alerts.save")
    visitor.sees("accounts.alerts.done")
    looks_right(visitor, kind, "alerts")
    phone = person("fine").holds[0]
    before = len(bank.messages(phone))
    visitor.go("/demo")
    visitor.page.locator("#fine").get_by_role("button", name=visitor.t("demo.pay")).click()
    visitor.sees("demo.paid-told")
    visitor.hears(phone, before)
    amount = visitor.t("language.yuan", number="300.00")
    assert amount in bank.messages(phone)[0].text
    visitor.page.reload()
    expect(visitor.page.get_by_text(amount).first).to_be_visible()
    looks_right(visitor, kind, "paid")
