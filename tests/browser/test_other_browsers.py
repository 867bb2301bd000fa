"""Firefox and WebKit walk the sign-in as Chromium does: number, a wrong code, the right one, home.

Neither needs a driver that Debian does not have: Firefox speaks WebDriver BiDi itself, WebKit brings its own.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from foregate.doors.text import catalog
from tests import services
from tests.bank import CHEN, LI, WANG, Person
from tests.browser import npm
from tests.served import Served, served

SECONDS = 120
STOP_SECONDS = 20
BUTTON = "#main-form > button"
TONGUES = {"zh": "zh-CN", "en": "en-GB"}
# Each has a phone of their own: nobody is sent two codes in a minute.
ZHOU = replace(
    LI, core_ref="C004", name="周宁", card="6222020000000000059", phone="+8613500007777", bound="+8613500007777",
    user_name="zhouning", document_number="11010119900307221X",
)  # fmt: skip
PEOPLE = {("firefox", "zh"): LI, ("firefox", "en"): WANG, ("webkit", "zh"): CHEN, ("webkit", "en"): ZHOU}


class Walker(Protocol):
    """A browser that does as it is told, and says what it sees then."""

    def do(self, **order: str) -> dict[str, Any]:
        """`fill` a field with `value`, `press` a button, wait to `find` something."""


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One door for both, with TLS and HTTP/2 of its own: browsers differ there as well."""
    with served(tmp_path_factory.mktemp("door"), *PEOPLE.values(), host="127.0.0.1") as running:
        yield running


def walk(door: Served, walker: Walker, somebody: Person, language: str) -> None:
    """Sign in by phone and code; a wrong code is refused with a way on, in words and for a screen reader."""
    walker.do(fill="#f-phone", value=somebody.phone.removeprefix("+86"))
    asked = walker.do(press=BUTTON, find="#f-code")
    assert catalog.text(language, "step.phone_code.title") in asked["text"]
    right = door.gateway.code(somebody.phone)
    walker.do(fill="#f-code", value=f"{(int(right) + 1) % 10**6:06d}")
    refused = walker.do(press=BUTTON, find="#problem")
    assert catalog.text(language, "cause.code-wrong.title") in refused["text"]
    assert refused["title"].startswith(catalog.text(language, "page.error-prefix"))
    assert catalog.text(language, "remedy.ask-new-code") in refused["text"]
    assert "problem" == refused["focus"]  # the script runs: what went wrong is read out first
    walker.do(fill="#f-code", value=right)
    home = walker.do(press=BUTTON, find="form[action='/sign-out']")
    assert ("/home", []) == (home["path"], home["problems"])
    assert catalog.text(language, "home.basic") in home["text"]


# ---------------------------------------------------------------- Firefox


class Firefox:
    """Firefox, spoken to through `other/firefox.mjs`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, order: dict[str, Any]) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def do(self, **order: str) -> dict[str, Any]:
        """Send an order; read what is seen then."""
        self.tell(order)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "Firefox ended"
        seen: dict[str, Any] = json.loads(line)
        return seen

    def end(self) -> None:
        """Close Firefox, and see it gone.

        Node lives as long as somebody may still write to it: to wait for it with its input open is to wait for each
        other. Interrupted, it kills Firefox and ends at once.
        """
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            ending = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGINT)
            raise
        assert 0 == ending


@contextmanager
def firefox(origin: str, language: str) -> Iterator[Firefox]:
    """Run Firefox. Raises Missing."""
    program = services.find_program(["firefox-esr", "firefox"], "Firefox")
    folder = npm.installed()
    words: services.Command = [npm.node(), npm.FOLDER / "firefox.mjs"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        running = Firefox(process)
        running.tell({"program": str(program), "origin": origin, "language": language})
        try:
            yield running
        finally:
            running.end()


@pytest.mark.parametrize("language", TONGUES)
def test_firefox(door: Served, language: str) -> None:
    """Gecko, with script, in both languages."""
    try:
        with firefox(door.origin, TONGUES[language]) as walker:
            walk(door, walker, PEOPLE["firefox", language], language)
    except services.Missing as missing:
        pytest.skip(str(missing))


# ---------------------------------------------------------------- WebKit


class WebKit:
    """WebKitGTK's small browser, spoken to by WebDriver."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def do(self, **order: str) -> dict[str, Any]:
        """Do it; say what is seen then."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.support.ui import WebDriverWait

        driver, by = self._driver, By.CSS_SELECTOR
        if "fill" in order:
            field = WebDriverWait(driver, SECONDS).until(lambda _: driver.find_element(by, order["fill"]))
            field.clear()
            field.send_keys(order["value"])
        if "press" in order:
            driver.find_element(by, order["press"]).click()
        if "find" in order:
            WebDriverWait(driver, SECONDS).until(lambda _: driver.find_elements(by, order["find"]))
        looked = "return {path: location.pathname, title: document.title, text: document.body.innerText,"
        seen: dict[str, Any] = driver.execute_script(looked + " focus: document.activeElement.id, problems: []}")
        return seen


@contextmanager
def display(folder: Path) -> Iterator[str]:
    """Run a screen that nobody looks at; yield its name. Raises Missing."""
    program = services.find_program(["Xvfb"], "Xvfb")
    words: services.Command = [program, "-displayfd", "1", "-screen", "0", "800x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder) as process:
        assert process.stdout is not None
        try:
            yield f":{process.stdout.readline().strip()}"
        finally:
            process.terminate()


@contextmanager
def webkit(origin: str, language: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebKit]:
    """Run WebKit on a screen of its own. Raises Missing."""
    program = services.find_program(["WebKitWebDriver"], "WebKitWebDriver")
    from selenium.webdriver import WebKitGTK
    from selenium.webdriver.webkitgtk.options import Options
    from selenium.webdriver.webkitgtk.service import Service

    with display(folder) as screen:
        environ = {"DISPLAY": screen, "WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        options = Options()
        options.set_capability("acceptInsecureCerts", True)  # a certificate of these tests
        driver = WebKitGTK(options=options, service=Service(str(program)))
        try:
            driver.get(origin + f"/language/{language}?back=/")
            yield WebKit(driver)
        finally:
            driver.quit()


# Selenium's own, about itself.
@pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning")
@pytest.mark.parametrize("language", TONGUES)
def test_webkit(door: Served, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine of Safari and of every browser on an iPhone, with script, in both languages."""
    try:
        with webkit(door.origin, language, tmp_path, monkeypatch) as walker:
            walk(door, walker, PEOPLE["webkit", language], language)
    except services.Missing as missing:
        pytest.skip(str(missing))
