"""Care mode: chosen and never guessed, on every page, kept, and the same page but for what stands behind one tap."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

import brotli
import pytest
from starlette.testclient import TestClient

from foregate.desk import sessions
from foregate.desk.view import Reply
from foregate.doors.pages import assets
from foregate.doors.text import catalog
from foregate.ports import Person
from foregate.rules import limits
from foregate.rules.words import Level
from tests.unit.front_door import JOURNEY_ID, FrontDoor, view
from tests.unit.test_pages_render import Tags, browser, door, every_page

__all__ = ["browser", "door"]

CARE = {"cookie": "__Host-care=1"}
each_language = pytest.mark.parametrize("language", catalog.languages())


def html_class(page: str) -> str | None:
    return Tags(page).all("html")[0].get("class")


@each_language
def test_every_page_has_the_switch_in_its_header(door: FrontDoor, browser: TestClient, language: str) -> None:
    """One switch, in words, of a kind that works without a script, at the same place on each."""
    for name, page in every_page(door, browser, language):
        header = page.text[page.text.index("<header>") : page.text.index("</header>")]
        link, button = "/care/1?back=", 'name="care" value="1"'
        assert 1 == header.count(link) + header.count(button), name
        assert catalog.text(language, "care.take") in header, name
        assert "care" not in page.text[page.text.index("<footer") :], name


@each_language
def test_every_page_has_a_care_version(door: FrontDoor, browser: TestClient, language: str) -> None:
    """The cookie is enough; the style is the same one, so the policy allows what it allowed; and it is as small."""
    browser.cookies.set("__Host-care", "1")
    for name, page in every_page(door, browser, language):
        assert "care" == html_class(page.text), name
        assert 1 == page.text.count("<style>"), name
        assert catalog.text(language, "care.leave") in page.text, name
        size = limits.FIRST_PAGE_BYTES if name == "/" else limits.PAGE_BYTES
        assert len(brotli.compress(page.content, quality=5)) <= size, name


def test_fewer_things_stand_on_a_page(door: FrontDoor, browser: TestClient) -> None:
    """At the door: the number, one other way, and a person to call. All the rest is one tap away, and none is lost."""
    standard, care = browser.get("/").text, browser.get("/", headers=CARE).text
    shown = care[: care.index("<details")] + care[care.index("</details>") :]
    main = shown[shown.index("<main") : shown.index("</main>")]
    assert ["/sign-in", "tel:95000"] == [a["href"] for a in Tags(main).all("a")]
    assert {a["href"] for a in Tags(standard).all("a")} - {a["href"] for a in Tags(care).all("a")} <= {
        "/care/1?back=/", "/care/0?back=/",
    }  # fmt: skip
    assert {f["action"] for f in Tags(standard).all("form")} == {f["action"] for f in Tags(care).all("form")}


def test_signing_out_stays_in_sight(door: FrontDoor, browser: TestClient) -> None:
    """What is put aside at home is what one seldom wants."""
    door.sessions.level = Level.FULL
    page = browser.get("/home", headers=CARE).text
    shown = page[: page.index("<details")]
    assert 'action="/sign-out"' in shown
    assert 1 == page.count('action="/sign-out"')
    assert 'action="/sign-out-everywhere"' not in shown


def test_other_ways_are_opened_when_something_went_wrong(door: FrontDoor, browser: TestClient) -> None:
    """A refusal leads to them; nobody has to look for what they were just told of."""
    door.desk.reply = Reply(view=view("password", others=("card_pin",)))
    assert '<details class="aside"><summary>' in browser.get(f"/j/{JOURNEY_ID}", headers=CARE).text
    told = door.desk.told_outside("password-wrong").told
    door.desk.reply = Reply(view=view("password", others=("card_pin",)), told=told)
    page = browser.post(f"/j/{JOURNEY_ID}", headers=CARE, data={"step": "password"})
    assert '<details class="aside" open><summary>' in page.text


# ---------------------------------------------------------------- the switch


@pytest.mark.parametrize("path", ["/", "/freeze", "/reset-password", "/sign-in?way=card"])
def test_the_switch_keeps_what_was_typed(door: FrontDoor, browser: TestClient, path: str) -> None:
    """A button of the form: the page again, large, filled in, and nothing begun."""
    typed = {"care": "1", "step": "card" if "card" in path else "phone", "phone": "138 0013", "card_number": "6222 02"}
    page = browser.post(path, data=typed)
    assert (200, "care") == (page.status_code, html_class(page.text))
    assert ('value="6222 02"' if "card" in path else 'value="138 0013"') in page.text
    assert "__Host-care=1; HttpOnly; Max-Age=34560000" in page.headers["set-cookie"]
    assert [] == door.desk.asked


def test_the_switch_within_a_journey_answers_nothing(door: FrontDoor, browser: TestClient) -> None:
    """What was typed stays, what is secret is typed once more, and no try is spent."""
    door.desk.reply = Reply(view=view("register", "register"))
    form = {"care": "1", "step": "register", "version": "3", "new_user_name": "lin", "new_password": "hunter2 hunter2"}
    page = browser.post(f"/j/{JOURNEY_ID}", data=form)
    assert (200, "care") == (page.status_code, html_class(page.text))
    assert 'value="lin"' in page.text
    assert "hunter2" not in page.text
    assert [] == door.desk.asked
    page = browser.post(f"/j/{JOURNEY_ID}", data=form | {"care": "", "language": "en"})
    assert ('<html lang="en" class="care">' in page.text, [] == door.desk.asked) == (True, True)


def test_the_switch_leads_back_and_nowhere_else(browser: TestClient) -> None:
    """To the page it was tapped on, if that is one of ours; a value that is none of ours changes nothing."""
    taken = browser.get("/care/1", params={"back": "/help/code"})
    assert (303, "/help/code") == (taken.status_code, taken.headers["location"])
    assert "care" == html_class(browser.get("/help/code").text)
    left = browser.get("/care/0", params={"back": "//evil.example"})
    assert "/" == left.headers["location"]
    assert html_class(browser.get("/help/code").text) is None
    assert "care" not in browser.get("/care/yes").headers.get("set-cookie", "")


def test_caches_are_told_which_look_it_is(browser: TestClient) -> None:
    """Cookie and language make the page, a validator of one look does not fit another, and a header names it."""
    asked = {"zh": ("", "zh"), "zh care": ("__Host-care=1", "zh"), "en care": ("__Host-care=1", "en")}
    looks = {
        look: browser.get("/", headers={"cookie": cookie, "accept-language": tongue})
        for look, (cookie, tongue) in asked.items()
    }
    assert list(looks) == [page.headers["foregate-look"] for page in looks.values()]
    assert 3 == len({page.headers["etag"] for page in looks.values()})
    assert {"Accept-Encoding, Accept-Language, Cookie"} == {page.headers["vary"] for page in looks.values()}
    assert 200 == browser.get("/", headers=CARE | {"if-none-match": looks["zh"].headers["etag"]}).status_code


# ---------------------------------------------------------------- offered, once


def test_the_door_offers_it_by_style_alone(browser: TestClient) -> None:
    """Shown where the system asks for contrast or for large letters; "not now" is remembered, and so is a choice."""
    assert 'class="card offer"' in browser.get("/").text
    assert ".offer{display:none}" in assets.style()
    for said in ("0", "1"):
        assert "offer" not in Tags(browser.get("/", headers={"cookie": f"__Host-care={said}"}).text).words
        assert 'class="card offer"' not in browser.get("/", headers={"cookie": f"__Host-care={said}"}).text


def born(birth_date: str) -> Person:
    return Person(
        core_ref="c", name="王芳", document_type="RESIDENT_ID", document_number="11010519661130002X",
        document_expires_on=None, birth_date=birth_date,
    )  # fmt: skip


def test_home_offers_it_from_an_age_on() -> None:
    """At sixty, by the bank's own record, and not the day before."""
    birthday = date(2026, 11, 30)
    now = int(datetime.combine(birthday, time(12), UTC).timestamp())
    assert sessions._may_want_care(born(f"{2026 - limits.CARE_AGE}-11-30"), now)
    assert not sessions._may_want_care(born(f"{2026 - limits.CARE_AGE}-12-01"), now)


@pytest.mark.parametrize(("cookie", "offers"), [("", True), ("__Host-care=0", False), ("__Host-care=1", False)])
def test_home_asks_once(
    door: FrontDoor, browser: TestClient, monkeypatch: pytest.MonkeyPatch, cookie: str, offers: bool
) -> None:
    """One quiet sentence with two buttons; whatever was answered, it is not said again. Others never see it."""
    door.sessions.level = Level.FULL
    sentence = catalog.text("zh", "care.offer")
    assert sentence not in browser.get("/home", headers={"cookie": cookie}).text
    door.sessions.may_want_care = True
    page = browser.get("/home", headers={"cookie": cookie}).text
    assert offers is (sentence in page)
    assert offers is ("/care/1?back=/home" in page and page.count("/care/0?back=/home") == 1)


def test_nobody_is_hurried_in_care_mode(door: FrontDoor, browser: TestClient) -> None:
    """The end comes when it comes for everybody; the warning comes earlier."""
    door.sessions.level = Level.FULL
    found = {}
    for name, headers in (("standard", {}), ("care", CARE)):
        body = Tags(browser.get("/home", headers=headers).text).all("body")[0]
        found[name] = (body["data-idle"], body["data-warn"])
    idle = str(int(limits.IDLE_SECONDS))
    assert {"standard": (idle, "60"), "care": (idle, "120")} == found
    assert limits.IDLE_WARNING_CARE_SECONDS < limits.IDLE_SECONDS


@each_language
def test_words_of_care_mode_call_nobody_old(language: str) -> None:
    """An offer that names an age is an offence."""
    said = " ".join(text for key, text in catalog.texts(language).items() if key.startswith("care."))
    assert None is re.search(r"老|年龄|岁|old|age\b|elder|senior|aged", said, re.I)
