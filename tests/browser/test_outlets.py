"""The outlet finder at 360 px: near me with consent and without, by words, with nothing found; also without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from foregate.rules.appointments import CASE_SYMBOLS, spelled
from tests.browser.bank import Visitor
from tests.browser.conftest import Kind
from tests.browser.looking import found_by_axe

Visit = Callable[..., Visitor]
HERE = {"latitude": 30.25437, "longitude": 120.16912}
CASE = spelled(4711, CASE_SYMBOLS)
SEARCHES = ["/outlets?lat=30.25&lon=120.17", "/outlets?q=%E9%A9%AC&by=near", "/outlets/D001",
            f"/outlets?service=phone-change&case={CASE}&q="]  # fmt: skip


def test_find_by_words(visit: Visit) -> None:
    """A piece of the name leads to the list, the list to the outlet, the outlet to its booking."""
    visitor = visit()
    visitor.go("/")
    visitor.follow("outlets.title")
    visitor.shoot("empty")
    visitor.fill("q", "西湖")
    visitor.press("outlets.search")
    visitor.sees("outlets.found")
    visitor.shoot("list")
    visitor.page.get_by_role("link", name="示范银行文二支行").click()
    visitor.sees("outlets.hours")
    visitor.shoot("outlet")
    links = visitor.page.locator("main a[href^='/book-appointment?outlet=D007']")
    expect(links).to_have_count(1)
    assert "coordinate=wgs84" in (
        visitor.page.get_by_role("link", name=visitor.t("outlets.maps.amap")).get_attribute("href") or ""
    )


def test_find_near_a_place_that_is_typed(visit: Visit) -> None:
    """Without telling anybody where one is: the pins of the sketch lead into the list."""
    visitor = visit()
    visitor.go("/outlets")
    visitor.fill("q", "滨江区")
    visitor.press("outlets.search-near")
    visitor.sees("outlets.found-near", place="滨江区")
    visitor.shoot("near-place")
    visitor.page.locator("svg.map a").nth(2).click()
    assert visitor.page.url.endswith("#o3")


def test_from_a_refusal_to_an_outlet(visit: Visit) -> None:
    """The number is shown, what for is chosen, where is asked; without a place the page says so and loses nothing."""
    visitor = visit()
    visitor.go(f"/outlets?service=phone-change&case={CASE}")
    visitor.sees("outlets.case.title")
    expect(visitor.page.get_by_text(CASE)).to_be_visible()
    expect(visitor.page.locator("#f-service")).to_have_value("phone-change")
    expect(visitor.page.locator("ol.outs")).to_have_count(0)
    visitor.shoot("asked")
    visitor.press("outlets.search")
    visitor.sees("outlets.say-where")
    visitor.shoot("say-where")
    visitor.fill("city", "Hangzhou")
    visitor.page.locator("#f-city").press("Enter")
    visitor.sees("outlets.found")
    expect(visitor.page.get_by_text(CASE)).to_be_visible()
    visitor.shoot("list")
    visitor.page.locator("ol.outs h3 a").first.click()
    expect(visitor.page.get_by_text(CASE)).to_be_visible()
    book = visitor.page.get_by_role("link", name=visitor.t("outlets.book")).first.get_attribute("href") or ""
    assert f"service=phone-change&case={CASE}" in book


def test_near_me_with_consent(visit: Visit, kind: Kind) -> None:
    """One tap, one question, the nearest first; what is sent is rounded to a kilometre. No script: no button."""
    visitor = visit(geolocation=HERE, permissions=["geolocation"])
    visitor.go("/outlets")
    button = visitor.page.get_by_role("button", name=visitor.t("outlets.near-me"), exact=True)
    if not kind[1]:
        expect(button).to_have_count(0)
        return
    visitor.fill("q", "机场")
    button.click()
    visitor.sees("outlets.found-here")
    assert "lat=30.25&lon=120.17" in visitor.page.url
    assert "30.254" not in visitor.page.url
    visitor.shoot("near-me")
    assert "D002" in (visitor.page.locator("ol.outs a").first.get_attribute("href") or "")
    # The filters are asked of the same place.
    visitor.page.locator("details.change > summary").click()
    visitor.page.locator("form details summary").click()
    visitor.page.locator("input[name=step_free]").check()
    visitor.press("outlets.search")
    visitor.sees("outlets.found-here")
    assert "step_free=1" in visitor.page.url
    assert "lat=30.25" in visitor.page.url


def test_near_me_denied(visit: Visit, kind: Kind) -> None:
    """The page says so, and what works instead."""
    if not kind[1]:
        pytest.skip("asking is done by the script")
    visitor = visit()  # a browser that nobody allowed anything refuses
    visitor.go("/outlets")
    visitor.press("outlets.near-me")
    visitor.sees("outlets.denied")
    visitor.shoot("denied")
    visitor.fill("q", "西湖")
    visitor.press("outlets.search-near")
    visitor.sees("outlets.found-near", place="西湖")


def test_nothing_found(visit: Visit) -> None:
    """By words or near a place nobody knows: what to try, and the form with what was typed."""
    visitor = visit()
    visitor.go("/outlets")
    visitor.fill("q", "火星")
    visitor.press("outlets.search")
    visitor.sees("outlets.nothing")
    visitor.shoot("nothing")
    visitor.press("outlets.search-near")
    visitor.sees("outlets.lost")
    expect(visitor.page.locator("#f-q")).to_have_value("火星")
    visitor.shoot("lost")


def test_the_language_changes_and_the_search_stays(visit: Visit) -> None:
    """Over there in one tap, with the same list."""
    visitor = visit()
    visitor.go("/outlets?q=%E8%A5%BF%E6%B9%96")
    other = "en" if visitor.language == "zh" else "zh"
    visitor.page.locator(f".tongue button[value={other}]").click()
    visitor.language = other
    visitor.sees("outlets.found")
    assert "language" not in visitor.page.url


@pytest.mark.parametrize("path", SEARCHES)
def test_everybody_can_use_it(visit: Visit, kind: Kind, path: str) -> None:
    """axe finds nothing, in light and dark; nothing scrolls sideways, however narrow and however large the letters."""
    if not kind[1]:
        pytest.skip("axe is a script itself")
    for scheme in ("light", "dark"):
        visitor = visit(color_scheme=scheme, bypass_csp=True)
        visitor.go(path)
        assert [] == found_by_axe(visitor.page)
    for width, size in ((240, "100%"), (320, "100%"), (320, "200%"), (768, "200%")):
        visitor.page.set_viewport_size({"width": width, "height": 740})
        visitor.page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
