"""A SIM card from yesterday, at 360 px: the right code does not count, why is said, and what works is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe

from foregate.demo.people import person
from foregate.gateways.numbers.embedded import EmbeddedNumbers
from tests.browser.bank import Bank, Visitor, open_bank
from tests.browser.conftest import Kind

Visit = Callable[..., Visitor]
CAUSE = "number-changed-hands"


@pytest.fixture(scope="module")
def bank(kind: Kind, chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """A demo bank whose networks are asked."""
    with open_bank(tmp_path_factory.mktemp("bank"), sim_swap_api="embedded") as bank:
        yield bank


def looks_right(visitor: Visitor, kind: Kind, what: str) -> None:
    """A picture; and where scripts run, nothing that scrolls sideways and nothing that axe objects to."""
    visitor.shoot(what)
    if kind[1]:
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not visitor.page.evaluate(wide)
        assert [] == [violation["id"] for violation in Axe().run(visitor.page).response["violations"]]


def test_a_new_sim_card_at_sign_in(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Told after the right code, with the outlet beside it; looking in goes on as ever, and so do all others."""
    visitor, qin = visit(bypass_csp=kind[1]), person("sim-replaced")
    assert qin.login is not None
    visitor.go("/sign-in?way=user_name")
    visitor.fill("user_name", qin.login.user_name)
    visitor.press("step.user_name.submit")
    visitor.prove_phone(qin.login.phone, 0)
    visitor.is_told(CAUSE)
    visitor.sees("remedy.visit-outlet")
    looks_right(visitor, kind, "stuck")

    bank.let_pass(61)
    visitor.sign_in_basic(qin)
    visitor.sees("home.basic")


def test_a_new_sim_card_and_a_remembered_device(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Whoever takes the code all the same hears why it does not count, above the password that does."""
    visitor, lin = visit(bypass_csp=kind[1]), person("fine")
    assert lin.login is not None
    visitor.sign_in(lin)  # a number that is long where it is
    visitor.press("home.remember")
    visitor.sees("outcome.remember-device.title")
    visitor.press("home.leave")
    visitor.sees("outcome.end-session.title")
    bank.let_pass(61)
    assert isinstance(bank.house.world.numbers, EmbeddedNumbers)
    bank.house.world.numbers.put(lin.login.phone, bank.clock.now() - 3600)
    before = visitor.codes(lin.login.phone)
    visitor.go("/sign-in?way=user_name")
    visitor.fill("user_name", lin.login.user_name)
    visitor.press("step.user_name.submit")
    visitor.sees("step.password.title")
    visitor.shoot("device")
    visitor.press("way.phone_code")
    visitor.prove_phone(lin.login.phone, before)
    visitor.is_told(CAUSE)
    looks_right(visitor, kind, "password-below")
    visitor.give("password", "password", lin.login.password)
    visitor.sees("home.full")


def test_a_new_sim_card_when_the_password_is_reset(visit: Visit, bank: Bank, kind: Kind) -> None:
    """The same where a password is forgotten."""
    visitor, qin = visit(bypass_csp=kind[1]), person("sim-replaced")
    assert qin.login is not None
    bank.let_pass(61)
    before = visitor.codes(qin.login.phone)
    visitor.go("/reset-password")
    visitor.fill("phone", qin.login.phone.removeprefix("+86"))
    visitor.press("step.phone.submit")
    visitor.prove_phone(qin.login.phone, before)
    visitor.is_told(CAUSE)
    looks_right(visitor, kind, "reset")
