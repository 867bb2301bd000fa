"""What every reader relies on, as far as the source of a page holds it. docs/reference/accessibility.md says which."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from foregate.desk.view import Reply
from foregate.doors.pages import assets
from foregate.doors.text import catalog
from foregate.rules.journeys import JOURNEYS
from tests.unit.front_door import JOURNEY_ID, FrontDoor, view
from tests.unit.test_pages_render import STEPS, Tags, browser, door, every_page, refused
from tests.unit.test_text import BANK, FACTS

__all__ = ["browser", "door"]

each_language = pytest.mark.parametrize("language", catalog.languages())
each_mode = pytest.mark.parametrize("care", ["0", "1"], ids=["standard", "care"])


class Within(HTMLParser):
    """Which elements stand within others: `around` of each tag, from the outside in."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "path", "circle", "line", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.found: list[tuple[str, dict[str, str | None], list[tuple[str, dict[str, str | None]]]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), list(self.open)))
        if tag not in self.VOID:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass


@each_mode
@each_language
def test_help_stands_in_the_same_place_on_every_page(
    door: FrontDoor, browser: TestClient, language: str, care: str
) -> None:
    """WCAG 3.2.6: the same links in the same order at the foot of every page, the number to call first."""
    browser.cookies.set("__Host-care", care)
    feet = {page.text[page.text.index("<footer") : page.text.index("</footer>")]
            for _, page in every_page(door, browser, language)}  # fmt: skip
    (foot,) = feet
    assert ["tel:95000", "/help/outlet", "/outlets"] == [a["href"] for a in Tags(foot).all("a")][:3]


@each_language
def test_every_page_begins_alike(door: FrontDoor, browser: TestClient, language: str) -> None:
    """One title that says which page, one heading of the first level, landmarks, and a skip link before all else."""
    for name, page in every_page(door, browser, language):
        tags = Tags(page.text)
        title = re.search(r"<title>(.*?)</title>", page.text)
        assert title is not None, name
        assert not title[1].startswith(" "), name
        assert 1 == len(tags.all("h1")), name
        assert [1, 1, 1] == [len(tags.all(landmark)) for landmark in ("header", "main", "footer")], name
        assert "#main" == tags.all("a")[0]["href"], name
        is_error = title[1].startswith(catalog.text(language, "page.error-prefix"))
        assert is_error is (page.status_code >= 400), name


@each_language
def test_errors_are_alerts_and_successes_are_statuses(door: FrontDoor, browser: TestClient, language: str) -> None:
    """What went wrong interrupts, what went well waits its turn, and there is never more than one that interrupts."""
    for name, page in every_page(door, browser, language):
        roles = [a.get("role") for tag, a in Tags(page.text).tags if "hidden" not in a]
        assert roles.count("alert") == (1 if page.status_code >= 400 else 0), name
        if name.startswith(("done", "/home?done")):
            assert "status" in roles, name


def test_a_countdown_stands_in_no_live_region(door: FrontDoor, browser: TestClient) -> None:
    """It would be read out sixty times."""
    door.desk.reply = Reply(view=view("phone_code"))
    page = Within(browser.get(f"/j/{JOURNEY_ID}").text)
    (around,) = [around for _, attributes, around in page.found if "data-wait" in attributes]
    live = [a for _, a in around if a.get("aria-live") or a.get("role") in ("status", "alert", "log", "timer")]
    assert [] == live


@each_language
def test_another_language_is_named_in_its_own(door: FrontDoor, browser: TestClient, language: str) -> None:
    """`lang` on what is not in the page's language, so that it is pronounced."""
    other = next(code for code in catalog.languages() if code != language)
    for name, page in every_page(door, browser, language):
        named = [a for _, a in Tags(page.text).tags if a.get("lang") == catalog.tag(other)]
        assert 1 == len(named), name
        assert f">{catalog.text(other, 'language.name')}<" in page.text, name


def test_no_button_waits_to_be_enabled(door: FrontDoor, browser: TestClient) -> None:
    """Who may not go on yet is told why; a dead button says nothing."""
    for name, page in every_page(door, browser, "zh"):
        assert [] == [b for b in Tags(page.text).all("button") if "disabled" in b], name


def test_no_memory_is_tested(door: FrontDoor, browser: TestClient) -> None:
    """WCAG 3.3.8: no puzzle, no single characters of a secret; pasting and filling in are let through everywhere."""
    for step in STEPS:
        door.desk.reply = Reply(view=view(step, others=("card_pin",)))
        page = browser.get(f"/j/{JOURNEY_ID}").text
        assert "captcha" not in page.lower(), step
        secrets = [i for i in Tags(page).all("input") if i.get("type") == "password"]
        assert [] == [i for i in secrets if "maxlength" in i or "pattern" in i or i.get("autocomplete") is None], step
    script = assets.script().body + assets.passkeys().body
    assert not re.search(rb"paste|copy|contextmenu|selectstart", script)


@each_mode
def test_every_way_back_is_two_taps_away(browser: TestClient, care: str) -> None:
    """From the sign-in page to the page of all ways, and from there into the journey."""
    browser.cookies.set("__Host-care", care)
    first = {a["href"] for a in Tags(browser.get("/").text).all("a")}
    second = {a["href"] for a in Tags(browser.get("/cannot-get-in").text).all("a")}
    assert "/cannot-get-in" in first
    assert {"/reopen", "/reset-password", "/help/outlet"} <= first | second
    assert "/freeze" in first


def test_what_is_known_is_not_asked_again(door: FrontDoor, browser: TestClient) -> None:
    """WCAG 3.3.7: ways on carry the journey that they come from, which knows what was typed."""
    door.desk.reply = Reply(view=view("password"), told=refused("password-wrong"))
    page = browser.post(f"/j/{JOURNEY_ID}", data={"step": "password"})
    begun = [a["href"] or "" for a in Tags(page.text).all("a") if (a["href"] or "")[1:].partition("?")[0] in JOURNEYS]
    assert [] == [href for href in begun if "from=" not in href]


def test_nothing_moves() -> None:
    """Who asks for less motion has none, and so has everybody else."""
    for style in (assets.style("accounts", "chart", "outlets", "face"), (assets.FOLDER / "map.css").read_text("utf-8")):
        assert [] == re.findall(r"animation|transition|scroll-behavior|@keyframes", style)


def test_colours_are_far_apart() -> None:
    """Seven to one for every colour of text on every ground it stands on, by light and in the dark."""

    def shine(colour: str) -> float:
        full = colour.lstrip("#")
        full = "".join(digit * 2 for digit in full) if len(full) == 3 else full
        parts = [int(full[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(one: str, other: str) -> float:
        dark, light = sorted((shine(one), shine(other)))
        return (light + 0.05) / (dark + 0.05)

    blocks = re.findall(r":root\{((?:color-scheme:light dark;)?--ink:.*?)\}", assets.style())
    assert 2 == len(blocks)
    for block in blocks:
        colours = dict(re.findall(r"--(\w+):(#\w+)", block))
        for text in ("ink", "soft", "key", "bad"):
            for ground in ("paper", "card", "warm"):
                assert contrast(colours[text], colours[ground]) >= 7, (text, ground)
        assert contrast(colours["on"], colours["key"]) >= 7
        assert contrast(colours["edge"], colours["card"]) >= 3


# A message of Chinese signs holds 70, of the GSM alphabet 160.
@pytest.mark.parametrize(("language", "room"), [("zh", 70), ("en", 160)])
def test_a_code_arrives_in_one_message(language: str, room: int) -> None:
    """With its last line for the browser, for every journey, where bank and host are as long as these."""
    said = {
        name: catalog.text(
            language, "sms.code", bank=BANK[language], code="123456",
            **FACTS | {"purpose": catalog.text(language, f"journey.{name}.title")},
        )
        for name, row in JOURNEYS.items() if row.is_public
    }  # fmt: skip
    assert {} == {name: len(text) for name, text in said.items() if len(text) > room}
    for text in said.values():
        assert "@login.bank.example #123456" == text.splitlines()[-1]
        assert ("谁要都别给" if language == "zh" else "Tell nobody") in text.splitlines()[0]
        assert "http" not in text
