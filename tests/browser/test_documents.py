"""Documents at 360 px: told at sign-in, renewed, and not told any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from playwright.sync_api import expect

from foregate.demo.people import Person, person
from foregate.rules.documents import day_of
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


def fill_document(visitor: Visitor, somebody: Person, **changes: Any) -> None:
    """Type what stands on the new document."""
    assert somebody.renewed is not None
    visitor.sees("step.renew-document.title")
    visitor.fill("name", somebody.name)
    visitor.page.locator("#f-document_type").select_option(somebody.document_type)
    visitor.fill("document_number", changes.get("number", somebody.renewed.number))
    visitor.fill("issued_on", changes.get("issued_on", somebody.renewed.issued_on))
    visitor.fill("expires_on", changes.get("expires_on", somebody.renewed.expires_on))


def test_an_expired_card_is_renewed(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Home says so after signing in; a mistake is told beside its field; right, and home says so no more."""
    visitor, tang = visit(bypass_csp=kind[1]), person("document-expired")
    visitor.sign_in(tang)
    visitor.sees("home.document-expired")
    looks_right(visitor, kind, "told")
    visitor.press("remedy.renew-document")
    fill_document(visitor, tang, expires_on=tang.document_expires_on)
    looks_right(visitor, kind, "asked")
    visitor.press("step.renew-document.submit")
    visitor.is_told("input-invalid")
    visitor.sees("input.day-past")
    looks_right(visitor, kind, "past")
    fill_document(visitor, tang, issued_on="2024-03-31")
    visitor.press("step.renew-document.submit")
    visitor.is_told("input-invalid")
    visitor.sees("input.issue-term")
    looks_right(visitor, kind, "term")
    fill_document(visitor, tang, number="11010519491231002X")
    visitor.press("step.renew-document.submit")
    visitor.is_told("document-mismatch")
    visitor.sees("input.document-number-differs")
    looks_right(visitor, kind, "mismatch")
    fill_document(visitor, tang, expires_on=str(tang.renewed.expires_on).replace("-", ""))  # type: ignore[union-attr]  # the demo has it
    visitor.press("step.renew-document.submit")
    visitor.sees("outcome.renew-document.title")
    expect(visitor.page.locator("#document")).to_have_count(0)
    looks_right(visitor, kind, "renewed")
    visitor.go("/home")
    expect(visitor.page.locator("#document")).to_have_count(0)


def test_a_passport_under_a_new_number(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Without signing in: the phone, the card PIN, the new passport; the end leads on to sign in."""
    visitor, marie = visit(bypass_csp=kind[1]), person("passport-renewed")
    assert marie.login is not None
    before = visitor.codes(marie.login.phone)
    visitor.go("/renew-document")
    looks_right(visitor, kind, "begin")
    visitor.fill("phone", marie.login.phone.removeprefix("+86"))
    visitor.press("step.phone.submit")
    visitor.prove_phone(marie.login.phone, before)
    visitor.give("password", "password", marie.login.password)
    fill_document(visitor, marie)
    visitor.press("step.renew-document.submit")
    visitor.sees("outcome.renew-document.title")
    looks_right(visitor, kind, "done")


def test_what_is_about_to_end_and_what_never_does(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Twelve days ahead it says so, and eleven once it is midnight, in a basic session too; long-term says nothing."""
    luo, du = visit(bypass_csp=kind[1]), visit("-long-term", bypass_csp=kind[1])
    luo.sign_in_basic(person("document-expiring"))
    ends_on = date.fromisoformat(person("document-expiring").document_expires_on or "")
    luo.sees("home.document-expiring", count=(ends_on - day_of(bank.clock.now())).days)
    looks_right(luo, kind, "expiring")
    luo.press("remedy.renew-document")
    luo.sees("step.password.title")
    du.sign_in_basic(person("document-long-term"))
    du.sees("home.basic")
    expect(du.page.locator("#document")).to_have_count(0)
