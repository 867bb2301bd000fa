"""The counter's other forms at 1280 px: a sign-in opened, a document corrected; a case, another day, who returns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from foregate.demo.people import Person, person
from foregate.rules import limits
from tests.browser.bank import Bank, Visitor
from tests.browser.conftest import Kind
from tests.browser.test_counter import Colleague, Sit, phone_of, sit

__all__ = ["sit"]

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module", params=[("zh", True), ("en", False)], ids=["zh-script", "en-plain"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """The same forms in both languages, once with a script and once without: two banks instead of four."""
    return request.param  # type: ignore[no-any-return]  # pytest's own Any


def opened(teller: Colleague, somebody: Person) -> None:
    """Find somebody by phone, and see their file."""
    teller.find(phone_of(somebody).removeprefix("+86"))
    teller.sees("console.file.why")


def id_typed(teller: Colleague, somebody: Person, expires_on: str | None) -> None:
    """Type what stands on the document, by the keyboard alone: from the number on with Tab, and send it with Enter."""
    number = teller.page.locator("#f-number")
    number.fill(somebody.document_number)
    if expires_on is None:
        teller.page.locator('input[name="long_term"]').check()
    else:
        teller.fill("expires_on", expires_on)
    number.press("Enter")


def consented(colleague: Colleague, act: str) -> None:
    """See it on one's own desk, exactly, and consent."""
    colleague.go("/console")
    colleague.follow(f"proposal.act.{act}")
    colleague.sees("console.proposal.consent-title")
    colleague.fill("note", "证件核对无误，是本人")
    colleague.shoot(f"{act}-consent")
    colleague.press("console.proposal.consent")
    colleague.sees(f"proposal.done.{act}.title")
    colleague.shoot(f"{act}-done")


def test_a_closed_sign_in_and_an_expired_document(sit: Sit, bank: Bank) -> None:
    """What is typed wrong is refused and nothing is lost; then two people put it right, and the verdict has changed."""
    teller, colleague = sit("-teller"), sit("-colleague")
    teller.sign_in_as("shenjing")
    colleague.sign_in_as("liangshumin")
    closed = person("closed-by-bank")
    opened(teller, closed)
    teller.sees("verdict.headline.closed-by-bank")
    expect(teller.page.locator('input[name="lost"][value="passkey"]')).to_have_count(0)
    teller.shoot("closed")
    teller.follow("proposal.act.unfreeze")
    teller.sees("proposal.lead.unfreeze")
    id_typed(teller, person("two-cards"), closed.document_expires_on)
    teller.is_refused("document-mismatch")
    teller.shoot("mismatch")
    id_typed(teller, closed, closed.document_expires_on)
    teller.sees("console.proposal.waiting-title")
    teller.shoot("waiting")
    consented(colleague, "unfreeze")
    opened(teller, closed)
    teller.sees("verdict.headline.nothing-wrong")

    expired, new = person("document-expired"), (date.today() + timedelta(days=3650)).isoformat()
    opened(teller, expired)
    teller.sees("verdict.finding.document-expired")
    teller.follow("proposal.act.correct-document")
    teller.shoot("form")
    id_typed(teller, expired, expired.document_expires_on)
    teller.is_refused("document-expired")
    id_typed(teller, expired, new)
    teller.sees("console.proposal.waiting-title")
    expect(teller.page.locator("ins")).to_have_text(new)
    consented(colleague, "correct-document")
    opened(teller, expired)
    teller.sees("verdict.finding.document-valid")
    expect(teller.page.locator("dl.facts").filter(has_text=new).first).to_be_visible()


def test_a_case_of_nobody_known_is_read(sit: Sit, visit: Visit, bank: Bank, kind: Kind) -> None:
    """What the page kept back is read at the counter, by the number that the visitor brings; and it is accessible."""
    customer = visit("-customer")
    bank.let_pass(limits.RESEND_SECONDS * 61)
    customer.go("/")
    customer.fill("phone", "19988887777")
    customer.press("step.phone.submit")
    customer.fill("code", "000000")
    customer.press("step.phone_code.submit")
    customer.follow("remedy.visit-outlet")
    customer.press("case.visit")
    case_no = customer.page.url.partition("case=")[2].partition("&")[0]
    teller = sit("-teller", **({"bypass_csp": True} if kind[1] else {}))
    teller.sign_in_as("shenjing")
    teller.find(case_no)
    teller.sees("console.case.nobody")
    teller.sees("console.case.kept-back")
    teller.shoot("case")
    if kind[1]:
        teller.axe()


def test_other_days_and_people_who_return(sit: Sit, bank: Bank, kind: Kind) -> None:
    """The day before and after by its arrows, a day by its date; and a colleague who left comes back with a code."""
    options = {"bypass_csp": True} if kind[1] else {}
    teller, admin = sit("-teller", **options), sit("-admin", **options)
    teller.sign_in_as("shenjing")
    teller.go("/console/queue")
    teller.page.get_by_role("link", name=teller.t("console.queue.day-after")).click()
    teller.sees("console.queue.to-today")
    teller.shoot("day")
    wanted = (date.today() + timedelta(days=7)).isoformat()
    teller.fill("day", wanted)
    teller.press("console.queue.show-day")
    expect(teller.page.locator("#f-day")).to_have_value(wanted)
    admin.sign_in_as("fangyi")
    admin.go("/console/staff")
    admin.shoot("staff")
    admin.page.get_by_role("link", name="陆川").click()
    expect(admin.page.locator("#f-core_ref")).to_be_visible()
    admin.shoot("member")
    admin.press("console.staff.deactivate")
    admin.sees("console.staff.back-title")
    admin.shoot("left")
    if kind[1]:
        teller.axe()
        admin.axe()
    admin.press("console.staff.reactivate")
    admin.sees("console.staff.code-title")
    admin.shoot("back")
