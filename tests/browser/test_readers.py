# ruff: noqa: E501
"""Every reader: by keyboard alone, with large print, with forced colours, by ear. One bank, with script."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from foregate.demo.people import OTHER_PIN, PIN, Person, person
from foregate.rules import limits
from tests import pseudo
from tests.browser import looking
from tests.browser.bank import Bank, Visitor, open_bank
from tests.browser.conftest import LOCALES, Kind
from tests.conftest import PageAt

Come = Callable[..., Visitor]
SNAPSHOTS = Path(__file__).parent / "snapshots"
FOCUS = """() => {
  const e = document.activeElement, box = (e.closest('label') || e).getBoundingClientRect(), style = getComputedStyle(e);
  const at = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, innerHeight - box.top) / 2);
  return {
    tag: e.tagName, id: e.id, name: e.getAttribute('name'), text: (e.textContent || '').trim(), top: box.top + scrollY,
    isSeen: box.bottom > 0 && box.top < innerHeight && (e.contains(at) || !!at && at.contains(e)),
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth),
    isHidden: !!e.closest('[aria-hidden=true]'),
  };
}"""
TABS_MAX = 60


@pytest.fixture(scope="module")
def kind() -> Kind:
    return ("zh", True)


@pytest.fixture
def come(bank: Bank, page_at: PageAt, shots: Path, request: pytest.FixtureRequest) -> Come:
    """Let somebody come, in this language, with care mode or without."""

    def open_visit(language: str = "zh", *, care: bool = False, width: int = 360, **options: object) -> Visitor:
        page = page_at(width, LOCALES[language], **options)
        if care:
            page.context.add_cookies([{"name": "foregate-care", "value": "1", "url": bank.url}])
        story = request.node.name.partition("[")[0].removeprefix("test_")
        return Visitor(bank, page, language, shots, f"{story}-{language}{'-care' if care else ''}")

    return open_visit


def phone_of(somebody: Person) -> str:
    assert somebody.login is not None
    return somebody.login.phone


# ---------------------------------------------------------------- by keyboard alone


class Hands:
    """Somebody who has a keyboard and nothing else."""

    def __init__(self, visitor: Visitor) -> None:
        self.page, self.visitor = visitor.page, visitor

    def tab_to(self, wanted: Callable[[dict[str, object]], bool]) -> None:
        """Press Tab until there; what has the focus is always in sight, ringed, and further down than before."""
        top = -1.0
        for _ in range(TABS_MAX):
            self.page.keyboard.press("Tab")
            focus = self.page.evaluate(FOCUS)
            if focus["tag"] == "BODY":
                top = -1.0
                continue
            assert (focus["isSeen"], focus["isHidden"]) == (True, False), focus
            assert focus["ring"] >= 2, focus
            assert focus["top"] >= top - 8, f"the focus jumps back up: {focus}"
            top = focus["top"] if focus["text"] != self.visitor.t("page.skip") else -1.0
            if wanted(focus):
                return
        raise AssertionError("no number of tabs leads there")

    def field(self, name: str, value: str) -> None:
        """Tab to a field and type."""
        self.tab_to(lambda focus: focus["id"] == f"f-{name}")
        self.page.keyboard.type(value)

    def button(self, key: str) -> None:
        """Tab to the button or link that says `key`, and press Enter."""
        self.tab_to(lambda focus: focus["text"] == self.visitor.t(key))
        self.page.keyboard.press("Enter")


def test_a_whole_sign_in_by_keyboard(come: Come, bank: Bank) -> None:
    """Skip link first; past the switches into the number; Enter sends; a wrong code puts the focus on what is wrong."""
    visitor, lin = come(), person("fine")
    hands, page = Hands(visitor), visitor.page
    visitor.go("/")
    page.keyboard.press("Tab")
    assert visitor.t("page.skip") == page.evaluate(FOCUS)["text"]
    visitor.page.screenshot(path=visitor._shots / "keyboard-skip.png")
    page.keyboard.press("Enter")
    assert "main" == page.evaluate("document.activeElement.id")
    hands.field("phone", phone_of(lin).removeprefix("+86"))
    page.keyboard.press("Enter")
    visitor.sees("step.phone_code.title")
    code = visitor.code(phone_of(lin))
    hands.field("code", "000000" if code != "000000" else "111111")
    hands.button("step.phone_code.submit")
    visitor.is_told("code-wrong")
    assert "problem" == page.evaluate("document.activeElement.id")
    hands.button("remedy.try-again")
    assert "f-code" == page.evaluate("document.activeElement.id")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    visitor.sees("home.basic")
    hands.field("password", lin.login.password if lin.login else "")
    hands.button("journey.finish-sign-in.title")
    visitor.sees("home.full")
    hands.button("accounts.home-lead")
    visitor.sees("accounts.chart")
    visitor.go("/home")
    hands.button("home.leave")
    visitor.sees("outcome.end-session.title")


def test_a_reopen_by_keyboard_in_care_mode(come: Come, bank: Bank) -> None:
    """From the page of all ways to the card PIN, with the switch on the way; nothing typed is lost by it."""
    visitor, wu = come(), person("closed-by-failures")
    hands, page = Hands(visitor), visitor.page
    visitor.go("/cannot-get-in")
    hands.tab_to(lambda focus: str(focus["text"]).startswith(visitor.t("stuck.closed")))
    page.keyboard.press("Enter")
    visitor.sees("journey.reopen.title")
    hands.field("card_number", wu.cards[0].number)
    hands.button("care.take")
    expect(page.locator("html")).to_have_class("care")
    expect(page.locator("#f-card_number")).to_have_value(wu.cards[0].number)
    hands.field("phone", phone_of(wu).removeprefix("+86"))
    hands.button("step.card_and_phone.submit")
    visitor.sees("step.phone_code.title")
    hands.field("code", visitor.code(phone_of(wu)))
    page.keyboard.press("Enter")
    visitor.sees("step.card_pin.title")
    hands.field("card_pin", OTHER_PIN)
    page.keyboard.press("Enter")
    visitor.is_told("card-pin-wrong")
    hands.field("card_pin", PIN)
    page.keyboard.press("Enter")
    visitor.sees("outcome.reopen.title")


# ---------------------------------------------------------------- time


def test_the_warning_covers_nothing_that_has_the_focus(come: Come, bank: Bank) -> None:
    """The dialog takes the focus; who tabs on sees what they come to above it, and one tap makes it go."""
    visitor, tang = come(care=True), person("document-expired")
    visitor.page.clock.install()
    visitor.sign_in(tang)
    before = (limits.IDLE_SECONDS - limits.IDLE_WARNING_CARE_SECONDS + 2) * 1000
    visitor.page.clock.run_for(before)
    visitor.sees("idle.title")
    assert visitor.t("idle.stay") == visitor.page.evaluate(FOCUS)["text"]
    visitor.page.screenshot(path=visitor._shots / "idle-care.png")
    visitor.page.evaluate("document.querySelector('.home').focus()")
    Hands(visitor).tab_to(lambda focus: focus["text"] == visitor.t("care.more"))
    Hands(visitor).button("idle.stay")
    expect(visitor.page.locator("#idle")).to_be_hidden()


def test_a_countdown_is_seen_and_not_announced(come: Come) -> None:
    """The button counts; no live region is near it, so nobody hears sixty sentences."""
    visitor = come()
    visitor.go("/")
    visitor.fill("phone", "19900001234")
    visitor.press("step.phone.submit")
    button = visitor.page.locator("button[data-wait]")
    expect(button).to_be_disabled()
    expect(button).to_have_text(re.compile(r"\d"))
    live = "[aria-live], [role=status], [role=alert], [role=log], [role=timer]"
    assert button.evaluate("(e, live) => !e.closest(live)", live)


# ---------------------------------------------------------------- what the browser fills in


def test_a_password_has_its_name_beside_it(come: Come, bank: Bank) -> None:
    """The manager finds whose it is, for a sign-in by number and by user name; the button that shows it says so."""
    luo = person("document-expiring")
    assert luo.login is not None
    for way, typed in (("phone", phone_of(luo).removeprefix("+86")), ("user_name", luo.login.user_name)):
        visitor = come()
        bank.let_pass(limits.RESEND_SECONDS * 61)
        before = visitor.codes(phone_of(luo))
        visitor.go(f"/sign-in?way={way}")
        visitor.fill(way, typed)
        visitor.press(f"step.{way}.submit")
        visitor.prove_phone(phone_of(luo), before)
        expect(visitor.page.locator("input[autocomplete=username]")).to_have_value(typed)
        visitor.sees("step.password.title")
    show = visitor.page.get_by_role("button", name=visitor.t("page.show"), pressed=False)
    show.click()
    expect(visitor.page.get_by_role("button", name=visitor.t("page.hide"), pressed=True)).to_be_visible()
    expect(visitor.page.locator("#f-password")).to_have_attribute("type", "text")
    visitor.page.locator("#f-password").press_sequentially("A")
    visitor.fill("password", luo.login.password)
    visitor.press("step.password.submit")
    visitor.sees("home.full")


WEB_OTP = """code => {
  window.OTPCredential = function () {};
  navigator.credentials.get = options => options.otp ? Promise.resolve({code: code}) : Promise.reject(new Error('no'));
}"""


def test_a_code_is_filled_in_by_the_phone(come: Come, bank: Bank) -> None:
    """Where a browser reads the message's last line, the code comes in and is sent without a tap."""
    visitor, chen = come(), person("family-mother")
    before = visitor.codes(phone_of(chen))
    bank.let_pass(limits.RESEND_SECONDS * 61)
    visitor.go("/")
    visitor.fill("phone", phone_of(chen).removeprefix("+86"))
    visitor.press("step.phone.submit")
    visitor.sees("step.phone_code.title")
    last = bank.messages(phone_of(chen))[0].text.splitlines()[-1] if visitor.code(phone_of(chen), before) else ""
    host, _, code = last.partition(" #")
    assert f"@{bank.url.removeprefix('http://')}" == host
    assert ("text", "numeric", "one-time-code", None) == tuple(
        visitor.page.locator("#f-code").evaluate(
            "e => [e.type, e.inputMode, e.autocomplete, e.getAttribute('maxlength')]"
        )
    )
    visitor.page.add_init_script(f"({WEB_OTP})('{code}')")
    visitor.page.reload()
    visitor.sees("home.basic")


# ---------------------------------------------------------------- by eye


SIGNED_IN = ["/home", "/accounts", "/ways", "/alerts"]
OPEN = ["/", "/sign-in?way=card", "/cannot-get-in", "/outlets?q=%E8%A5%BF%E6%B9%96", "/help/outlet", "/nowhere"]


def unfold(page: Page) -> None:
    """Open whatever stands behind a tap."""
    page.evaluate("document.querySelectorAll('details').forEach(function (e) { e.open = true; })")


@pytest.mark.parametrize("care", [False, True], ids=["standard", "care"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_large_enough_to_read_and_to_hit(come: Come, bank: Bank, language: str, care: bool) -> None:
    """Care: text from 18 px, lines 1.5, paragraphs 1.3 lines apart, what one came for 60 px. Everywhere else 44."""
    visitor = come(language, care=care)
    bank.let_pass(limits.RESEND_SECONDS * 61)
    visitor.sign_in(person("same-name-one" if care else "family-father"), "user_name")
    for path in (*SIGNED_IN, *OPEN[1:]):
        visitor.go(path)
        unfold(visitor.page)
        assert [] == looking.small_targets(visitor.page, care=care), path
        if care:
            assert [] == looking.small_words(visitor.page), path
        visitor.shoot(re.sub(r"\W+", "-", path).strip("-"))


def test_what_the_browser_was_set_to_is_honoured(come: Come) -> None:
    """Letters of 30 px by default: ours grow with them, care mode's once more, nothing is cut, and care is offered."""
    for care, root in ((False, 30), (True, 37.5)):
        visitor = come(care=care)
        visitor.go("/")
        assert visitor.page.locator(".offer").count() == (0 if care else 1)
        if not care:
            expect(visitor.page.locator(".offer")).to_be_hidden()
        session = visitor.page.context.new_cdp_session(visitor.page)
        session.send("Page.setFontSizes", {"fontSizes": {"standard": 30}})
        visitor.page.reload()
        size = visitor.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
        assert root * 1.125 == size
        assert not looking.is_wide(visitor.page)
        assert [] == visitor.page.evaluate(looking.OVERLAPS)
        if not care:
            expect(visitor.page.locator(".offer")).to_be_visible()
            visitor.follow("care.offer-not-now")
            expect(visitor.page.locator(".offer")).to_have_count(0)


def test_care_is_offered_once_to_who_may_want_it(come: Come, bank: Bank) -> None:
    """One sentence at home for whom the bank knows to be of an age; "not now" outlives signing in again."""
    visitor, du = come(), person("document-long-term")
    for offers in (1, 0):
        bank.let_pass(limits.RESEND_SECONDS * 61)
        visitor.sign_in_basic(du)
        visitor.sees("home.basic")
        expect(visitor.page.get_by_text(visitor.t("care.offer"))).to_have_count(offers)
        if offers:
            visitor.shoot("offered")
            visitor.follow("care.offer-not-now")
            visitor.sees("home.basic")
        visitor.press("home.leave")
    visitor.follow("care.take")
    bank.let_pass(limits.RESEND_SECONDS * 61)
    visitor.sign_in_basic(du)
    expect(visitor.page.locator("html")).to_have_class("care")  # chosen before, and still there


def test_who_asks_the_system_for_contrast_is_shown_the_way(come: Come) -> None:
    """By style alone: nobody is told apart, and nothing is sent."""
    visitor = come(contrast="more")
    visitor.go("/")
    expect(visitor.page.locator(".offer")).to_be_visible()
    visitor.shoot("offered")
    soft = visitor.page.locator("p.soft").first.evaluate("e => getComputedStyle(e).color")
    assert soft == visitor.page.locator("h1").evaluate("e => getComputedStyle(e).color")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_keep_edges_and_focus(come: Come, scheme: str) -> None:
    """What was told by a background is told by a border; the focus has its ring; the sketch can be read."""
    visitor = come(forced_colors="active", color_scheme=scheme)
    page = visitor.page
    for path in ("/sign-in?way=card", "/outlets?q=%E6%BB%A8%E6%B1%9F%E5%8C%BA&by=near"):
        visitor.go(path)
        for edge in page.locator("main button:visible, main .go:visible, main [aria-current]:visible").all():
            assert edge.evaluate("e => parseFloat(getComputedStyle(e).borderTopWidth)") >= 1
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS)["ring"] >= 2
        visitor.shoot(f"{scheme}-{path[1:5]}")
    ring, ground = (
        page.locator(f"svg.map {part}").first.evaluate("e => getComputedStyle(e).fill")
        for part in ("a circle", "a text")
    )
    assert ring != ground


# ---------------------------------------------------------------- by ear


def heard(page: Page) -> str:
    """Return what a screen reader makes of a page that is loaded whole; what differs from visit to visit is left out."""
    page.locator("body").dispatch_event("focusin")
    # link.js came, as it does when somebody does something
    expect(page.locator("#link [role=status]")).to_have_count(1)
    tree = page.locator("body").aria_snapshot()
    return re.sub(r"\b\d{8}\b|\d+(?= 秒| seconds)", "#", tree) + "\n"


def keeps(page: Page, name: str) -> None:
    """Compare with what is under version control; FOREGATE_SNAPSHOTS=1 writes it anew, to be read in the diff."""
    file = SNAPSHOTS / f"{name}.yml"
    if os.environ.get("FOREGATE_SNAPSHOTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(heard(page), "utf-8")
    assert file.read_text("utf-8") == heard(page)


def test_key_pages_sound_as_they_did(come: Come, bank: Bank) -> None:
    """Names, roles and order of the door, the code, a refusal, home and the record."""
    visitor = come()
    visitor.go("/")
    keeps(visitor.page, "door-zh")
    english = come("en", care=True)
    english.go("/")
    keeps(english.page, "door-en-care")
    visitor.fill("phone", "19900004321")
    visitor.press("step.phone.submit")
    visitor.sees("step.phone_code.title")
    keeps(visitor.page, "code-zh")
    visitor.press("step.phone_code.submit")
    visitor.fill("code", "1")
    visitor.press("step.phone_code.submit")
    visitor.is_told("input-invalid")
    keeps(visitor.page, "refused-zh")
    bank.let_pass(limits.RESEND_SECONDS * 61)
    english.sign_in_basic(person("document-long-term"))
    keeps(english.page, "home-basic-en-care")


# ---------------------------------------------------------------- written the other way round


@pytest.fixture(scope="module")
def mirrored(chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """A bank that also speaks a language written from right to left."""
    folder = tmp_path_factory.mktemp("texts")
    with (
        pseudo.spoken(pseudo.write(folder, pseudo.texts("rtl"))),
        open_bank(tmp_path_factory.mktemp("bank"), texts_folder=str(folder)) as bank,
    ):
        yield bank


def test_from_right_to_left_nothing_breaks(mirrored: Bank, page_at: PageAt, shots: Path) -> None:
    """`dir` comes from the language's file; longer words and the other direction scroll nothing sideways."""
    page = page_at(320, "qps")
    for path in OPEN:
        page.goto(mirrored.url + path)
        assert ("qps", "rtl") == (page.locator("html").get_attribute("lang"), page.locator("html").get_attribute("dir"))
        assert not looking.is_wide(page), path
        assert [] == page.evaluate(looking.OVERLAPS), path
    page.goto(mirrored.url)
    page.screenshot(path=shots / "right-to-left.png", full_page=True)
    page.get_by_role("link", name="English").or_(page.get_by_role("button", name="English")).click()
    expect(page.locator("html")).not_to_have_attribute("dir", "rtl")
