"""The network check at 360 px: every verdict provoked for real, in both languages, and what the page does about it."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from foregate.desk.status import Status
from foregate.doors.pages import network_script
from foregate.rules import diagnosis, network
from foregate.rules.network import Figures
from tests import services
from tests.browser.bank import Bank, Visitor, open_bank
from tests.browser.conftest import LOCALES
from tests.browser.looking import found_by_axe
from tests.browser.proxy import Link, open_link
from tests.browser.test_counter import Colleague
from tests.conftest import PATIENCE_SECONDS, SLOW_PAGES, PageAt

Come = Callable[..., Visitor]
OLD = "Mozilla/5.0 (Linux; Android 8.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/61.0.3163.98 Mobile Safari/537.36"
TEN_MINUTES = 600


@pytest.fixture(scope="module")
def bank(chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """One bank for both languages: nobody registers here. It asks for Chrome 80."""
    with open_bank(tmp_path_factory.mktemp("bank"), minimum_versions=("chrome=80",)) as bank:
        yield bank


@pytest.fixture(scope="module")
def link(chromium: object) -> Iterator[Link]:
    """The link between the browsers and the bank."""
    with open_link() as link:
        yield link


@pytest.fixture(params=sorted(LOCALES, reverse=True))
def language(request: pytest.FixtureRequest) -> str:
    """Chinese and English."""
    language: str = request.param
    return language


@pytest.fixture
def come(
    bank: Bank, link: Link, page_at: PageAt, language: str, shots: Path, request: pytest.FixtureRequest
) -> Iterator[Come]:
    """Let somebody come over the link, which is mended first."""
    if SLOW_PAGES:
        pytest.skip("the check would measure how slow the pages were made")
    story = request.node.name.partition("[")[0].removeprefix("test_")
    through = {"server": f"http://127.0.0.1:{link.port}", "bypass": "<-loopback>"}

    def visit(name: str = "", **options: Any) -> Visitor:
        page = page_at(360, LOCALES[language], **{"proxy": through} | options)
        return Visitor(bank, page, language, shots, f"network-{story}{name}-{language}")

    link.mend()
    yield visit
    link.mend()


def found(visitor: Visitor, verdict: str, **facts: object) -> str:
    """Wait until the check has ended: the sentence, its advice, and a code that says the same. Returns the code."""
    page = visitor.page
    expect(page.locator(f"#verdict [data-verdict={verdict}]")).to_be_visible()
    visitor.sees(f"network.verdict.{verdict}.title", **facts)
    code = page.locator("#code .digits").inner_text()
    read = diagnosis.read(code)
    assert read is not None
    assert verdict == read.verdict
    return read.code


def row(page: Page, name: str) -> str:
    return page.locator(f"[data-row={name}]").inner_text()


def forget_status(bank: Bank) -> None:
    """Let the next who asks look anew."""
    inner: Any = bank.house.app
    inner._app.state.status = Status(bank.house.world)


def test_all_is_well(come: Come, bank: Bank) -> None:
    """Every row is good, 70 KB are not spent, the code is the server's, and everybody can use the page."""
    visitor = come(bypass_csp=True)  # axe is a script of its own
    spent: list[int] = []
    visitor.page.on("requestfinished", lambda request: spent.append(sum(request.sizes()[k] for k in (
        "requestBodySize", "requestHeadersSize", "responseBodySize", "responseHeadersSize"
    )) if "/v1/" in request.url or "/status" in request.url else 0))  # fmt: skip
    with visitor.page.expect_response("**/v1/network/verdict") as judging:
        visitor.go("/network")
    code = found(visitor, "good")
    assert code == judging.value.json()["code"]
    told: Any = judging.value.request.post_data_json
    wanted = {"answered": 8, "lost": 0, "altered": 0, "refused": 0, "keeps": "all"}
    assert wanted == {name: told["figures"][name] for name in wanted}
    rows = [(each["name"], each["title"]) for each in judging.value.json()["rows"] if each["level"] in ("warn", "bad")]
    assert [] == rows
    visitor.page.wait_for_load_state("networkidle")
    assert 40_000 < sum(spent) < 70_000
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        visitor.page.emulate_media(color_scheme=scheme)
        assert [] == found_by_axe(visitor.page)
        visitor.shoot(scheme)
    for width, size in ((240, "100%"), (320, "200%")):
        visitor.page.set_viewport_size({"width": width, "height": 740})
        visitor.page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width


def test_offline(come: Come) -> None:
    """The page stays, says so at once, and checks again by itself when the network is back."""
    visitor = come()
    visitor.go("/network")
    found(visitor, "good")
    visitor.page.context.set_offline(True)
    visitor.press("network.again")
    found(visitor, "offline")
    visitor.shoot("offline")
    expect(visitor.page.locator("#report")).to_be_hidden()
    visitor.press("network.clear.do")
    visitor.sees("network.clear.offline")
    visitor.page.context.set_offline(False)
    found(visitor, "good")


def test_connected_and_out_of_reach(come: Come, link: Link) -> None:
    """Nothing gets through, and the browser believes that it is online."""
    visitor = come()
    visitor.go("/network")
    found(visitor, "good")
    link.dropped = frozenset(range(1, 100))
    visitor.press("network.again")
    found(visitor, "unreachable")
    visitor.shoot("unreachable")


def test_slow(come: Come, link: Link, language: str) -> None:
    """By the way there and back, or by how few bytes come: in Chinese the one, in English the other."""
    if language == "zh":
        link.probe_seconds = 1.05
    else:
        link.bytes_per_second = 4000
    visitor = come()
    visitor.go("/network")
    expect(visitor.page.locator("#verdict [data-verdict=slow]")).to_be_visible()
    visitor.shoot("slow")
    if language == "zh":
        assert "往返要 1.1 秒" in visitor.page.locator("#verdict").inner_text()
        assert visitor.t("network.level.bad") in row(visitor.page, "latency")
    else:
        assert visitor.t("network.level.bad") in row(visitor.page, "speed")
        assert visitor.t("network.level.good") in row(visitor.page, "latency")


def test_lossy(come: Come, link: Link, language: str) -> None:
    """Two of eight get no answer: never, or hung up on."""
    if language == "zh":
        link.hung = frozenset({3, 6})
    else:
        link.dropped = frozenset({3, 6})
    visitor = come()
    visitor.go("/network")
    found(visitor, "lossy", sent=8, lost=2)
    visitor.shoot("lossy")
    assert visitor.t("network.level.bad") in row(visitor.page, "loss")


def test_portal(come: Come, link: Link, language: str) -> None:
    """Somebody answers in our place, with a page or by leading elsewhere: no password is to be typed."""
    link.portal = "page" if language == "zh" else "redirect"
    visitor = come()
    visitor.go("/network")
    found(visitor, "portal")
    visitor.shoot("portal")
    assert visitor.t("network.advice.tamper") in row(visitor.page, "tamper")


def test_a_clock_ten_minutes_off(come: Come, bank: Bank, language: str) -> None:
    """Slow, because ours went on; or fast, because the phone's did. Codes work all the same, and that is said."""
    visitor = come()
    off = TEN_MINUTES + 20  # told in whole minutes, rounded down: a busy machine measures a little less
    if language == "zh":
        bank.let_pass(off)
    else:
        visitor.page.clock.set_fixed_time(datetime.fromtimestamp(time.time() + off, UTC))
    try:
        visitor.go("/network")
        found(visitor, "clock")
    finally:
        bank.clock.passed = 0
    visitor.shoot("clock")
    way = "behind" if language == "zh" else "ahead"
    assert visitor.t(f"network.value.clock-{way}-minutes", clock=10) in row(visitor.page, "clock")


def test_cookies_blocked(chromium: Browser, bank: Bank, link: Link, language: str, shots: Path, tmp_path: Path) -> None:
    """By the browser's own setting, of which it says nothing itself; told with script, and without."""
    (tmp_path / "Default").mkdir()
    preferences = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(preferences))
    context = chromium.browser_type.launch_persistent_context(
        str(tmp_path), executable_path=services.find_chromium(), args=list(services.CHROMIUM_ARGS),
        locale=LOCALES[language], viewport={"width": 360, "height": 740},
    )  # fmt: skip
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    visitor = Visitor(bank, context.new_page(), language, shots, f"network-cookies-{language}")
    visitor.go("/network")
    assert visitor.page.evaluate("navigator.cookieEnabled") is True
    found(visitor, "cookies")
    visitor.shoot("cookies")
    visitor.follow("network.ask-server")
    visitor.sees("network.verdict.cookies.title")
    visitor.sees("network.cookie-lost")
    context.close()


FILL = """async (bytes) => {
  const cache = await caches.open('foregate-test');
  for (let n = 0; n < 4; n++) await cache.put('/kept/' + n, new Response(new Uint8Array(bytes / 4)));
  await (await caches.open('somebody-elses')).put('/x', new Response('x'));
}"""
WAITS = """() => new Promise((done) => {
  const opening = indexedDB.open('foregate-later', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('appointments').put('Tuesday', 1);
  opening.onsuccess = () => { opening.result.close(); done(); };
})"""


def test_too_much_kept_and_cleared(come: Come) -> None:
    """Counted to the byte; one tap clears it, and asks first where an appointment waits to be sent."""
    visitor = come()
    visitor.go("/network")
    found(visitor, "good")
    visitor.page.evaluate(FILL, 1_000_000)
    visitor.press("network.again")
    found(visitor, "good")
    visitor.page.evaluate(FILL, 1_000_004)
    visitor.page.evaluate(WAITS)
    visitor.press("network.again")
    found(visitor, "cache")
    visitor.shoot("cache")
    visitor.press("network.clear.do")
    visitor.sees("network.clear.asks")
    visitor.shoot("asks")
    visitor.press("network.clear.keep")
    assert visitor.page.evaluate("caches.keys()") == ["foregate-test", "somebody-elses"]
    visitor.press("network.clear.do")
    visitor.press("network.clear.drop")
    visitor.page.wait_for_url("**/network?fresh=*")
    found(visitor, "good")
    assert visitor.page.evaluate("caches.keys()") == ["somebody-elses"]
    assert [] == visitor.page.evaluate("indexedDB.databases()")


@contextmanager
def exhausted(bank: Bank) -> Iterator[None]:
    """Let one transaction hold the database, as a stuck disk does: whoever needs it waits in vain."""
    done: list[asyncio.Event] = []

    async def hold() -> None:
        async with bank.house.store.database.transaction():
            done.append(asyncio.Event())
            await done[0].wait()

    assert bank.loop is not None
    holding = asyncio.run_coroutine_threadsafe(hold(), bank.loop)
    while not done:
        time.sleep(0.01)
    forget_status(bank)
    try:
        yield
    finally:
        bank.loop.call_soon_threadsafe(done[0].set)
        holding.result(10)
        forget_status(bank)


def test_the_bank_is_busy(come: Come, bank: Bank) -> None:
    """A real 503, whose page leads to the check; and the check says that it is us."""
    visitor = come()
    visitor.go("/")
    with exhausted(bank):
        visitor.fill("phone", "13800138000")
        visitor.press("step.phone.submit")
        visitor.is_told("busy")
        visitor.shoot("refused")
        visitor.follow("remedy.check-network")
        found(visitor, "busy")
        visitor.shoot("busy")
        assert visitor.t("network.value.service-down") in row(visitor.page, "sign-in")


def test_a_browser_too_old(come: Come) -> None:
    """It is told which it is, and what is needed."""
    visitor = come(user_agent=OLD)
    visitor.go("/network")
    found(visitor, "too-old")
    visitor.sees("network.client-least", client="chrome 61.0.3163.98", least="80")
    visitor.shoot("too-old")


@pytest.fixture
def unasked(bank: Bank) -> Iterator[None]:
    """The bank asks for no minimum meanwhile."""
    inner: Any = bank.house.app
    state = inner._app.state
    asked = state.settings
    state.settings = msgspec.structs.replace(asked, minimum_versions=())
    yield
    state.settings = asked


@pytest.mark.usefixtures("unasked")
@pytest.mark.parametrize("agent", [None, OLD], ids=["unknown", "old"])
def test_a_bank_without_minimums(come: Come, agent: str | None) -> None:
    """The script says in words that no version is too old here, whether it understood which it is or not."""
    visitor = come(**{"user_agent": agent} if agent else {})
    visitor.go("/network")
    found(visitor, "good")
    said = f"{visitor.t('network.level.good')} · {visitor.t('network.value.version-free')}"
    expect(visitor.page.locator("[data-row=version] span")).to_have_text(said)


def test_without_script(come: Come) -> None:
    """The server's part, from the footer of any page: two taps, cookies tried by the way."""
    visitor = come(java_script_enabled=False)
    visitor.go("/help/code")
    visitor.follow("page.network")
    visitor.sees("network.plain")
    visitor.shoot("plain")
    visitor.follow("network.ask-server")
    visitor.sees("network.verdict.good.title")
    visitor.sees("network.cookie-came")
    visitor.shoot("server")
    code = diagnosis.read(visitor.page.locator(".digits").inner_text())
    assert code is not None
    assert "good" == code.verdict


def test_sent_to_the_bank_after_a_yes_and_understood_at_the_counter(
    come: Come, bank: Bank, page_at: PageAt, language: str, shots: Path
) -> None:
    """Nothing is kept before; then it lies under the code that is read out, and the one box says what it means."""
    visitor = come()
    visitor.go("/network")
    code = found(visitor, "good")

    async def kept() -> int:
        async with bank.house.store.begin() as tx:
            return len(await tx.network_reports.of(code, bank.clock.now()))

    before = bank.run(kept())
    visitor.press("network.report.send")
    visitor.sees("network.report.sent")
    assert before + 1 == bank.run(kept())
    page = page_at(1366, LOCALES[language])
    teller = Colleague(bank, page, language, shots, f"network-counter-{language}")
    teller.sign_in_as("shenjing")
    teller.find(diagnosis.in_groups(code).lower())
    teller.sees("network.diagnosis.title", code=diagnosis.in_groups(code))
    teller.sees("network.verdict.good.title")
    teller.sees("network.bucket.latency-1")
    teller.sees("network.value.keeps-all")
    teller.shoot("diagnosis")
    teller.find(code[:-1] + ("2" if code[-1] != "2" else "3"))
    teller.sees("network.misheard.title")
    teller.shoot("misheard")


def test_script_and_server_decide_alike(page_at: PageAt, bank: Bank) -> None:
    """Over figures of all kinds, at and around every limit: the same verdict and the same code."""
    chance = random.Random(7)  # noqa: S311 -- no secret is drawn
    bounds = sorted({bound for field in diagnosis.FIELDS for bound in field.bounds})

    def some(least: int, most: int) -> int | None:
        near = [b + d for b in bounds for d in (-1, 0, 1) if least <= b + d <= most]
        return chance.choice([None, least, most, *near])

    asked = []
    for _ in range(600):
        drawn: dict[str, Any] = {
            name: chance.choice([None, True, False]) for name in ("is_online", "asks_minimum", "is_too_old")
        }
        drawn |= {
            name: chance.choice([None, 0, 0, 0, 1, 2, 4, 8]) for name in ("answered", "lost", "altered", "refused")
        }
        drawn |= {name: chance.choice([None, "ok", "slow", "down"]) for name in ("sign_in", "sms", "face", "core_bank")}
        drawn |= {"median_ms": some(0, 600_000), "bits_per_second": some(0, 10**11), "cache_bytes": some(0, 10**12)}
        drawn |= {"clock_ahead_ms": some(-(10**13), 10**13)}
        drawn |= {"keeps": chance.choice([None, "nothing", "cookies", "all"])}
        asked.append(Figures(**drawn))
    page = page_at(bypass_csp=True)
    page.goto(bank.url + "/outlets")  # the script only decides where there is no check
    page.add_script_tag(url=bank.url + network_script.measure("zh").path)
    said = page.evaluate(
        "(asked) => asked.map((f) => [foregateNetwork.verdict(f), foregateNetwork.code(f)])",
        [msgspec.to_builtins(figures) for figures in asked],
    )
    assert [[network.verdict_of(f).name, diagnosis.code_of(f)] for f in asked] == said
    assert len({verdict for verdict, _ in said}) >= 10
