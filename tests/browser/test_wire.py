"""What crosses the wire: TLS as a bank has it, and every budget, measured on the socket of the real front door."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import brotli
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from foregate.doors.pages import assets
from foregate.doors.text import catalog
from foregate.rules import limits
from foregate.rules.journeys import JOURNEYS
from foregate.rules.words import Who
from tests import certificates, services
from tests.bank import LI, WANG, Person
from tests.browser.conftest import LOCALES
from tests.budgets import breaches
from tests.certificates import HOST
from tests.served import Counted, Served, anybody, served

ENTRIES = [f"/{name}" for name, row in JOURNEYS.items() if row.is_public and Who.SESSION not in row.who]
# Every page that anybody gets without having said anything, and some that were looked for.
PUBLIC = [
    "/", "/cannot-get-in", "/help/outlet", "/help/code", "/help/update", "/signed-out", "/outlets", "/home",
    "/outlets?q=%E8%B7%AF", "/outlets?near=31.23,121.47", "/nothing-here", *ENTRIES,
]  # fmt: skip


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real front door, with TLS of its own and a meter before it."""
    with served(tmp_path_factory.mktemp("door"), LI, WANG, is_metered=True) as running:
        yield running


@dataclass(frozen=True)
class Got:
    """An answer, as a program that knows no page gets it."""

    status: int
    headers: dict[str, str]
    body: bytes


def get(door: Served, path: str, accepted: str = "br", language: str = "zh") -> Got:
    """Ask for something, over HTTP/1.1."""
    line = http.client.HTTPSConnection(door.address, door.port, timeout=30, context=anybody())
    try:
        host = urlsplit(door.origin).netloc
        line.request("GET", path, headers={"Host": host, "Accept-Encoding": accepted, "Accept-Language": language})
        answer = line.getresponse()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        line.close()


# ---------------------------------------------------------------- TLS


def only(version: ssl.TLSVersion, ciphers: str | None = None) -> ssl.SSLContext:
    """A client that speaks one version alone."""
    context = anybody()
    context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    return context


def test_the_newest_version_is_spoken_and_the_last_one_still(door: Served) -> None:
    """1.3 with everybody who knows it; 1.2 with forward secrecy for old phones; HTTP/2 or 1.1 by agreement."""
    both = anybody()
    both.set_alpn_protocols(["h2", "http/1.1"])
    with door.handshake(both) as line:
        assert ("TLSv1.3", "h2") == (line.version(), line.selected_alpn_protocol())
    with door.handshake(only(ssl.TLSVersion.TLSv1_2)) as line:
        name, version, _ = line.cipher() or ("", "", 0)
        assert ("TLSv1.2", True) == (version, name.startswith("ECDHE-"))
    with door.handshake() as line:
        assert line.selected_alpn_protocol() is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA"),
    ],
    ids=["1.1", "no forward secrecy", "CBC"],
)
def test_what_is_unsafe_is_not_spoken(door: Served, version: ssl.TLSVersion, ciphers: str) -> None:
    """Old versions, and ciphers that a recording can be opened with later."""
    with pytest.raises(ssl.SSLError):
        door.handshake(only(version, ciphers)).close()


def test_who_comes_again_resumes(door: Served) -> None:
    """A ticket spares the certificate: one round trip, and 1,500 bytes less."""
    context = only(ssl.TLSVersion.TLSv1_3)
    with door.handshake(context) as line:
        line.sendall(f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(door.origin).netloc}\r\n\r\n".encode())
        assert line.recv(4096).startswith(b"HTTP/1.1 200")
        session = line.session
    with socket.create_connection((door.address, door.port)) as plain:
        again = context.wrap_socket(plain, server_hostname=HOST, session=session)
        assert again.session_reused
        again.close()


def serial_of(door: Served) -> bytes:
    with door.handshake() as line:
        return line.getpeercert(binary_form=True) or b""


def test_a_renewed_certificate_is_taken_up_without_a_restart(door: Served) -> None:
    """On SIGHUP; a wrong one is told of and left, and nobody who is connected notices."""
    old = serial_of(door)
    with door.handshake() as kept:
        certificates.make(door.folder, "other.test")
        door.process.send_signal(signal.SIGHUP)
        _until(lambda: door.events("certificate not renewed"))
        assert "not for login.bank.test" in str(door.events("certificate not renewed")[0]["why"])
        assert old == serial_of(door)
        door.pair = certificates.make(door.folder, HOST)
        door.process.send_signal(signal.SIGHUP)
        _until(lambda: door.events("certificate renewed"))
        assert old != serial_of(door)
        kept.sendall(f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(door.origin).netloc}\r\n\r\n".encode())
        assert kept.recv(4096).startswith(b"HTTP/1.1 200")


def _until(is_there: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not is_there():
        assert time.monotonic() < until, "it was not logged"
        time.sleep(0.05)


def test_it_does_not_start_with_a_certificate_that_nobody_takes(door: Served, tmp_path: Path) -> None:
    """The command says which file, what is wrong with it and what to do, and exits with 2."""
    pair = certificates.make(tmp_path, HOST, begins_days=-90, ends_days=-1)
    pair.key.chmod(0o644)
    own = {name: value for name, value in os.environ.items() if not name.startswith("FOREGATE_")}
    secret, keys = door.folder / "sms.secret", door.folder / "keys.toml"
    settings = {
        "ORIGIN": door.origin, "DATABASE": f"sqlite:///{tmp_path / 'bank.db'}", "KEYS_FILE": keys, "BANK_NAME": "Bank",
        "HOTLINE": "95000", "TEXT_US_NUMBER": "1069", "SMS_GATEWAY": "https://sms.internal/send",
        "SMS_SECRET_FILE": secret, "INBOUND_SECRET_FILE": secret, "TLS_CERTIFICATE": pair.certificate,
        "TLS_KEY": pair.key,
    }  # fmt: skip
    environ = own | {f"FOREGATE_{name}": str(value) for name, value in settings.items()}
    words = [sys.executable, "-m", "foregate.doors.cli", "serve"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert 2 == done.returncode
    assert "expired at" in done.stderr
    assert f"chmod 600 {pair.key}" in done.stderr


# ---------------------------------------------------------------- sizes


def test_a_budget_holds_at_n_and_breaks_at_one_more() -> None:
    """What the tests of this file stand on."""
    assert {} == breaches({"page": limits.PAGE_BYTES}, limits.PAGE_BYTES)
    assert {"page": limits.PAGE_BYTES + 1} == breaches({"page": limits.PAGE_BYTES + 1}, limits.PAGE_BYTES)


@pytest.mark.parametrize("language", catalog.languages())
def test_pages_are_within_their_budgets(door: Served, language: str) -> None:
    """As they are sent: the first page by brotli and by gzip, every other public one by brotli."""
    first, zipped = get(door, "/", "br", language), get(door, "/", "gzip", language)
    assert {} == breaches({"/": len(first.body)}, limits.FIRST_PAGE_BYTES)
    assert {} == breaches({"/": len(zipped.body)}, limits.FIRST_PAGE_GZIP_BYTES)
    pages = {path: get(door, path, "br", language) for path in PUBLIC}
    outlet = re.findall(r'href="(/outlets/[^"?/]+)"', brotli.decompress(pages["/outlets?q=%E8%B7%AF"].body).decode())
    assert outlet, "no outlet was found"
    pages[outlet[0]] = get(door, outlet[0], "br", language)
    assert {"br"} == {page.headers.get("content-encoding") for page in pages.values()}
    assert {} == breaches({path: len(page.body) for path, page in pages.items()}, limits.PAGE_BYTES)


def test_scripts_are_within_their_budget() -> None:
    """Each by itself; the map's library is loaded by a tap alone, and stands apart."""
    scripts = (assets.script(), assets.passkeys(), assets.finder(), assets.capture())
    assert {} == breaches({file.path: len(file.small) for file in scripts}, limits.SCRIPT_BYTES)


TEXTS = ["/v1/journeys", "/v1/outlets?q=%E8%B7%AF", "/v1/openapi.json", "/nothing", "/v1/nothing"]


@pytest.mark.parametrize("path", [*TEXTS, assets.script().path, assets.icon().path])
def test_every_text_is_compressed(door: Served, path: str) -> None:
    """API, problems, scripts and drawings, by either coding, and said to vary by it."""
    plain = get(door, path, "identity")
    assert "content-encoding" not in plain.headers
    if len(plain.body) < limits.COMPRESSED_BYTES_MIN and "/s/" not in path:
        pytest.fail(f"{path} is too short to say anything here")
    for coding in ("br", "gzip"):
        got = get(door, path, coding)
        assert (coding, True) == (got.headers.get("content-encoding"), len(got.body) < len(plain.body))
        assert "Accept-Encoding" in got.headers["vary"]
        assert str(len(got.body)) == got.headers["content-length"]


# ---------------------------------------------------------------- visits, on the socket


@pytest.fixture(scope="module")
def browser(door: Served, chromium: Browser) -> Iterator[Browser]:
    """A browser that finds this door."""
    # The door has had more than one certificate when the tests above have run.
    args = [*door.browser_args(), "--ignore-certificate-errors"]
    launched = chromium.browser_type.launch(executable_path=services.find_chromium(), args=args)
    yield launched
    launched.close()


def come(browser: Browser, language: str = "zh") -> BrowserContext:
    """Somebody new. What a service worker fetches for later visits is no part of this one."""
    context = browser.new_context(
        locale=LOCALES[language], viewport={"width": 360, "height": 740}, service_workers="block"
    )
    context.set_default_timeout(30_000)
    return context


def metered(door: Served) -> Counted:
    """What has passed since the last look, once nothing passes any more."""
    assert door.meter is not None
    door.meter.wait_for_quiet()
    return door.meter.take()


@pytest.mark.parametrize("language", catalog.languages())
def test_a_whole_first_visit(door: Served, browser: Browser, language: str) -> None:
    """Page, scripts and icon, headers and TLS, on one connection; no redirect, and usable after one request."""
    context = come(browser, language)
    metered(door)
    page = context.new_page()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(door.origin + "/")
    counted = metered(door)
    assert {} == breaches({"down": counted.down}, limits.FIRST_VISIT_BYTES)
    assert limits.SIGN_IN_CONNECTIONS == counted.connections
    assert [None] * len(asked) == [request.redirected_from for request in asked]
    context.close()


def test_the_first_page_needs_one_request(door: Served, browser: Browser) -> None:
    """With everything else cut off, the field is there, and a number can be typed and sent."""
    context = come(browser)
    context.route(lambda address: urlsplit(address).path != "/", lambda route: route.abort())
    page = context.new_page()
    page.goto(door.origin + "/")
    assert page.locator("#f-phone").is_visible()
    assert page.locator("#main-form button").first.is_enabled()
    assert page.evaluate("() => getComputedStyle(document.querySelector('#main-form')).borderRadius") != "0px"
    context.close()


@pytest.mark.parametrize(("language", "person"), [("zh", LI), ("en", WANG)], ids=["zh", "en"])
def test_a_whole_sign_in(door: Served, browser: Browser, language: str, person: Person) -> None:
    """Number, code, home: bytes down and up, cookies and headers and TLS included, and one connection."""
    phone, context = person.phone, come(browser, language)
    before = door.gateway.count(phone)
    metered(door)
    page = context.new_page()
    page.goto(door.origin + "/")
    page.locator("#f-phone").fill(phone.removeprefix("+86"))
    page.locator("#main-form button").first.click()
    page.wait_for_selector("#f-code")
    page.locator("#f-code").fill(door.gateway.code(phone, before))
    page.locator("#main-form button").first.click()
    page.wait_for_url("**/home")
    counted = metered(door)
    context.close()
    assert {} == breaches({"up": counted.up}, limits.SIGN_IN_UP_BYTES)
    assert limits.SIGN_IN_CONNECTIONS == counted.connections
    assert {} == breaches({"down": counted.down}, limits.SIGN_IN_DOWN_BYTES)


def test_nothing_comes_from_elsewhere(door: Served, browser: Browser) -> None:
    """Over all public pages: no other host, no font, no picture but drawings; the policy would allow none."""
    context = come(browser)
    asked: list[tuple[str, str]] = []
    context.on("request", lambda request: asked.append((request.resource_type, request.url)))
    page: Page = context.new_page()
    for path in PUBLIC:
        page.goto(door.origin + path)
    assert len(asked) > len(PUBLIC)
    assert [] == [url for _, url in asked if not url.startswith(door.origin + "/")]
    kinds = {"document", "script", "fetch", "xhr", "manifest", "other", "image"}
    assert set() == {kind for kind, _ in asked} - kinds
    assert [] == [url for kind, url in asked if kind == "image" and not url.endswith(".svg")]
    policy = get(door, "/").headers["content-security-policy"]
    said = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert "'none'" == said["default-src"]
    assert set() == {"font-src", "media-src", "frame-src", "style-src-elem", "script-src-elem"} & set(said)
    assert [] == re.findall(r"https?:|\*|data:|blob:", policy)
    context.close()


def test_the_log_names_the_certificate(door: Served) -> None:
    """When it ends, so that a monitor can tell somebody in time."""
    (said,) = door.events("certificate")
    assert (True, 89) == (bool(re.fullmatch(r"\d{4}-\d\d-\d\d", said["ends"])), said["days_left"])
    assert json.dumps(said)
