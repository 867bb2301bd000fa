"""A bad link, and none at all: what was seen opens, what was typed stays, what was sent ends once.

The browser reaches the bank by a link that the tests break. The worker is armed as for a person who stays a while.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from foregate.demo.people import PEOPLE, Person
from foregate.doors.pages import assets
from foregate.doors.text import catalog
from foregate.rules import limits
from tests import services
from tests.appointments import HALL
from tests.browser.bank import Bank, Visitor, open_bank
from tests.browser.link import Link, State, open_link
from tests.browser.test_appointments import open_outlet
from tests.conftest import PATIENCE_SECONDS

KEPT = "foregate-kept"
CONTROLLED = """() => new Promise(done => {
  const worker = navigator.serviceWorker;
  if (worker.controller) done(true); else worker.addEventListener('controllerchange', () => done(true));
})"""
ENTRIES = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request, {ignoreVary: true});
      if (!response) continue;
      const body = await response.blob();
      const path = request.url.slice(location.origin.length);
      found.push({cache: name, path, size: body.size, text: await body.text()});
    }
  }
  return found;
}"""
# Nobody outside may ask a page that is leaving, so it is asked from the tab beside it.
LISTENS = """() => {
  const beside = new BroadcastChannel('beside');
  beside.onmessage = async event => {
    await __pwClock.controller.runFor(event.data);
    beside.postMessage(document.querySelector('#link [role=status]').textContent);
  };
}"""
PASSES = """ms => new Promise(done => {
  const there = new BroadcastChannel('beside');
  there.onmessage = event => { there.close(); done(event.data); };
  there.postMessage(ms);
})"""
WISHES = """() => new Promise(done => {
  const open = indexedDB.open('foregate', 1);
  open.onsuccess = () => {
    const asked = open.result.transaction('wishes').objectStore('wishes').getAll();
    asked.onsuccess = () => { open.result.close(); done(asked.result); };
  };
})"""
PAINTED = "() => new Promise(done => new PerformanceObserver(list => done(list.getEntries()[0].startTime))"
PAINTED += ".observe({type: 'paint', buffered: true}))"
ARMED_SECONDS = 15
SIGNED_IN_PAGES = ("/home", "/ways", "/linked", "/accounts", "/alerts", "/", "/sign-in", "/help/outlet", "/freeze")


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with open_link() as link:
        yield link


@pytest.fixture(scope="module")
def bank(chromium: Browser, link: Link, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """One bank for all of them, with an outlet, behind the link. No browser, no bank."""
    with open_bank(tmp_path_factory.mktemp("bank"), between=link) as bank:
        open_outlet(bank)
        yield bank


@pytest.fixture(autouse=True)
def mended(link: Link) -> Iterator[None]:
    """The link is open before and after each test."""
    link.become(State.OPEN)
    yield
    link.become(State.OPEN)


class Phone:
    """A browser of somebody who was here before: the worker is at its post."""

    def __init__(self, bank: Bank, context: BrowserContext, language: str, shots: Path) -> None:
        self.bank, self.context, self.language, self._shots = bank, context, language, shots
        context.add_cookies([{"name": "foregate-language", "value": language, "url": bank.url}])
        page = context.new_page()
        page.clock.install()
        page.goto(bank.url + "/")
        page.locator("h1").click()
        until = time.monotonic() + 30
        while not page.evaluate("Boolean(window.foregate.make)"):
            assert time.monotonic() < until, "what helps on a bad link did not come"
            time.sleep(0.02)
        page.clock.run_for(ARMED_SECONDS * 1000)
        page.evaluate(CONTROLLED)
        page.close()

    def open(self, path: str = "/", *, has_clock: bool = False) -> Page:
        """Open a page in a tab of its own; with a clock, its time is the test's to turn."""
        page = self.context.new_page()
        if has_clock:
            page.clock.install()
        page.goto(self.bank.url + path)
        return page

    def visitor(self, page: Page) -> Visitor:
        return Visitor(self.bank, page, self.language, self._shots, "bad-link")

    def t(self, key: str, **facts: object) -> str:
        return catalog.text(self.language, key, **facts)

    def shoot(self, page: Page, what: str) -> None:
        path = self._shots / f"bad-link-{what}-{self.language}.png"
        page.screenshot(path=path, full_page=True, animations="disabled")


Lend = Callable[..., Phone]


@pytest.fixture
def lend(bank: Bank, page_at: Any, shots: Path) -> Lend:
    """Lend a phone on which the worker is at its post."""

    def lend_one(language: str = "zh", **options: Any) -> Phone:
        locale = {"zh": "zh-CN", "en": "en-GB"}[language]
        blank = page_at(360, locale, **options)
        return Phone(bank, blank.context, language, shots)

    return lend_one


@pytest.fixture
def installer(chromium: Browser, bank: Bank, shots: Path) -> Iterator[Phone]:
    """A phone that looks whether an app can be installed. The shell of Chromium installs none, and finds no fault."""
    browser = chromium.browser_type.launch(executable_path=services.find_chromium(), args=list(services.CHROMIUM_ARGS))
    context = browser.new_context(locale="en-GB", viewport={"width": 360, "height": 740})
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    yield Phone(bank, context, "en", shots)
    browser.close()


def says(page: Page, words: str) -> None:
    expect(page.locator("#link [role=status]")).to_have_text(words)


def entries(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(ENTRIES)
    return found


def keeps(page: Page, these: set[str], not_these: AbstractSet[str] = frozenset()) -> None:
    """Wait until these pages are kept, and those are not."""
    until = time.monotonic() + 20
    while not these <= (paths := {entry["path"] for entry in entries(page)}) or paths & not_these:
        assert time.monotonic() < until, paths
        time.sleep(0.05)


def fill_wish(page: Page, phone: str, **choices: str) -> None:
    for name, value in choices.items():
        page.locator(f"#w-{name}").select_option(value)
    page.fill("#w-surname", "王")
    page.fill("#w-phone", phone)
    page.locator("#wish button").click()


# ---------------------------------------------------------------- what was seen opens


@pytest.mark.alone
def test_a_repeat_visit_without_a_link(lend: Lend) -> None:
    """The sign-in page is painted within a second, and says that it was kept."""
    phone = lend()
    phone.context.set_offline(True)
    painted = []
    for _ in range(5):
        page = phone.open()
        painted.append(page.evaluate(PAINTED))
        says(page, phone.t("link.kept"))
        page.close()
    print(f"painted after {sorted(round(ms) for ms in painted)} ms")
    assert median(painted) <= 1000


@pytest.mark.alone
def test_a_link_that_takes_and_never_answers(lend: Lend, link: Link) -> None:
    """Browsers call that being online. After the race the kept page is shown all the same."""
    phone = lend()
    link.become(State.HOLE)
    began = time.monotonic()
    page = phone.open()
    took = time.monotonic() - began
    print(f"shown after {took:.2f} s")
    assert page.evaluate("navigator.onLine")
    assert limits.RACE_SECONDS <= took <= limits.RACE_SECONDS + 0.5
    says(page, phone.t("link.kept"))


def test_a_page_that_was_not_kept(lend: Lend, link: Link) -> None:
    """The offline page says so and tries again by itself; when the link is back, the page that was asked for comes."""
    phone = lend()
    link.become(State.CUT)
    page = phone.open("/register")
    expect(page.locator("h1")).to_have_text(phone.t("offline.title"))
    says(page, phone.t("link.away"))
    expect(page.locator("#link .last")).to_contain_text("秒后自动再试")
    assert page.locator('#link a[href="/network"]').is_visible()
    phone.shoot(page, "away")
    link.become(State.OPEN)
    expect(page.locator("h1")).to_have_text(phone.t("journey.register.title"))


# ---------------------------------------------------------------- what was typed stays, what was sent ends once


def test_a_form_that_cannot_be_sent(lend: Lend, link: Link, bank: Bank) -> None:
    """It stays with what was typed, counts down, tries again, so many times; then one code is sent, and no more."""
    phone, number = lend(), "+8613900002001"
    page = phone.open(has_clock=True)
    page.fill("#f-phone", "13900002001")
    link.become(State.CUT)
    page.evaluate("window.sent = 0; document.addEventListener('submit', () => { window.sent += 1; })")
    page.locator("#main-form button").first.click()
    waits = []
    for _ in range(limits.LINK_TRIES):
        says(page, phone.t("link.none"))
        waits.append(int(re.sub(r"\D", "", page.locator("#link .last").inner_text())))
        assert "13900002001" == page.input_value("#f-phone")
        page.clock.run_for(waits[-1] * 1000 + 500)
    says(page, phone.t("link.over"))
    expect(page.locator("#link .last")).to_be_empty()
    assert 1 + limits.LINK_TRIES == page.evaluate("window.sent")
    print(f"tried again after {waits} s")
    assert sorted(waits) == waits
    assert waits[-1] >= 8 * waits[0]
    phone.shoot(page, "over")
    assert [] == bank.messages(number)

    link.become(State.OPEN)
    page.get_by_role("button", name=phone.t("link.again")).click()
    phone.visitor(page).sees("step.phone_code.title")
    phone.visitor(page).hears(number, 0)
    assert 1 == phone.visitor(page).codes(number)


def test_an_answer_that_is_lost(lend: Lend, link: Link, bank: Bank) -> None:
    """The bank heard the number, then the code, and its answers were lost: asked again, it says the same, once."""
    person = _registered()
    phone, number = lend(), person.login.phone if person.login else ""
    beside, page = phone.open("/help/code"), phone.open(has_clock=True)
    visitor = phone.visitor(page)
    bank.let_pass(61)  # whoever came before had a code sent
    before = visitor.codes(number)
    page.fill("#f-phone", number.removeprefix("+86"))
    _send_to_the_deaf(phone, page, beside, link)
    visitor.sees("step.phone_code.title")
    code = visitor.code(number, before)
    page.fill("#f-code", code)
    _send_to_the_deaf(phone, page, beside, link)
    visitor.sees("home.basic")
    assert before + 1 == visitor.codes(number)


def _send_to_the_deaf(phone: Phone, page: Page, beside: Page, link: Link) -> None:
    typed = page.locator("#main-form input:not([type=hidden])").first
    value = typed.input_value()
    page.evaluate(LISTENS)
    link.become(State.DEAF)
    heard = link.requests
    page.locator("#main-form button:not([type=button])").first.evaluate("button => button.click()")
    while link.requests == heard:
        time.sleep(0.02)
    assert phone.t("link.slow") == beside.evaluate(PASSES, limits.SLOW_AFTER_SECONDS * 1000 + 100)
    rest = limits.LINK_PATIENCE_SECONDS - limits.SLOW_AFTER_SECONDS
    assert phone.t("link.none") == beside.evaluate(PASSES, rest * 1000)
    says(page, phone.t("link.none"))
    assert value == typed.input_value()
    link.become(State.OPEN)
    page.clock.run_for(6000)


def _registered() -> Person:
    return next(person for person in PEOPLE if person.login is not None)


def test_a_busy_bank(lend: Lend, bank: Bank) -> None:
    """Every way to the database is taken: the form waits as long as it was told, and goes through by itself."""
    phone, number = lend(), "+8613900002003"
    page = phone.open("/sign-in")
    page.fill("#f-phone", "13900002003")
    with Crowd(bank, limits.DATABASE_WAIT_SECONDS + 2):
        page.locator("#main-form button").first.click()
        says(page, phone.t("link.busy"))
        assert "13900002003" == page.input_value("#f-phone")
        phone.shoot(page, "busy")
    phone.visitor(page).sees("step.phone_code.title")
    phone.visitor(page).hears(number, 0)
    assert 1 == phone.visitor(page).codes(number)


def test_a_busy_page(lend: Lend, bank: Bank) -> None:
    """A page that is refused for now says for how long, and asks again by itself."""
    phone = lend()
    page = phone.context.new_page()
    with Crowd(bank, limits.DATABASE_WAIT_SECONDS + 2):
        answer = page.goto(f"{bank.url}/book-appointment?outlet={HALL.outlet_id}")
        assert answer is not None
        assert (503, "5") == (answer.status, answer.headers["retry-after"])
        says(page, phone.t("link.full"))
    expect(page.locator("h1")).to_have_text(phone.t("booking.choose-service"))


class Crowd:
    """Transactions that hold the database for a while."""

    def __init__(self, bank: Bank, seconds: float) -> None:
        self._bank, self._seconds = bank, seconds

    def __enter__(self) -> None:
        taken = threading.Event()

        async def hold() -> None:
            async with self._bank.house.store.begin():
                taken.set()
                await asyncio.sleep(self._seconds)

        assert self._bank.loop is not None
        self._held = asyncio.run_coroutine_threadsafe(hold(), self._bank.loop)
        assert taken.wait(10)

    def __exit__(self, *_: object) -> None:
        self._held.result(30)


def test_another_site_posts(lend: Lend, bank: Bank) -> None:
    """The worker does not make a stranger's form one of ours."""
    phone = lend()
    page = phone.context.new_page()
    page.goto(f"data:text/html,<form method=post action='{bank.url}/sign-in'><button>go</button></form>")
    with page.expect_navigation() as navigation:
        page.locator("button").click()
    assert 403 == navigation.value.status


# ---------------------------------------------------------------- appointments that wait


@pytest.mark.parametrize(("language", "scheme"), [("zh", "light"), ("en", "dark")])
def test_an_appointment_waits_for_the_link(lend: Lend, bank: Bank, language: str, scheme: str) -> None:
    """Filled in without a link, sent when there is one, booked with the code; nothing is left on the device."""
    phone = lend(language, color_scheme=scheme)
    number = f"+8613900003{ord(language[0]):03d}"
    phone.open("/offline").close()
    page = phone.open(f"/outlets/{HALL.outlet_id}")
    phone.context.set_offline(True)
    page.goto(bank.url + "/reopen")
    expect(page.locator("#seen a")).to_have_text(HALL.name)
    phone.shoot(page, "offline")

    for n in range(limits.WISHES):
        fill_wish(page, number, service=("cash", "wealth", "other")[n], part="morning")
        expect(page.locator("#waiting li")).to_have_count(n + 1)
    assert not page.locator("#wish").is_visible()
    expect(page.locator("#full")).to_be_visible()
    assert bool(page.evaluate("localStorage.length"))
    phone.shoot(page, "waiting")
    for left in (2, 1):
        page.locator("#waiting button").first.click()
        expect(page.locator("#waiting li")).to_have_count(left)
    assert page.locator("#wish").is_visible()
    page.locator("#seen a").click()
    expect(page.locator("h1")).to_have_text(HALL.name)
    says(page, phone.t("link.kept"))
    assert [] == bank.messages(number)

    phone.context.set_offline(False)
    card = page.locator(".card.good")
    expect(card).to_contain_text(HALL.name)
    phone.shoot(page, "sent")
    (row,) = page.evaluate(WISHES)
    assert number[3:] not in json.dumps(row)
    page.reload()
    card.get_by_role("link", name=phone.t("offline.confirm")).click()
    visitor = phone.visitor(page)
    visitor.prove_phone(number, 0)
    visitor.sees("appointment.done")
    assert 1 == visitor.codes(number)
    page.goto(bank.url + "/")
    assert [] == page.evaluate(WISHES)


# ---------------------------------------------------------------- what lies on the device


def test_nothing_of_a_person_is_kept(lend: Lend, bank: Bank) -> None:
    """A whole session is walked, and every entry of every cache is public. Signing out leaves none, breaks nothing."""
    phone, person = lend(), _registered()
    assert person.login is not None
    page = phone.open()
    bank.let_pass(61)  # whoever came before had a code sent
    phone.visitor(page).sign_in(person)
    for path in SIGNED_IN_PAGES:
        page.goto(bank.url + path)
    kept = entries(page)
    paths = {entry["path"] for entry in kept}
    assert {"/", "/help/outlet", "/offline"} <= paths
    assert set() == paths & {"/home", "/ways", "/linked", "/accounts", "/alerts"}
    assert [] == [path for path in paths if path.startswith(("/j/", "/appointments/", "/console", "/v1"))]
    tells = (person.login.phone[3:], person.login.user_name, person.cards[0].number[-4:], 'name="key"', 'id="idle"')
    assert [] == [
        (e["path"], tell) for e in kept for tell in tells if not e["path"].startswith("/s/") and tell in e["text"]
    ]

    page.goto(bank.url + "/home")
    page.get_by_role("button", name=phone.t("home.leave"), exact=True).click()
    phone.visitor(page).sees("outcome.end-session.detail")
    assert [] == entries(page)
    page.goto(bank.url + "/")
    expect(page.locator("#f-phone")).to_be_visible()


def test_what_is_kept_has_one_look(lend: Lend, bank: Bank) -> None:
    """Who takes large print is not shown small print again: what was kept in the old look goes."""
    phone = lend()
    page = phone.open("/help/code")
    keeps(page, {"/", "/help/code"})
    page.goto(bank.url + "/care/1?back=/")
    expect(page.locator("html")).to_have_class("care")
    keeps(page, {"/"}, {"/help/code"})


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [(limits.KEPT_PAGES + 20, 10, limits.KEPT_PAGES), (20, 100_000, 8)],
    ids=["entries", "bytes"],
)
def test_what_is_kept_is_bounded(lend: Lend, count: int, size: int, expected: int) -> None:
    """The oldest go first, the page that was just seen stays, and all of it is below 1 MB."""
    page = lend().open("/help/code")
    page.evaluate(
        """async ([count, size]) => {
          const cache = await caches.open('foregate-kept');
          for (let n = 0; n < count; n++) await cache.put('/old/' + n, new Response('x'.repeat(size)));
        }""",
        [count, size],
    )
    page.goto(page.url.replace("/help/code", "/cannot-get-in"))
    until = time.monotonic() + 20
    while (
        len(kept := [e for e in entries(page) if e["cache"] == KEPT]) > limits.KEPT_PAGES
        or sum(e["size"] for e in kept) > limits.KEPT_BYTES
    ):
        assert time.monotonic() < until, "nothing is evicted"
        time.sleep(0.05)
    old = [e["path"] for e in kept if e["path"].startswith("/old/")]
    assert "/cannot-get-in" in {e["path"] for e in kept}
    assert f"/old/{count - 1}" == old[-1]
    assert expected - 4 <= len(old) <= expected
    assert sum(e["size"] for e in entries(page)) <= 1_000_000


def test_a_release_while_a_journey_is_open(lend: Lend, bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new worker takes over without a reload; the page, what is typed in it and its old script go on."""
    phone, number = lend(), "+8613900002005"
    page = phone.open()
    visitor = phone.visitor(page)
    visitor.fill("phone", "13900002005")
    visitor.press("step.phone.submit")
    visitor.fill("code", visitor.code(number))
    page.evaluate("window.marked = true")
    old = assets.script()
    before = page.evaluate("caches.keys()")
    new = assets.asset("f", "js", old.body.decode() + "\n;")
    monkeypatch.setattr(assets, "script", lambda: new)

    page.evaluate("() => navigator.serviceWorker.ready.then(at => at.update())")
    until = time.monotonic() + 20
    while before == (after := page.evaluate("caches.keys()")) or len(after) > 2:
        assert time.monotonic() < until, "the new worker did not take over"
        time.sleep(0.05)
    assert page.evaluate("window.marked")
    assert visitor.code(number) == page.input_value("#f-code")
    served = page.evaluate(f"() => fetch('{old.path}').then(answer => answer.status)")
    assert 200 == served
    assert new.path in {entry["path"] for entry in entries(page)}
    visitor.press("step.phone_code.submit")
    page.wait_for_url("**/j/**")


# ---------------------------------------------------------------- the home screen


def test_the_home_screen(installer: Phone) -> None:
    """The browser finds nothing wrong with the app; the button shows when it is offered, and asks when tapped."""
    phone = installer
    page = phone.open()
    tools = phone.context.new_cdp_session(page)
    found = tools.send("Page.getAppManifest")
    assert [] == found["errors"]
    manifest = json.loads(found["data"])
    assert ("en", "/", phone.t("offline.app")) == (manifest["lang"], manifest["start_url"], manifest["description"])
    wrong = [e["errorId"] for e in tools.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    assert ["in-incognito"] == wrong  # so it has looked

    button = page.get_by_role("button", name=phone.t("home-screen.add"))
    assert not button.is_visible()
    page.evaluate("""() => {
      const offer = new Event('beforeinstallprompt', {cancelable: true});
      offer.prompt = () => { window.asked = true; };
      window.dispatchEvent(offer);
      window.isHeldBack = offer.defaultPrevented;
    }""")
    assert page.evaluate("window.isHeldBack && !window.asked")
    phone.shoot(page, "install")
    button.click()
    assert page.evaluate("window.asked")
    assert not button.is_visible()
