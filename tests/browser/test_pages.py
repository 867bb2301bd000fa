"""Customers at the door, at 360 px: what they came for, what goes wrong, and how they get in all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from foregate.demo.people import OTHER_PIN, PIN, Person, person
from foregate.rules import limits
from tests.browser.bank import Bank, Visitor
from tests.browser.conftest import Kind
from tests.browser.looking import found_by_axe

Visit = Callable[..., Visitor]
NEW_PASSWORD = "纸船 under the lamp 9"


def phone_of(somebody: Person) -> str:
    assert somebody.login is not None
    return somebody.login.phone


# ---------------------------------------------------------------- getting in


def test_register(visit: Visit) -> None:
    """Card, ID and phone make a customer: a wrong digit is said at its field, a weak password is not taken."""
    visitor, zhao = visit(), person("not-registered")
    phone = zhao.holds[0]
    visitor.go("/")
    visitor.shoot("door")
    visitor.follow("door.register")
    visitor.fill("card_number", zhao.cards[0].number[:-1] + "9")
    visitor.fill("name", zhao.name)
    visitor.fill("document_number", zhao.document_number)
    visitor.press("step.card_name_document.submit")
    visitor.is_told("input-invalid")
    visitor.shoot("wrong-digit")
    visitor.fill("card_number", " ".join(zhao.cards[0].number[n : n + 4] for n in range(0, 16, 4)))
    visitor.press("step.card_name_document.submit")
    visitor.shoot("code")
    visitor.prove_phone(phone, 0)
    visitor.shoot("pin")
    visitor.give("card_pin", "card_pin", PIN)
    visitor.fill("new_user_name", "zhaoyiming")
    visitor.fill("new_password", "woaini520")
    visitor.press("step.register.submit")
    visitor.is_told("input-invalid")
    visitor.shoot("weak-password")
    visitor.fill("new_password", NEW_PASSWORD)
    visitor.page.locator("#f-remember_device").check()
    visitor.press("step.register.submit")
    visitor.sees("home.full")
    visitor.shoot("home")


def test_sign_in_by_phone_and_finish_in_place(visit: Visit) -> None:
    """A number and a code show what there is; the password that is missing is asked right there."""
    visitor, lin = visit(), person("fine")
    visitor.sign_in_basic(lin)
    visitor.sees("home.basic")
    visitor.shoot("basic")
    visitor.fill("password", "not the password")
    visitor.press("journey.finish-sign-in.title")
    visitor.is_told("password-wrong")
    visitor.shoot("wrong-password")
    visitor.give("password", "password", lin.login.password if lin.login else "")
    visitor.sees("home.full")
    visitor.shoot("full")


@pytest.mark.parametrize("way", ["phone", "card", "user_name"])
def test_sign_in_each_way(visit: Visit, way: str) -> None:
    """By number, by card, by user name: then a code and the password."""
    people = {"phone": "document-expired", "card": "document-expiring", "user_name": "same-name-one"}
    visitor = visit(f"-{way}")
    visitor.go(f"/sign-in?way={way}")
    visitor.shoot("entry")
    visitor.sign_in(person(people[way]), way)


def test_sign_in_with_the_card_pin_instead(visit: Visit) -> None:
    """Whose password rests takes another way at once."""
    visitor, feng = visit(), person("password-blocked")
    visitor.go("/sign-in")
    visitor.fill("phone", phone_of(feng))
    visitor.press("step.phone.submit")
    visitor.prove_phone(phone_of(feng), 0)
    visitor.shoot("after-code")
    visitor.give("card_pin", "card_pin", PIN)
    visitor.sees("home.full")


def test_a_late_code_is_refreshed(visit: Visit, bank: Bank) -> None:
    """The message came after the code had died: the page says so, and one tap brings another."""
    visitor, xu = visit(), person("two-cards")
    visitor.go("/")
    visitor.fill("phone", phone_of(xu))
    visitor.press("step.phone.submit")
    visitor.sees("step.phone_code.title")
    late = visitor.code(phone_of(xu))
    bank.let_pass(limits.CODE_TTL_SECONDS + 1)
    visitor.fill("code", late)
    visitor.press("step.phone_code.submit")
    visitor.is_told("code-expired")
    visitor.shoot("late")
    visitor.press("remedy.ask-new-code")
    visitor.prove_phone(phone_of(xu), 1)
    visitor.sees("home.basic")


def test_text_us_instead_of_a_code(visit: Visit, bank: Bank) -> None:
    """Whom no code reaches sends the digits of the page from that very number."""
    visitor, han = visit(), person("device-remembered")
    visitor.go("/")
    visitor.fill("phone", phone_of(han))
    visitor.press("step.phone.submit")
    visitor.page.locator("summary").click()
    visitor.shoot("offer")
    visitor.press("code.text-us-done")
    visitor.is_told("text-not-arrived")
    digits = visitor.page.locator("#text-us .digits").inner_text()
    assert bank.run(bank.phones.text_us(phone_of(han), digits))
    visitor.press("code.text-us-done")
    visitor.sees("home.basic")


# ---------------------------------------------------------------- getting back in


def test_two_failures_then_reopen(visit: Visit, bank: Bank) -> None:
    """From the second failure the way back is offered; the number that was typed is not asked again."""
    visitor, wu = visit(), person("closed-by-failures")
    visitor.go("/sign-in")
    visitor.fill("phone", phone_of(wu))
    visitor.press("step.phone.submit")
    visitor.prove_phone(phone_of(wu), 0)
    visitor.is_told("closed-by-failures")
    visitor.shoot("closed")
    visitor.follow("remedy.reopen")
    expect(visitor.page.locator("#f-phone")).to_have_value(phone_of(wu).removeprefix("+86"))
    visitor.fill("card_number", wu.cards[0].number)
    visitor.shoot("reopen")
    bank.let_pass(limits.RESEND_SECONDS + 1)
    visitor.press("step.card_and_phone.submit")
    visitor.prove_phone(phone_of(wu), 1)
    visitor.give("card_pin", "card_pin", OTHER_PIN)
    visitor.is_told("card-pin-wrong")
    visitor.give("card_pin", "card_pin", PIN)
    visitor.sees("outcome.reopen.title")
    visitor.shoot("open")
    bank.let_pass(limits.RESEND_SECONDS + 1)
    visitor.sign_in(wu)


def test_two_wrong_passwords_offer_ways_back(visit: Visit, bank: Bank) -> None:
    """Tries left are told, and from the second on `reopen` stands among the ways."""
    visitor, sun = visit(), person("family-father")
    visitor.go("/sign-in")
    visitor.fill("phone", phone_of(sun))
    visitor.press("step.phone.submit")
    visitor.prove_phone(phone_of(sun), 0)
    visitor.give("password", "password", "first guess")
    visitor.is_told("password-wrong")
    visitor.sees("page.tries-left", count=4)
    visitor.give("password", "password", "second guess")
    visitor.sees("page.tries-left", count=3)
    visitor.sees("remedy.reopen")
    visitor.shoot("second")


def test_a_forgotten_password(visit: Visit, bank: Bank) -> None:
    """A code and the card PIN set a new one; nobody is signed in by it; the old one is dead."""
    visitor, zhou = visit(), person("forgot-password")
    visitor.go("/cannot-get-in")
    visitor.shoot("ways")
    visitor.follow("stuck.forgot")
    visitor.fill("phone", phone_of(zhou))
    visitor.press("step.phone.submit")
    visitor.prove_phone(phone_of(zhou), 0)
    visitor.give("card_pin", "card_pin", PIN)
    visitor.give("set-password", "new_password", "88888888")
    visitor.is_told("input-invalid")
    visitor.give("set-password", "new_password", NEW_PASSWORD)
    visitor.sees("outcome.set-password.title")
    visitor.shoot("set")
    bank.let_pass(limits.RESEND_SECONDS + 1)
    visitor.follow("remedy.sign-in")
    visitor.press("step.phone.submit")
    visitor.prove_phone(phone_of(zhou), 1)
    visitor.give("password", "password", NEW_PASSWORD)
    visitor.sees("home.full")


def test_a_lost_phone_is_frozen(visit: Visit, bank: Bank) -> None:
    """One proof closes the door; whose number is shared says first who is meant."""
    visitor, mother = visit(), person("family-mother")
    shared = mother.holds[0]
    visitor.go("/")
    visitor.follow("door.lost")
    visitor.fill("phone", shared)
    before = visitor.codes(shared)
    bank.let_pass(limits.RESEND_SECONDS + 1)  # a number that others share may just have been sent a code
    visitor.press("step.phone.submit")
    visitor.prove_phone(shared, before)
    visitor.sees("step.pick.title")
    visitor.shoot("pick")
    visitor.page.get_by_label("*梅").check()
    visitor.press("step.pick.submit")
    visitor.sees("outcome.close-permission.title")
    visitor.shoot("frozen")


def test_what_the_bank_closed(visit: Visit) -> None:
    """Told only after possession, with the outlet as the way."""
    visitor, he = visit(), person("closed-by-bank")
    visitor.sign_in_basic(he)
    visitor.is_told("closed-by-bank")
    visitor.shoot("closed")
    visitor.follow("remedy.visit-outlet")
    visitor.sees("help-outlet.title")
    visitor.shoot("outlet")


def test_a_stranger_learns_nothing(visit: Visit) -> None:
    """A number that nobody registered asks for a code like any other, and a wrong one is told alike."""
    visitor = visit()
    visitor.go("/")
    visitor.fill("phone", "199 0000 7777")
    visitor.press("step.phone.submit")
    visitor.sees("step.phone_code.lead-phone", phone="199****7777")
    visitor.fill("code", "000 000")
    visitor.press("step.phone_code.submit")
    visitor.is_told("code-wrong")


def test_an_expired_journey_names_its_successor(visit: Visit, bank: Bank) -> None:
    """Left lying for a quarter of an hour: the page says so, and begins again with the number."""
    visitor, ma = visit(), person("number-gone-bound-held")
    visitor.go("/")
    visitor.fill("phone", phone_of(ma))
    visitor.press("step.phone.submit")
    visitor.sees("step.phone_code.title")
    bank.let_pass(limits.JOURNEY_SECONDS + 1)
    visitor.page.reload()
    visitor.is_told("journey-expired")
    visitor.shoot("expired")
    visitor.follow("remedy.start-again")
    expect(visitor.page.locator("#f-phone")).to_have_value(phone_of(ma).removeprefix("+86"))
    visitor.shoot("again")


# ---------------------------------------------------------------- signed in


def test_sign_out_everywhere(visit: Visit, bank: Bank) -> None:
    """Two browsers in; one signs out everywhere; the other's next tap says so, with the way back."""
    here, there, zheng = visit("-here"), visit("-there"), person("fine")
    bank.let_pass(limits.RESEND_SECONDS * 61)
    there.sign_in(zheng, "user_name")
    bank.let_pass(limits.RESEND_SECONDS + 1)
    here.sign_in(zheng, "user_name")
    here.shoot("two-sessions")
    here.press("home.leave-all")
    here.sees("outcome.end-all-sessions.title")
    here.shoot("out")
    there.go("/home")
    there.is_told("session-ended")
    there.shoot("ended")


def test_one_other_device_is_signed_out(visit: Visit, bank: Bank) -> None:
    """The list names it; one tap ends it, and this one stays."""
    here, there, luo = visit("-here"), visit("-there"), person("document-expiring")
    bank.let_pass(limits.RESEND_SECONDS * 61)
    there.sign_in(luo, "card")
    bank.let_pass(limits.RESEND_SECONDS + 1)
    here.sign_in(luo, "card")
    here.press("home.revoke")
    here.sees("outcome.revoke-session.title")
    here.shoot("revoked")


def test_remember_this_device_and_come_back(visit: Visit, bank: Bank) -> None:
    """Next time the password is enough here; and what was remembered can be forgotten."""
    visitor, tang = visit(), person("document-expired")
    bank.let_pass(limits.RESEND_SECONDS * 61)
    visitor.sign_in(tang)
    visitor.press("home.remember")
    visitor.sees("outcome.remember-device.title")
    visitor.shoot("remembered")
    visitor.press("home.leave")
    visitor.sees("outcome.end-session.title")
    bank.let_pass(limits.RESEND_SECONDS + 1)
    visitor.go("/sign-in")
    visitor.fill("phone", phone_of(tang))
    visitor.press("step.phone.submit")
    visitor.shoot("no-code-asked")
    visitor.give("password", "password", tang.login.password if tang.login else "")
    visitor.sees("home.full")
    visitor.press("home.forget")
    visitor.sees("idle.ended-title")


def test_idle_sessions_end(visit: Visit, bank: Bank, kind: Kind) -> None:
    """A minute before the end one tap keeps it; left alone, the page says that and why."""
    visitor, wang = visit(), person("same-name-one")
    bank.let_pass(limits.RESEND_SECONDS * 61)
    if not kind[1]:
        visitor.sign_in(wang)
        bank.let_pass(limits.IDLE_SECONDS + 1)
        visitor.go("/home")
        visitor.is_told("session-ended")
        return
    visitor.page.clock.install()
    visitor.sign_in(wang)
    visitor.page.clock.run_for((limits.IDLE_SECONDS - limits.IDLE_WARNING_SECONDS + 2) * 1000)
    visitor.sees("idle.title")
    visitor.page.screenshot(path=visitor._shots / f"idle-{visitor.language}.png")
    bank.let_pass(limits.IDLE_SECONDS - limits.IDLE_WARNING_SECONDS + 2)
    visitor.press("idle.stay")
    expect(visitor.page.locator("#idle")).to_be_hidden()
    bank.let_pass(limits.IDLE_SECONDS + 1)
    visitor.page.clock.run_for(limits.IDLE_SECONDS * 1000 + 2000)
    visitor.sees("idle.ended-detail")
    visitor.shoot("ended")


# ---------------------------------------------------------------- for everybody


def test_the_language_switch_keeps_what_was_typed(visit: Visit, kind: Kind) -> None:
    """One tap, the same page, the same number."""
    visitor = visit()
    other = "en" if kind[0] == "zh" else "zh"
    visitor.go("/freeze")
    visitor.fill("phone", "138 0013 8000")
    visitor.page.locator("button[name=language]").click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", {"zh": "zh-CN", "en": "en"}[other])
    expect(visitor.page.locator("#f-phone")).to_have_value("138 0013 8000")


def test_enter_sends_the_form(visit: Visit) -> None:
    """Not the language button."""
    visitor = visit()
    visitor.go("/")
    visitor.fill("phone", "19900008888")
    visitor.page.locator("#f-phone").press("Enter")
    visitor.sees("step.phone_code.title")


def test_a_second_tap_sends_no_second_message(visit: Visit, bank: Bank) -> None:
    """Back, and the same again: the journey of the first tap, and one message."""
    visitor, chen = visit(), person("closed-by-disuse")
    for _ in range(2):
        visitor.go("/")
        visitor.fill("phone", phone_of(chen))
        visitor.page.get_by_role("button", name=visitor.t("step.phone.submit")).dblclick()
        visitor.sees("step.phone_code.title")
    visitor.code(phone_of(chen))
    assert 1 == visitor.codes(phone_of(chen))


PAGES = ["/", "/sign-in?way=card", "/register", "/reopen", "/freeze", "/cannot-get-in", "/help/outlet", "/help/code",
         "/signed-out", "/nowhere", "/demo", "/demo/phone"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible(visit: Visit, kind: Kind, path: str) -> None:
    """axe finds nothing, in light and dark."""
    if not kind[1]:
        pytest.skip("axe is a script itself")
    for scheme in ("light", "dark"):
        visitor = visit(color_scheme=scheme, bypass_csp=True)
        visitor.go(path)
        assert [] == found_by_axe(visitor.page)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_scrolls_sideways(visit: Visit, kind: Kind, path: str) -> None:
    """However narrow, and with letters of twice the size."""
    if kind[1]:
        pytest.skip("the plain page is as wide")
    visitor = visit()
    visitor.go(path)
    # 240 px at twice the size would leave seven letters a line.
    for width, size in ((240, "100%"), (320, "100%"), (320, "200%"), (768, "200%")):
        visitor.page.set_viewport_size({"width": width, "height": 640})
        visitor.page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
