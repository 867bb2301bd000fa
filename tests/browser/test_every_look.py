"""Every page in every look: axe finds nothing, nothing scrolls sideways, nothing lies on top of something else.

Pages of journeys are walked from the table; those outside it come from the addresses that the application serves.
Each walk and each page outside is taken in the next of six looks, which cover every pair of values; FOREGATE_EVERY_LOOK
looks at each page in all twenty-four, also where another proof is chosen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from starlette.routing import Route

from foregate.demo import pages as demo_pages
from foregate.demo.people import person
from foregate.doors import pages
from foregate.rules import limits
from foregate.rules.journeys import JOURNEYS
from tests.browser.bank import Bank, Visitor
from tests.browser.crowd import Crowd
from tests.browser.looking import COVERING, EVERY_LOOK, Eye, Look, Mode, pairs, told, wear
from tests.browser.walking import Walk, Walker, begins_in, covering, walks
from tests.conftest import PageAt

EVERY = bool(os.environ.get("FOREGATE_EVERY_LOOK"))


def one_each() -> list[Walk]:
    """Each row once, in its plainest situation."""
    plain = {
        walk.journey: walk
        for walk in reversed(walks(JOURNEYS))
        if walk.situation is begins_in(JOURNEYS[walk.journey])[0]
    }
    return [plain[name] for name in JOURNEYS if name in plain]


# Thorough, and by each proof that is asked for: the other ways of saying who one is are tabs, looked at below.
WALKS = one_each() + ([walk for walk in covering(JOURNEYS) if walk.prefer] if EVERY else [])


@pytest.fixture(scope="module")
def eye() -> Iterator[Eye]:
    """One eye for all tests, so that no page is looked at twice."""
    eye = Eye(EVERY)
    yield eye
    print(f"\n{len(eye.pages)} pages, {len(eye.looks)} looks")


@pytest.mark.parametrize("walk", WALKS, ids=str)
def test_every_page_of_every_journey(town: Bank, crowd: Crowd, page_at: PageAt, eye: Eye, walk: Walk) -> None:
    """Whatever is asked on the way, whoever asks."""
    found: list[Any] = []
    for mode, looks in eye.modes().items():
        page = page_at(360, bypass_csp=True)
        wear(page, town.url, mode)

        def look(page: Page, journey: str, step: str, looks: list[Look] = looks) -> None:
            found.extend(eye.judge(page, f"{journey} {step}", looks))

        Walker(town, crowd, page, has_script=True, at_each_page=look).walk(walk)
    assert "" == told(found)


def look_at(eye: Eye, page_at: PageAt, town: Bank, places: dict[str, str], cookies: Any = ()) -> list[Any]:
    """Look at pages by their addresses."""
    pages_of: dict[Mode, Page] = {}
    found: list[Any] = []
    for name, path in places.items():
        for mode, looks in eye.modes().items():
            if mode not in pages_of:
                pages_of[mode] = page_at(360, bypass_csp=True)
                pages_of[mode].context.add_cookies(cookies)
                wear(pages_of[mode], town.url, mode)
            pages_of[mode].goto(town.url + path)
            found += eye.judge(pages_of[mode], name, looks)
    return found


# ---------------------------------------------------------------- outside journeys

# Addresses with a part that somebody fills in, each as it is reached; None: no page of its own.
FILLED_IN: dict[str, str | None] = {
    "/outlets/{outlet_id}": "/outlets/D001",
    "/stop/{token}": "/stop/0123456789ABCDEFGHJKMNPQRS",
    "/language/{language}": None, "/care/{care}": None, "/s/{name}": None,
    "/accounts/{account_id}": "", "/accounts/{account_id}/entries/{entry_id}": "",
    "/accounts/{account_id}/entries/{entry_id}/receipt": "", "/accounts/{account_id}/statements": "",
    "/j/{journey_id}": "", "/j/{journey_id}/outlet": "", "/appointments/{token}": "", "/appointments/{token}/move": "",
    "/accounts/{account_id}/entries/{entry_id}/receipt.pdf": None, "/appointments/{token}.ics": None,
    "/statements/{export_id}": None, "/linked/{provider}/picture": None, "/social/{provider}/callback": None,
}  # fmt: skip
MORE = ["/outlets?q=%E8%A5%BF%E6%B9%96", "/outlets?q=%E6%BB%A8%E6%B1%9F%E5%8C%BA&by=near",
        "/outlets?q=%E7%81%AB%E6%98%9F", "/outlets?q=%E7%81%AB%E6%98%9F&by=near", "/nowhere"]  # fmt: skip
BEHIND = ("/home", "/accounts", "/ways", "/alerts", "/linked")


def addresses() -> list[str]:
    """Every address that answers to GET and is no journey's."""
    routes = [route for route in (*pages.routes(), *demo_pages.routes()) if isinstance(route, Route)]
    return sorted({r.path for r in routes if "GET" in (r.methods or ()) and r.path[1:] not in JOURNEYS})


def test_every_open_page(town: Bank, page_at: PageAt, eye: Eye) -> None:
    """What anybody may see: the door, outlets, help, refusals, the demo; and whatever is served tomorrow."""
    asking = page_at().request
    plain = [path for path in addresses() if "{" not in path and path not in BEHIND]
    places = {}
    tabs = [f"/{row.name}?way={who.value}" for row in JOURNEYS.values() for who in row.who if row.is_public]
    for path in [*plain, *filter(None, FILLED_IN.values()), *MORE, *(tabs if EVERY else tabs[:6])]:
        # Some are for programs, some lead on to another page.
        answer = asking.get(town.url + path, max_redirects=0)
        if "text/html" in answer.headers.get("content-type", "") and answer.status // 100 != 3:
            places[path] = path
    assert "" == told(look_at(eye, page_at, town, places))


def test_every_address_is_looked_at() -> None:
    """A new address with a part to fill in is told apart here, or this fails."""
    assert {path for path in addresses() if "{" in path} == set(FILLED_IN)


def test_every_page_about_money(town: Bank, page_at: PageAt, eye: Eye, shots: Path) -> None:
    """Signed in whole: home, accounts, the record and searches in it, an entry, its receipt, statements."""
    page = page_at()
    page.context.set_extra_http_headers({"X-Forwarded-For": "198.18.0.1"})
    visitor = Visitor(town, page, "zh", shots, "money")
    visitor.sign_in(person("fine"))
    visitor.go("/accounts")
    record = page.locator(".rows a[href^='/accounts/']").first.get_attribute("href") or ""
    visitor.go(record)
    entry = page.locator(f".rows a[href^='{record}/entries/']").first.get_attribute("href") or ""
    places = {path: path for path in BEHIND} | {
        "record": record, "record misread": f"{record}?amountFrom=viel", "record nothing": f"{record}?text=nichts",
        "entry": entry, "receipt": f"{entry}/receipt", "statements": f"{record}/statements",
    }  # fmt: skip
    session = [cookie for cookie in page.context.cookies() if cookie["name"] == "foregate-session"]
    assert "" == told(look_at(eye, page_at, town, places, session))


def test_every_page_about_a_visit(town: Bank, crowd: Crowd, page_at: PageAt, eye: Eye) -> None:
    """An appointment that stands, the page to move it, and the page that tells an outlet what happened."""
    page = page_at(360)
    walk = next(walk for walk in WALKS if walk.journey == "book-appointment")
    place = urlsplit(Walker(town, crowd, page, has_script=True).walk(walk).url).path
    page.goto(f"{town.url}/sign-in-basic")
    page.locator("#f-phone").fill("19900001111")
    page.locator("#main-form button").last.click()
    expect(page.locator("#f-code")).to_be_visible()
    case = f"{urlsplit(page.url).path}/outlet?told=code-wrong"
    places = {"appointment": place, "appointment move": f"{place}/move", "case": case}
    visitor = [cookie for cookie in page.context.cookies() if cookie["name"] == "foregate-visitor"]
    assert "" == told(look_at(eye, page_at, town, places, visitor))


# ---------------------------------------------------------------- refusals on the page of a step


def wrong_card(page: Page, town: Bank, visit: int) -> None:
    page.goto(f"{town.url}/register")
    page.locator("#f-card_number").fill("6222020000000009999")
    page.locator("#f-name").fill("赵一鸣")
    page.locator("#f-document_number").fill("1")
    page.locator("#main-form button").last.click()


def wrong_code(page: Page, town: Bank, visit: int) -> None:
    page.goto(f"{town.url}/sign-in-basic")
    page.locator("#f-phone").fill(f"1990{visit:03d}2222")
    page.locator("#main-form button").last.click()
    page.locator("#f-code").fill("000000")
    page.locator("#main-form button").last.click()


def no_text(page: Page, town: Bank, visit: int) -> None:
    page.goto(f"{town.url}/sign-in-basic")
    page.locator("#f-phone").fill(f"1990{visit:03d}3333")
    page.locator("#main-form button").last.click()
    page.locator("#text-us summary").click()
    page.locator("#text-us button").click()


def held_back(page: Page, town: Bank, visit: int) -> None:
    """Too many codes of this range were asked for and not answered."""
    number, keys = "+8619900004444", town.house.keys

    async def fill() -> None:
        async with town.house.store.begin() as tx:
            for other in range(limits.RANGE_UNANSWERED):
                key, range_key = b"look %d" % other, keys.digest("range", number[: -limits.RANGE_DIGITS])
                await tx.codes.spend_sends(key, range_key, town.clock.now())

    town.run(fill())
    page.goto(f"{town.url}/sign-in-basic")
    page.locator("#f-phone").fill(number.removeprefix("+86"))
    page.locator("#main-form button").last.click()


REFUSALS: dict[str, Callable[[Page, Bank, int], None]] = {
    "card": wrong_card, "code": wrong_code, "text": no_text, "held": held_back,
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_every_kind_of_refusal(town: Bank, page_at: PageAt, eye: Eye, name: str) -> None:
    """Pages that answer a form: each mode brings one about by itself."""
    found: list[Any] = []
    for number, (mode, looks) in enumerate(eye.modes().items()):
        page = page_at(360, bypass_csp=True)
        source = f"198.18.{list(REFUSALS).index(name) + 1}.{number + 1}"
        page.context.set_extra_http_headers({"X-Forwarded-For": source})
        wear(page, town.url, mode)
        REFUSALS[name](page, town, number)  # each with a number of its own: none was sent a code just now
        expect(page.locator("#problem")).to_be_visible()
        found += eye.judge(page, f"refused {name}", looks)
    assert "" == told(found)


# ---------------------------------------------------------------- nothing left out


def test_six_looks_cover_every_pair() -> None:
    """Two languages, two modes, two schemes, three widths: each two values stand together in one of the six."""
    assert pairs(EVERY_LOOK) == pairs(COVERING)


def test_nothing_was_left_out(town: Bank, eye: Eye) -> None:
    """Each open journey's pages, each page outside, and each pair of values."""
    if not {walk.journey for walk in WALKS} <= {name.split()[0] for name in eye.pages}:
        pytest.skip("not every walk was walked")
    assert pairs(EVERY_LOOK) == pairs(eye.looks)
    assert {name for name, row in JOURNEYS.items() if row.is_public} == {walk.journey for walk in WALKS}
    outside = {"/", "/outlets", "/help/code", "/home", "record", "receipt", "appointment", "refused code"}
    assert {*outside, "sign-in end", "reopen end", "register end"} <= eye.pages
