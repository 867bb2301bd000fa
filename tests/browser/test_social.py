"""WeChat and Alipay at 360 px, with doubles that are a process of their own: linked, signed in by, refused, undone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import expect

from foregate.demo.people import Person, person
from foregate.demo.run import social_settings
from tests import doubles
from tests.browser.bank import Bank, Visitor, open_bank
from tests.browser.conftest import Kind
from tests.browser.looking import found_by_axe

Visit = Callable[..., Visitor]
# With scripts and axe in Chinese; in English without scripts, and with our policy as it is.
KINDS = [pytest.param(("zh", True), id="zh-script"), pytest.param(("en", False), id="en-plain")]


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture(scope="module")
def providers() -> Iterator[str]:
    """The doubles, as a process."""
    with doubles.process() as origin:
        yield origin


@pytest.fixture(scope="module")
def bank(kind: Kind, chromium: object, providers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """A bank with both providers."""
    folder = tmp_path_factory.mktemp("bank")
    (folder / "providers").symlink_to(doubles.folder())
    with open_bank(folder, **social_settings(folder, providers)) as bank:
        yield bank


def behave(providers: str, provider: str, mode: str) -> None:
    """Let a double be busy, or fine again."""
    answer = httpx2.post(f"{providers}/double", json={"provider": provider, "mode": mode}, trust_env=False)
    assert 204 == answer.status_code


def looks_right(visitor: Visitor, kind: Kind, what: str) -> None:
    """A picture; nothing scrolls sideways, and where scripts run axe objects to nothing."""
    visitor.shoot(what)
    if kind[1]:
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not visitor.page.evaluate(wide)
        assert [] == found_by_axe(visitor.page)


def agree(visitor: Visitor, provider: str, account: str, *, but: tuple[str, ...] = ()) -> None:
    """On the provider's page: choose the account, and what it tells."""
    page = visitor.page
    page.wait_for_url(lambda url: "appid=" in url or "app_id=" in url)
    page.locator("select[name=account]").select_option(account)
    for name in but:
        page.locator(f"input[name={name}]").uncheck()
    page.get_by_role("button", name="Agree").click()


def press_first(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name, exact=True).first.click()


def linked_by(visitor: Visitor, kind: Kind, somebody: Person, provider: str) -> None:
    """From the page of linked accounts: two things agreed to, two not."""
    name = visitor.t(f"social.name.{provider}")
    visitor.go("/linked")
    looks_right(visitor, kind, "none-linked")
    press_first(visitor, visitor.t("linked.link", provider=name))
    visitor.sees("step.link-social.title")
    looks_right(visitor, kind, "consent")
    for attribute in ("avatar", "region"):
        visitor.page.locator(f"input[name={attribute}]").check()
    visitor.press("step.link-social.submit")
    agree(visitor, provider, "xiaoming")
    visitor.sees("outcome.link-social.title")
    looks_right(visitor, kind, "linked")


@pytest.mark.parametrize(("provider", "who"), [("wechat", "fine"), ("alipay", "two-cards")])
def test_linked_with_two_attributes_refused_then_signed_in_by_it(
    visit: Visit, bank: Bank, kind: Kind, provider: str, who: str
) -> None:
    """Once with two proofs; later one tap at the door and one at the provider, on a phone that is remembered."""
    visitor, somebody = visit(f"-{provider}", bypass_csp=kind[1]), person(who)
    visitor.sign_in(somebody)
    press_first(visitor, visitor.t("home.remember"))
    visitor.sees("outcome.remember-device.title")
    linked_by(visitor, kind, somebody, provider)
    card = visitor.page.locator(f"#{provider}")
    expect(card.locator("img")).to_have_count(1)
    expect(card.locator("img")).to_have_js_property("naturalWidth", 132)
    expect(card.get_by_text(visitor.t("linked.not-agreed"))).to_have_count(2)
    expect(card.get_by_text("小明爱摄影")).to_have_count(0)

    visitor.go("/home")
    visitor.press("home.leave")
    visitor.go("/")
    looks_right(visitor, kind, "door")
    visitor.press(f"door.{provider}")
    visitor.page.wait_for_url(lambda url: "appid=" in url or "app_id=" in url)
    visitor.shoot("at-the-provider")
    agree(visitor, provider, "xiaoming")
    visitor.sees("home.basic")
    looks_right(visitor, kind, "signed-in")

    # Taken back, it is gone: the picture at once, and from the page.
    visitor.go("/linked")
    press_first(visitor, visitor.t("linked.withdraw-which", attribute=visitor.t("attribute.avatar"),
                                   provider=visitor.t(f"social.name.{provider}")))  # fmt: skip
    visitor.sees("outcome.withdraw-consent.title")
    expect(visitor.page.locator(f"#{provider} img")).to_have_count(0)
    looks_right(visitor, kind, "withdrawn")
    press_first(visitor, visitor.t("linked.give-which", attribute=visitor.t("attribute.gender"),
                                   provider=visitor.t(f"social.name.{provider}")))  # fmt: skip
    visitor.sees("outcome.give-consent.title")
    expect(visitor.page.locator(f"#own-{provider}-gender")).to_be_visible()
    if provider == "wechat":
        visitor.page.locator("#own-wechat-region").fill("杭州")
        press_first(visitor, visitor.t("linked.tell"))
        visitor.sees("outcome.fill-in-profile.title")
        expect(visitor.page.get_by_text("杭州")).to_be_visible()
        looks_right(visitor, kind, "filled-in")
    visitor.page.locator(f"#{provider} summary").click()
    looks_right(visitor, kind, "unlink")
    press_first(visitor, visitor.t("linked.unlink-yes", provider=visitor.t(f"social.name.{provider}")))
    visitor.sees("outcome.unlink-social.title")


def test_an_account_that_nobody_linked(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Told as what it is, with the ways in and how to link it."""
    visitor = visit(bypass_csp=kind[1])
    visitor.go("/sign-in?way=wechat")
    looks_right(visitor, kind, "entry")
    visitor.press("step.wechat.submit")
    agree(visitor, "wechat", "fang")
    visitor.is_told("social-not-linked")
    looks_right(visitor, kind, "not-linked")


def test_wechat_in_a_phones_own_browser(visit: Visit, bank: Bank, kind: Kind) -> None:
    """Its page would show a code that this very phone cannot scan: how it works here is said first."""
    phone = "Mozilla/5.0 (Linux; Android 12; Redmi 9A) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
    visitor = visit("-outside", bypass_csp=kind[1], user_agent=phone)
    visitor.go("/")
    visitor.press("door.wechat")
    visitor.sees("social.inside-title")
    looks_right(visitor, kind, "how")
    expect(visitor.page.get_by_role("link", name=visitor.t("social.scan"))).to_have_attribute(
        "href", re.compile("qrco")
    )
    visitor.page.get_by_role("link", name=visitor.t("social.by-phone")).click()
    expect(visitor.page.locator("#f-phone")).to_be_visible()

    inside = visit("-inside", bypass_csp=kind[1], user_agent=f"{phone} MicroMessenger/8.0.40")
    inside.go("/")
    inside.press("door.wechat")
    agree(inside, "wechat", "fang")
    inside.is_told("social-not-linked")


def test_a_provider_that_is_down(visit: Visit, bank: Bank, providers: str, kind: Kind) -> None:
    """The other ways stay on the screen; going back and trying again works when it is up."""
    visitor = visit(bypass_csp=kind[1])
    visitor.go("/")
    visitor.press("door.alipay")
    behave(providers, "alipay", "broken")
    try:
        visitor.page.wait_for_url(lambda url: "app_id=" in url)
        agree(visitor, "alipay", "xiaoming")
        visitor.is_told("provider-down")
        looks_right(visitor, kind, "down")
    finally:
        behave(providers, "alipay", "fine")
    expect(visitor.page.get_by_role("button", name=visitor.t("way.wechat"))).to_be_visible()
    visitor.follow("remedy.sign-in-basic")
    visitor.sees("step.phone.lead")


def test_whoever_says_no_is_sent_nowhere(visit: Visit, bank: Bank, kind: Kind) -> None:
    """The provider tells the bank nothing; going back leads to the page that one came from."""
    visitor = visit(bypass_csp=kind[1])
    visitor.go("/")
    visitor.press("door.wechat")
    visitor.page.wait_for_url(lambda url: "appid=" in url)
    visitor.page.get_by_role("button", name="Refuse").click()
    expect(visitor.page.get_by_text("Nothing was sent")).to_be_visible()
    visitor.page.go_back()
    visitor.page.go_back()
    expect(visitor.page).to_have_url(bank.url + "/")
