"""Staff at the console, 1280 px wide: how they sign in, what they see, and what they do for a customer who came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import CDPSession, ConsoleMessage, Dialog, expect

from foregate.counter import sign_in_enrol
from foregate.demo.people import Person, person
from foregate.demo.staff import PASSWORD, colleague
from foregate.rules import limits
from tests.browser.bank import Bank, Visitor
from tests.browser.conftest import LOCALES, Kind
from tests.browser.looking import found_by_axe
from tests.conftest import PageAt

Visit = Callable[..., Visitor]
Sit = Callable[..., "Colleague"]
WIDTH = 1280
NEW_PASSWORD = "纸船 under the lamp 9"


class Colleague(Visitor):
    """A member of staff at their own screen."""

    def sign_in_as(self, user_name: str) -> None:
        """By password and one-time code; each code works once, so time passes first."""
        self.bank.let_pass(int(limits.TOTP_STEP_SECONDS))
        self.go("/console/sign-in")
        self.fill("user_name", user_name)
        self.fill("password", PASSWORD)
        self.fill("code", colleague(user_name).code(self.bank.clock.now()))
        self.press("console.sign-in.submit")
        self.sees("console.desk.mine")

    def find(self, text: str) -> None:
        """Search by the box in the bar."""
        self.page.locator("#find").fill(text)
        self.page.locator("#find").press("Enter")

    def is_refused(self, objection: str) -> None:
        """The page says why not."""
        self.sees(f"objection.{objection}.title")
        expect(self.page.locator("#problem")).to_be_visible()

    def axe(self) -> None:
        """axe finds nothing on this page."""
        assert [] == found_by_axe(self.page)


@pytest.fixture
def sit(
    bank: Bank, page_at: PageAt, kind: Kind, shots: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Colleague]]:
    """Let a member of staff sit down at a screen of their own. Whatever the browser complains of fails the test."""
    language, script = kind
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            complaints.append(message.text)

    def sit_down(name: str = "", **options: Any) -> Colleague:
        page = page_at(WIDTH, LOCALES[language], java_script_enabled=script, **options)
        page.set_viewport_size({"width": WIDTH, "height": 800})
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        story = request.node.name.partition("[")[0].removeprefix("test_")
        return Colleague(bank, page, language, shots, f"{story}{name}-{language}-{'script' if script else 'plain'}")

    yield sit_down
    assert [] == complaints


def enrolment_code(bank: Bank, user_name: str) -> str:
    """Issue an enrolment code, as an administrator does."""

    async def issue() -> str:
        async with bank.house.store.begin() as tx:
            member = await tx.staff.by_user_name(user_name)
            assert member is not None
            return await sign_in_enrol.issue(bank.house.world, tx, member.staff_id, actor="test", source="")

    return bank.run(issue())


def authenticator(teller: Colleague) -> CDPSession:
    """Give the browser a virtual authenticator that knows its owner."""
    cdp = teller.page.context.new_cdp_session(teller.page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp


def phone_of(somebody: Person) -> str:
    assert somebody.login is not None
    return somebody.login.phone


# ---------------------------------------------------------------- signing in


def test_sign_in_by_password_and_code(sit: Sit) -> None:
    """Wrong first: the name stays, and the words name no reason. Then in, and out again."""
    teller = sit()
    teller.go("/console")
    teller.sees("console.sign-in.title")
    teller.shoot("sign-in")
    teller.fill("user_name", "shenjing")
    teller.fill("password", "not the password")
    teller.fill("code", "000000")
    teller.press("console.sign-in.submit")
    teller.sees("console.refused.staff-not-recognised.title")
    expect(teller.page.locator("#f-user_name")).to_have_value("shenjing")
    teller.shoot("wrong")
    teller.sign_in_as("shenjing")
    teller.shoot("desk")
    teller.press("console.sign-out")
    teller.sees("console.sign-in.signed-out.title")


def test_enrol_with_password_and_codes(sit: Sit, bank: Bank) -> None:
    """The code from the administrator, a QR code to scan, and a first code in proof."""
    teller = sit()
    code = enrolment_code(bank, "luchuan")
    teller.go("/console/enrol")
    teller.fill("enrolment", code)
    teller.shoot("code")
    teller.press("console.enrol.next")
    teller.sees("console.enrol.scan-title")
    teller.fill("password", "short")
    teller.fill("one_time_code", "000000")
    teller.press("console.enrol.password-submit")
    teller.sees("input.one-time-code")
    teller.shoot("choose")


def test_enrol_and_sign_in_with_a_passkey(sit: Sit, bank: Bank, kind: Kind) -> None:
    """Nothing is typed but the enrolment code."""
    if not kind[1]:
        pytest.skip("passkeys need a script")
    teller = sit()
    authenticator(teller)
    code = enrolment_code(bank, "gaoyuan")
    here = bank.url.replace("127.0.0.1", "localhost")
    teller.page.goto(f"{here}/console/enrol")
    teller.fill("enrolment", code)
    teller.press("console.enrol.next")
    teller.shoot("choose")
    teller.press("console.enrol.passkey-submit")
    teller.sees("console.sign-in.enrolled.title")
    teller.shoot("enrolled")
    teller.press("console.passkey.sign-in")
    teller.sees("console.desk.mine")
    teller.sees("console.method.passkey")
    teller.shoot("desk")


def test_an_unattended_console_locks(sit: Sit, bank: Bank, kind: Kind) -> None:
    """A minute before there is a warning and one button; then nothing of the page is left on the screen."""
    teller = sit()
    if not kind[1]:
        teller.sign_in_as("liangshumin")
        bank.let_pass(int(limits.STAFF_IDLE_SECONDS))
        teller.go("/console")
        teller.sees("console.sign-in.title")
        return
    teller.page.clock.install()
    teller.sign_in_as("liangshumin")
    nearly = int(limits.STAFF_IDLE_SECONDS) - 50
    bank.let_pass(nearly)
    teller.page.clock.run_for(nearly * 1000)
    teller.page.clock.run_for(3000)
    teller.sees("console.idle.title")
    teller.page.screenshot(path=teller._shots / f"console-idle-{teller.language}.png")
    teller.press("console.idle.stay")
    expect(teller.page.locator("#idle")).to_be_hidden()
    bank.let_pass(int(limits.STAFF_IDLE_SECONDS) + 1)
    teller.page.clock.run_for(int(limits.STAFF_IDLE_SECONDS) * 1000 + 3000)
    teller.sees("console.sign-in.locked.title")


# ---------------------------------------------------------------- a customer


def test_why_they_cannot_get_in(sit: Sit) -> None:
    """Found by phone; one sentence; what works; and what happened."""
    teller, ma = sit(), person("number-gone-bound-held")
    teller.sign_in_as("shenjing")
    teller.find(phone_of(ma).removeprefix("+86"))
    teller.sees("console.file.why")
    teller.shoot("file")
    teller.page.locator('input[name="lost"][value="phone"]').check()
    teller.page.locator('input[name="lost"][value="password"]').check()
    teller.press("console.file.ask-again")
    teller.sees("verdict.headline.number-and-password-lost")
    teller.shoot("lost")


def test_nobody_is_found(sit: Sit) -> None:
    """What was typed stays, and the page says what to type instead."""
    teller = sit()
    teller.sign_in_as("shenjing")
    teller.find("19900009999")
    teller.sees("console.found.nobody")
    expect(teller.page.locator("#f-query")).to_have_value("19900009999")
    teller.shoot("nobody")
    teller.find("王伟")
    teller.shoot("two")


def test_web_03_hostile_words_run_nowhere(sit: Sit) -> None:
    """Typed into the box, into an address, into a reason for an outlet's day: no dialog, no report of the policy."""
    admin = sit()
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    admin.page.on("dialog", note)
    admin.sign_in_as("fangyi")
    for word in ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "<svg/onload=alert(3)>"):
        admin.find(word)
        expect(admin.page.locator("#f-query")).to_have_value(word)
        admin.page.goto(f"{admin.bank.url}/console/outlets?q={quote(word)}")
        admin.sees("console.outlets.exceptions")
        admin.go("/console/outlets/D102")
        admin.fill("day", (date.today() + timedelta(days=300)).isoformat())
        admin.fill("exception_hours", "10:00-14:00")
        admin.fill("reason", word)
        admin.press("console.outlets.add-exception")
        expect(admin.page.get_by_text(word)).to_be_visible()
    assert [] == dialogs


# ---------------------------------------------------------------- lost number and forgotten password


def refused_at_the_door(customer: Visitor, su: Person, bank: Bank) -> None:
    """The code goes to a number that is gone; what is left is an outlet, with service and documents chosen."""
    customer.go("/")
    customer.fill("phone", phone_of(su).removeprefix("+86"))
    customer.press("step.phone.submit")
    customer.sees("step.phone_code.title")
    bank.let_pass(int(limits.CODE_TTL_SECONDS) + 1)
    customer.fill("code", "123456")
    customer.press("step.phone_code.submit")
    customer.is_told("code-expired")
    customer.shoot("refused")
    customer.follow("remedy.visit-outlet")
    customer.sees("service.phone-change.name")
    customer.shoot("outlet-and-documents")
    customer.press("case.visit")


def booked(customer: Visitor, bank: Bank, number: str) -> int:
    """Find the outlet, choose a time, and confirm with a code to the new number. Returns when it is."""
    customer.sees("outlets.case.title")
    expect(customer.page.locator("#f-service")).to_have_value("phone-change")
    customer.shoot("where")
    customer.fill("q", "南屏")
    customer.press("outlets.search")
    customer.sees("outlets.case.title")
    customer.shoot("finder")
    customer.page.get_by_role("link", name=customer.t("outlets.book")).first.click()
    customer.sees("booking.choose-time")
    time = customer.page.locator(".times a").first
    at = parse_qs(urlsplit(time.get_attribute("href") or "").query)["at"][0]
    time.click()
    customer.fill("phone", number.removeprefix("+86"))
    customer.fill("surname", "苏")
    customer.shoot("booking")
    before = customer.codes(number)
    customer.press("step.anybody.submit")
    customer.prove_phone(number, before)
    customer.sees("appointment.done")
    customer.shoot("booked")
    return int(datetime.strptime(at, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC).timestamp())


def proposed(teller: Colleague, su: Person, number: str) -> None:
    """From the queue to the file, the ID card, and a code to the new number."""
    teller.page.get_by_role("link", name=teller.t("console.tab.queue"), exact=True).first.click()
    teller.shoot("queue-booked")
    teller.follow("console.queue.slip")
    teller.sees("console.slip.title")
    teller.shoot("slip")
    before = len(teller.bank.messages(number))
    teller.press("console.slip.text")
    teller.sees("console.queue.said.texted")
    teller.hears(number, before)
    teller.page.get_by_role("button", name=teller.t("console.queue.check-in")).first.click()
    teller.sees("console.queue.said.check-in")
    teller.press("console.queue.call-next")
    teller.shoot("queue-called")
    teller.page.locator('form[action="/console/search"] button.plain').first.click()
    teller.sees("console.file.why")
    for lost in ("phone", "bound-phone", "password"):
        teller.page.locator(f'input[name="lost"][value="{lost}"]').check()
    teller.press("console.file.ask-again")
    teller.sees("verdict.headline.number-and-password-lost")
    teller.shoot("verdict")
    teller.follow("proposal.act.replace-phone")
    teller.fill("number", su.document_number)
    teller.fill("expires_on", "2031-01-01")
    teller.fill("phone", number.removeprefix("+86"))
    teller.press("console.act.propose")
    teller.is_refused("document-outdated")
    expect(teller.page.locator("#f-number")).to_have_value(su.document_number)
    teller.shoot("id-check-refused")
    teller.fill("expires_on", su.document_expires_on or "")
    teller.press("console.act.propose")
    teller.sees("console.proposal.prove-title")
    before = teller.codes(number)
    teller.press("console.proposal.send")
    teller.sees("console.proposal.sent")
    teller.shoot("code-sent")
    teller.fill("code", teller.code(number, before))
    teller.press("console.proposal.prove")
    teller.sees("console.proposal.waiting-title")
    teller.shoot("waiting")


def consented(colleague: Colleague, kind: Kind) -> str:
    """The colleague sees it on their own desk, exactly, and consents. Returns the permit."""
    if not kind[1]:
        colleague.go("/console")
    colleague.sees("proposal.act.replace-phone")
    colleague.shoot("desk")
    colleague.follow("proposal.act.replace-phone")
    colleague.sees("console.proposal.consent-title")
    colleague.fill("note", "本人与照片一致，证件号和有效期相符")
    colleague.shoot("consent")
    colleague.press("console.proposal.consent")
    colleague.sees("console.permit.title")
    colleague.shoot("permit")
    return colleague.page.locator(".permit .big").inner_text()


def test_lost_number_and_forgotten_password(sit: Sit, visit: Visit, bank: Bank, kind: Kind) -> None:
    """From the failing sign-in to the outlet, the counter with two people, a new password and a full session."""
    customer, su = visit("-customer"), person("lost-number-forgot-password")
    number = su.holds[0]
    bank.let_pass(limits.RESEND_SECONDS * 61)
    refused_at_the_door(customer, su, bank)
    starts_at = booked(customer, bank, number)
    bank.let_pass(starts_at - 300 - bank.clock.now())

    teller, colleague = sit("-teller"), sit("-colleague")
    colleague.sign_in_as("liangshumin")
    teller.sign_in_as("shenjing")
    proposed(teller, su, number)
    permit = consented(colleague, kind)
    if not kind[1]:
        teller.page.reload()
    teller.sees("proposal.done.replace-phone.title")
    teller.shoot("done")
    colleague.page.emulate_media(media="print")
    colleague.shoot("permit-on-paper")

    bank.let_pass(limits.RESEND_SECONDS + 1)
    before = customer.codes(number)
    customer.go("/reset-password")
    customer.fill("phone", number.removeprefix("+86"))
    customer.press("step.phone.submit")
    customer.prove_phone(number, before)
    customer.press("way.permit")
    customer.give("permit", "permit", permit)
    customer.give("set-password", "new_password", NEW_PASSWORD)
    customer.sees("outcome.set-password.title")
    customer.shoot("new-password")
    bank.let_pass(limits.RESEND_SECONDS + 1)
    before = customer.codes(number)
    customer.go("/sign-in")
    customer.fill("phone", number.removeprefix("+86"))
    customer.press("step.phone.submit")
    customer.prove_phone(number, before)
    customer.give("password", "password", NEW_PASSWORD)
    customer.sees("home.full")
    customer.shoot("full-session")


# ---------------------------------------------------------------- outlets


def test_an_administrator_changes_an_outlet(sit: Sit, kind: Kind) -> None:
    """Name and services above the file, a day for the whole country, and no closing while somebody works there."""
    admin, place = sit(), "/console/outlets/D102"
    admin.sign_in_as("fangyi")
    admin.go(place)
    name = admin.page.locator("#f-name").input_value()
    admin.fill("name", f"{name}（东门）")
    admin.page.locator(f"form[action='{place}/facts'] button").press("Enter")
    expect(admin.page.locator("h1")).to_contain_text("（东门）")
    admin.sees("console.outlets.set-here")
    admin.sees("console.outlets.in-file", said=name)
    tick = admin.page.locator("input[name=service-loan]")
    tick.focus()
    admin.page.keyboard.press("Space")
    admin.page.locator(f"form[action='{place}/services'] button").first.press("Enter")
    expect(admin.page.locator("input[name=service-loan]")).not_to_be_checked()
    admin.shoot("changed")
    admin.press("console.outlets.close")
    admin.sees("console.outlets.in-use")
    admin.shoot("in-use")
    admin.press("console.outlets.as-filed")
    expect(admin.page.locator("input[name=service-loan]")).to_be_checked()
    admin.fill("name", "")
    admin.page.locator(f"form[action='{place}/facts'] button").click()
    expect(admin.page.locator("#f-name")).to_have_value(name)
    admin.go("/console/outlets")
    admin.fill("day", (date.today() + timedelta(days=310)).isoformat())
    admin.fill("reason", "系统升级")
    admin.press("console.outlets.add-exception")
    expect(admin.page.get_by_text("系统升级")).to_be_visible()
    admin.shoot("country-day")
    admin.page.locator("form[action='/console/country-days/delete'] button").click()
    expect(admin.page.get_by_text("系统升级")).to_have_count(0)


# ---------------------------------------------------------------- every page

SEATS = [("shenjing", "/console"), ("shenjing", "/console/queue"), ("shenjing", "/console/search"),
         ("liangshumin", "/console/staff"), ("fangyi", "/console/staff"), ("fangyi", "/console/outlets"),
         ("fangyi", "/console/outlets/D101"), ("qiuming", "/console/audit"),
         ("qiuming", "/console/outlets")]  # fmt: skip


@pytest.mark.slow
def test_every_page_is_accessible_and_fits(sit: Sit, bank: Bank, kind: Kind) -> None:
    """axe finds nothing, in light and dark; and on a screen of 360 px nothing scrolls sideways."""
    if not kind[1]:
        pytest.skip("axe is a script itself")
    for scheme in ("light", "dark"):
        # Colours are the same for everybody; in the dark two seats have seen them all.
        seats = dict.fromkeys(name for name, _ in SEATS) if scheme == "light" else ("shenjing", "qiuming")
        for user_name in seats:
            member = sit(f"-{user_name}-{scheme}", bypass_csp=True, color_scheme=scheme)
            member.go("/console/enrol")
            member.axe()
            member.sign_in_as(user_name)
            for path in (path for name, path in SEATS if name == user_name):
                member.go(path)
                member.axe()
                member.shoot(path.strip("/").replace("/", "-"))
            member.page.set_viewport_size({"width": 360, "height": 740})
            for path in (path for name, path in SEATS if name == user_name):
                member.go(path)
                assert member.page.evaluate("document.documentElement.scrollWidth") <= 360, path
                member.shoot(path.strip("/").replace("/", "-") + "-narrow")


def test_a_customers_file_and_the_form_of_an_act_are_accessible(sit: Sit, kind: Kind) -> None:
    """The pages behind a search: file, ID check, proposal, and a member's own."""
    if not kind[1]:
        pytest.skip("axe is a script itself")
    teller, xu = sit(bypass_csp=True), person("two-cards")
    teller.sign_in_as("shenjing")
    teller.find(phone_of(xu).removeprefix("+86"))
    teller.sees("console.file.why")
    teller.axe()
    teller.follow("proposal.act.end-sessions")
    teller.axe()
    teller.fill("number", xu.document_number)
    teller.fill("expires_on", xu.document_expires_on or "")
    teller.press("console.act.do")
    teller.sees("proposal.done.end-sessions.title")
    teller.axe()
    teller.shoot("done")
    proposal = teller.page.url
    teller.page.set_viewport_size({"width": 360, "height": 740})
    for address in (f"{teller.bank.url}/console/enrol", proposal):
        teller.page.goto(address)
        assert teller.page.evaluate("document.documentElement.scrollWidth") <= 360
    teller.find(phone_of(xu).removeprefix("+86"))
    teller.sees("console.file.why")
    assert teller.page.evaluate("document.documentElement.scrollWidth") <= 360
    teller.shoot("file-narrow")
    teller.follow("proposal.act.replace-phone")
    assert teller.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_keyboard_is_enough(sit: Sit, kind: Kind) -> None:
    """A slash goes to the box, j and k through lines, a question mark explains; and they can be switched off."""
    if not kind[1]:
        pytest.skip("keys need a script")
    admin = sit()
    admin.sign_in_as("fangyi")
    admin.go("/console/staff")
    admin.page.keyboard.press("j")
    admin.page.keyboard.press("j")
    admin.page.keyboard.press("k")
    expect(admin.page.locator("[data-row]").first).to_be_focused()
    admin.page.keyboard.press("/")
    expect(admin.page.locator("#find")).to_be_focused()
    admin.page.keyboard.press("Escape")
    admin.page.keyboard.press("?")
    expect(admin.page.locator("#keys")).to_be_visible()
    admin.shoot("keys")
    admin.page.locator("#keys input").uncheck()
    admin.press("console.keys.close")
    admin.page.locator("h1").click()
    admin.page.keyboard.press("/")
    expect(admin.page.locator("#find")).not_to_be_focused()
