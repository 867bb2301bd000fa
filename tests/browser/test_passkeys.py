"""Passkeys in a real browser with a virtual authenticator: added, used by button and by the field, removed; my ways in.

Passkeys are made for `localhost`, so that is where the browser goes. One bank serves both languages, with script and
without; each story belongs to somebody of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect

from foregate.demo import pages as demo_pages
from foregate.demo.people import Person, person
from tests.browser.bank import Bank, Visitor, open_bank
from tests.browser.conftest import LOCALES
from tests.browser.looking import found_by_axe
from tests.conftest import PageAt

Come = Callable[..., Visitor]


@pytest.fixture(scope="module")
def bank(chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """One bank for this module, which asks for programs that are not too old."""
    with open_bank(tmp_path_factory.mktemp("bank"), minimum_versions=demo_pages.MINIMUMS) as bank:
        bank.url = bank.url.replace("127.0.0.1", "localhost")
        yield bank


@pytest.fixture
def come(bank: Bank, page_at: PageAt, shots: Path, request: pytest.FixtureRequest) -> Come:
    """Let somebody come, 360 px wide."""

    def arrive(language: str = "zh", *, script: bool = True, **options: Any) -> Visitor:
        page = page_at(360, LOCALES[language], java_script_enabled=script, **options)
        story = request.node.name.partition("[")[0].removeprefix("test_")
        return Visitor(bank, page, language, shots, f"{story}-{language}-{'script' if script else 'plain'}")

    return arrive


def authenticator(visitor: Visitor) -> tuple[CDPSession, str]:
    """Give the browser a virtual authenticator that knows its owner."""
    cdp = visitor.page.context.new_cdp_session(visitor.page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp, str(made["authenticatorId"])


def add_passkey(visitor: Visitor, somebody: Person, name: str) -> None:
    """Sign in, and add a passkey from the page of one's ways in."""
    visitor.sign_in(somebody)
    visitor.follow("ways.link")
    visitor.sees("ways.title")
    visitor.press("remedy.add-passkey")
    visitor.sees("step.add-passkey.title")
    visitor.shoot("add")
    visitor.fill("passkey_name", name)
    visitor.press("step.add-passkey.submit")
    visitor.sees("outcome.add-passkey.title")
    expect(visitor.page.get_by_text(name)).to_be_visible()


@pytest.mark.parametrize(("language", "who"), [("zh", "lin"), ("en", "wang")])
def test_added_used_and_removed(come: Come, language: str, who: str) -> None:
    """Added, used by button, offered by the field, removed; nothing is typed to sign in."""
    somebody, visitor = people()[who], come(language)
    cdp, device = authenticator(visitor)
    add_passkey(visitor, somebody, "My phone")
    visitor.shoot("ways")
    assert [] == found_by_axe(visitor.page)
    visitor.go("/home")
    visitor.press("home.leave")
    # The field offers it: the virtual authenticator takes the offer at once, as a tap on it would.
    visitor.go("/")
    visitor.sees("home.full")
    visitor.press("home.leave")
    # By button, on a page whose field offers nothing because nobody is there to take it.
    cdp.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": device, "enabled": False})
    visitor.go("/sign-in")
    expect(visitor.page.get_by_role("button", name=visitor.t("step.passkey.submit"))).to_be_visible()
    visitor.page.wait_for_load_state("networkidle")  # the field asks for its challenge first
    visitor.shoot("sign-in")
    assert [] == found_by_axe(visitor.page)
    # What waited for a tap goes on waiting; what is asked from now on finds somebody there.
    cdp.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": device, "enabled": True})
    visitor.press("step.passkey.submit")
    visitor.sees("home.full")
    visitor.go("/ways")
    visitor.press("ways.remove")
    # It was new, and opened this very session: both end.
    visitor.page.wait_for_url("**/signed-out")
    # The phone still has it, and its field still offers it.
    visitor.go("/sign-in")
    visitor.page.wait_for_url("**/j/*")
    visitor.is_told("not-recognised")
    visitor.shoot("removed")
    assert [] == found_by_axe(visitor.page)


def test_a_passkey_that_is_stopped_leaves_the_form(come: Come) -> None:
    """Whoever cancels, or fails to be recognised, is told so kindly and goes on another way."""
    visitor = come("zh")
    cdp, device = authenticator(visitor)
    visitor.go("/sign-in")
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    visitor.press("step.passkey.submit")
    visitor.sees("passkey.failed")
    visitor.shoot("stopped")
    expect(visitor.page.locator("#f-phone")).to_be_editable()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_without_script_it_is_not_offered_and_said_so(come: Come, language: str) -> None:
    """No button that does nothing; the page says why, and everything else works."""
    visitor = come(language, script=False)
    visitor.go("/sign-in")
    expect(visitor.page.get_by_role("button", name=visitor.t("step.passkey.submit"))).to_have_count(0)
    visitor.sees("passkey.without")
    visitor.go("/ways")
    visitor.sees("cause.not-signed-in.title")


def test_my_ways_in_without_script(come: Come) -> None:
    """The page is complete without one."""
    visitor = come("zh", script=False)
    visitor.sign_in(people()["du"])
    visitor.follow("ways.link")
    visitor.sees("ways.suggest-title")
    visitor.sees("ways.still.outlet")
    visitor.shoot("ways")
    visitor.press("remedy.add-passkey")
    visitor.sees("passkey.without")
    visitor.shoot("add")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_old_version_is_told_before_anything_is_typed(come: Come, language: str) -> None:
    """The demo's shell claims an old app: told, helped, and free to freeze; a new one signs in."""
    visitor = come(language)
    visitor.go("/demo/app")
    visitor.page.get_by_label("ForegateApp/2.9", exact=True).check()
    visitor.press("demo.app.choose")
    visitor.follow("demo.app.open")
    visitor.is_told("client-too-old")
    visitor.shoot("told")
    assert [] == found_by_axe(visitor.page)
    expect(visitor.page.locator("input:visible")).to_have_count(0)
    visitor.follow("remedy.update-client")
    visitor.sees("update.title")
    visitor.shoot("update")
    assert [] == found_by_axe(visitor.page)
    visitor.follow("update.meanwhile-freeze")
    expect(visitor.page.locator("#f-phone")).to_be_visible()
    visitor.go("/demo/app")
    visitor.page.get_by_label("ForegateApp/3.4", exact=True).check()
    visitor.press("demo.app.choose")
    visitor.follow("demo.app.open")
    visitor.sees("door.title")


def people() -> dict[str, Person]:
    return {"lin": person("fine"), "wang": person("same-name-one"), "du": person("document-long-term")}
