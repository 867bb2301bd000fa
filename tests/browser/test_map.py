"""The map of outlets at 360 px, over a tile server on this machine: in both languages, with script and without."""

from __future__ import annotations

import re
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.bank import Bank, Visitor, open_bank
from tests.browser.conftest import Kind
from tests.browser.looking import found_by_axe
from tests.conftest import PageAt

Visit = Callable[..., Visitor]
NEAR = "/outlets/map?lat=30.25&lon=120.17"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tile(odd: bool) -> bytes:
    """A tile of one colour: a PNG of 256 by 256 with a palette of one."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 256, 256, 8, 3, 0, 0, 0))
    palette = chunk(b"PLTE", bytes((0xDD, 0xE8, 0xE0) if odd else (0xEE, 0xEE, 0xE6)))
    return (
        b"\x89PNG\r\n\x1a\n" + header + palette + chunk(b"IDAT", zlib.compress(bytes(257 * 256))) + chunk(b"IEND", b"")
    )


class Tiles(ThreadingHTTPServer):
    """A tile server: a chessboard, and what it was told by those who asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Tile)
        self.asked: list[tuple[str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/{{z}}/{{x}}/{{y}}.png"


class Tile(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Tiles)
        self.server.asked.append((self.path, self.headers.get("Referer")))
        _, _, x, y = self.path.removesuffix(".png").split("/")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(tile((int(x) + int(y)) % 2 == 1))

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@contextmanager
def serving() -> Iterator[Tiles]:
    server = Tiles()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


# Language, and whether scripts run. Each story is told to as many kinds of visitors as it differs for.
ZH, EN, PLAIN = ("zh", True), ("en", True), ("en", False)


def told_to(*kinds: Kind) -> pytest.MarkDecorator:
    ids = ["-".join((language, "script" if script else "plain")) for language, script in kinds]
    return pytest.mark.parametrize("kind", kinds, ids=ids, indirect=True, scope="module")


@pytest.fixture(scope="module")
def tiles() -> Iterator[Tiles]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def bank(chromium: object, tiles: Tiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """One bank for all: nobody signs in here."""
    folder = tmp_path_factory.mktemp("bank")
    with open_bank(folder, map_tiles_url=tiles.url, map_attribution="© 测试地图 & <b>friends</b>") as bank:
        yield bank


class Frame(NamedTuple):
    """Where something stands on the page."""

    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    def is_within(self, other: Frame) -> bool:
        return (
            other.left <= self.left
            and self.left + self.width <= other.left + other.width
            and other.top <= self.top
            and self.top + self.height <= other.top + other.height
        )


def frame(visitor: Visitor, selector: str) -> Frame:
    box = visitor.page.locator(selector).bounding_box()
    assert box
    return Frame(box["x"], box["y"], box["width"], box["height"])


def pins(visitor: Visitor) -> Locator:
    return visitor.page.locator("#map a.pin")


def listed(visitor: Visitor) -> list[str]:
    """Where the links of the list lead."""
    links: list[str] = visitor.page.locator("ol.outs a").evaluate_all("all => all.map(a => a.href)")
    return links


@told_to(ZH, EN, PLAIN)
def test_from_the_list_to_the_map_to_an_outlet(visit: Visit, kind: Kind, tiles: Tiles) -> None:
    """The pins are those of the list, around the visitor; one of them leads to its outlet. No script: the sketch."""
    visitor = visit()
    visitor.go("/outlets?lat=30.25&lon=120.17")
    visitor.follow("outlets.map.link")
    visitor.page.wait_for_url("**/outlets/map*")
    outlets = listed(visitor)
    if not kind[1]:
        visitor.sees("outlets.map.plain")
        expect(visitor.page.locator("svg.map")).to_be_visible()
        expect(visitor.page.locator("#drawing")).to_be_hidden()
        visitor.shoot("without-script")
        return
    expect(pins(visitor)).to_have_count(len(outlets))
    expect(visitor.page.locator("svg.map")).to_be_hidden()
    expect(visitor.page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    expect(visitor.page.get_by_text("© 测试地图 & <b>friends</b>")).to_be_visible()
    assert outlets == pins(visitor).evaluate_all("all => all.map(a => a.href)")
    assert {None} == {referrer for _, referrer in tiles.asked}  # where the visitor is stands in the address
    expect(visitor.page.locator("#map .here")).to_have_attribute("aria-label", visitor.t("outlets.you"))
    here, box = frame(visitor, "#map .here"), frame(visitor, "#map")
    assert abs(here.middle[0] - box.middle[0]) <= 4
    assert abs(here.middle[1] - box.middle[1]) <= 4
    visitor.shoot("map")
    with visitor.page.expect_navigation():
        pins(visitor).first.click()
    assert outlets[0] == visitor.page.url


@told_to(ZH)
def test_by_keyboard_alone(visit: Visit) -> None:
    """Tab goes from pin to pin as the list does, each comes into view, and Enter opens its outlet; buttons zoom."""
    visitor = visit()
    visitor.go(NEAR)
    closer = visitor.page.get_by_role("button", name=visitor.t("outlets.map.closer"))
    for _ in range(3):  # while a picture is on its way, another zoom puts an empty one in its place
        closer.press("Enter")
    expect(visitor.page.locator("img.leaflet-tile-loaded").first).to_be_visible()
    visitor.page.locator("#map").focus()
    for number in ("1", "2", "3"):
        visitor.page.keyboard.press("Tab")
        expect(visitor.page.locator("a.pin:focus")).to_have_text(number)
    pins(visitor).last.focus()
    expect(visitor.page.locator(".leaflet-map-pane")).not_to_have_class(re.compile("leaflet-zoom-anim"))
    assert frame(visitor, "a.pin:focus").is_within(frame(visitor, "#map"))
    visitor.shoot("focus")
    last = listed(visitor)[-1]
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    assert last == visitor.page.url


@told_to(ZH)
def test_one_outlet(visit: Visit) -> None:
    """From its page to a map with one pin, and back. The language changes, and the map stays."""
    visitor = visit()
    visitor.go("/outlets/D007")
    visitor.follow("outlets.map.link")
    expect(pins(visitor)).to_have_count(1)
    visitor.shoot("one")
    other = "en" if visitor.language == "zh" else "zh"
    visitor.page.locator(f".tongue a[href^='/language/{other}']").click()
    assert visitor.page.url == f"{visitor.bank.url}/outlets/map?outlet=D007"
    visitor.language = other
    visitor.follow("outlets.map.back")
    assert visitor.page.url == f"{visitor.bank.url}/outlets/D007"


@told_to(EN, PLAIN)
def test_a_phone_that_saves_data(visit: Visit, kind: Kind) -> None:
    """It loads nothing until somebody says so."""
    visitor = visit(extra_http_headers={"Save-Data": "on"})
    visitor.go(NEAR)
    visitor.sees("outlets.map.saving")
    expect(visitor.page.locator("svg.map")).to_be_visible()
    visitor.shoot("saving")
    visitor.follow("outlets.map.load")
    if kind[1]:
        expect(pins(visitor).first).to_be_visible()


@told_to(EN)
def test_pictures_that_do_not_arrive(visit: Visit) -> None:
    """The page says so; the pins stand where they stand."""
    visitor = visit()
    visitor.page.route("**/*.png", lambda route: route.fulfill(status=404))
    visitor.go(NEAR)
    visitor.sees("outlets.map.failed")
    expect(pins(visitor).first).to_be_visible()


def test_leaflet_is_held_to_one_constant(bank: Bank, page_at: PageAt) -> None:
    """Markup that anything on the page tries to write is refused by the browser."""
    page = page_at(360, "zh-CN")
    page.goto(bank.url + NEAR)
    expect(page.locator("#map a.pin").first).to_be_visible()
    write = "text => { try { document.createElement('p').innerHTML = text; return true } catch (e) { return false } }"
    assert [True, False, False] == [page.evaluate(write, text) for text in ("<svg/>", "<b>x</b>", "")]


@told_to(ZH, EN)
def test_everybody_can_use_it(visit: Visit, kind: Kind) -> None:
    """axe finds nothing, in light and dark; nothing scrolls sideways, however narrow and however large the letters."""
    for scheme in ("light", "dark") if kind == ZH else ("light",):
        visitor = visit(color_scheme=scheme, bypass_csp=True)
        visitor.go(NEAR)
        expect(pins(visitor).first).to_be_visible()
        assert [] == found_by_axe(visitor.page)
        visitor.shoot(scheme)
    for width, size in ((240, "100%"), (320, "200%"), (768, "200%")):
        visitor.page.set_viewport_size({"width": width, "height": 740})
        visitor.page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
