"""After the counter, at 360 px: a permit typed at home, and the link that says it was not me."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import expect

from foregate.acts import at_counter
from foregate.acts.at_counter import AtCounter, Replaced
from foregate.demo.people import Person, person
from foregate.ids import customer_id_of, new_id
from tests.browser.bank import ARRIVES_SECONDS, Bank, Visitor
from tests.browser.conftest import Kind
from tests.browser.looking import found_by_axe

Visit = Callable[..., Visitor]
NEW, NEWER = "+8613500007777", "+8613500008888"
NEW_PASSWORD = "纸船 under the lamp 9"


def replaced(bank: Bank, somebody: Person, phone: str) -> str:
    """Have the counter replace somebody's number; return the permit as printed."""

    async def work() -> str:
        world = bank.house.world
        async with world.store.begin() as tx:
            customer = await tx.customers.hold(customer_id_of(world.keyring, somebody.core_ref))
            assert customer is not None
            at = AtCounter(world, tx, bank.clock.now(), customer, "staff-1+staff-2", new_id(), "10.0.0.8", "zh")
            done = await at_counter.replace_phone(at, phone)
        assert isinstance(done, Replaced)
        return done.permit

    permit = bank.run(work())
    bank.let_pass(61)
    return permit


def stop_link(bank: Bank, phone: str) -> str:
    """The link that arrives on `phone`."""
    until = time.monotonic() + ARRIVES_SECONDS
    while time.monotonic() < until:
        found = [re.search(r"/stop/[0-9A-Z]{26}", message.text) for message in bank.messages(phone)]
        if found and found[0]:
            return found[0][0]
        time.sleep(0.05)
    raise AssertionError(f"no link arrived on {phone}")


def looks_right(visitor: Visitor, kind: Kind, what: str) -> None:
    """A picture; and where scripts run, nothing that scrolls sideways and nothing that axe objects to."""
    visitor.shoot(what)
    if kind[1]:
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not visitor.page.evaluate(wide)
        assert [] == found_by_axe(visitor.page)


def test_a_permit_from_the_counter(visit: Visit, bank: Bank, kind: Kind) -> None:
    """The phone first, then the slip: mistyped, it says so beside the field; right, it leads to a new password."""
    visitor, lin = visit(bypass_csp=kind[1]), person("fine")
    permit = replaced(bank, lin, NEW)
    before = visitor.codes(NEW)
    visitor.go("/reset-password")
    visitor.fill("phone", NEW.removeprefix("+86"))
    visitor.press("step.phone.submit")
    visitor.prove_phone(NEW, before)
    visitor.press("way.permit")
    visitor.sees("step.permit.title")
    looks_right(visitor, kind, "permit")
    visitor.give("permit", "permit", "ABCDE-FGHJK-MN0")
    visitor.is_told("permit-wrong")
    looks_right(visitor, kind, "permit-wrong")
    visitor.give("permit", "permit", permit.lower())
    visitor.give("set-password", "new_password", NEW_PASSWORD)
    visitor.sees("outcome.set-password.title")
    visitor.shoot("done")


def test_it_was_not_me(visit: Visit, bank: Bank, kind: Kind) -> None:
    """The link on the old number opens a page with one button; after it, nobody gets in."""
    visitor, somebody = visit(bypass_csp=kind[1]), person("device-remembered")
    assert somebody.login is not None
    replaced(bank, somebody, NEWER)
    visitor.go(stop_link(bank, somebody.login.phone))
    visitor.sees("stop.title")
    looks_right(visitor, kind, "stop")
    visitor.press("stop.button")
    visitor.sees("outcome.close-permission.title")
    visitor.shoot("frozen")
    expect(visitor.page.get_by_role("link", name=visitor.t("remedy.visit-outlet")).first).to_be_visible()
