"""A demo bank to walk through: the real house on a thread of its own, with a clock that tests may turn."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import uvicorn
from playwright.sync_api import Download, Page, expect
from playwright.sync_api import Error as PlaywrightError

from foregate.bootstrap import Foregate, build
from foregate.demo import pages as demo_pages
from foregate.demo.people import Person
from foregate.demo.settle import settle
from foregate.doors.text import catalog
from foregate.gateways.sms.simulated import Received, SimulatedPhones
from foregate.rules import limits
from foregate.settings import Settings
from foregate.store.keyring import write_keys
from tests import ready, services

T = TypeVar("T")
ARRIVES_SECONDS = 30  # a busy machine is not a finding


class TurnableClock:
    """The machine's clock, and as many seconds as a test has let pass."""

    def __init__(self) -> None:
        self.passed = 0

    def now(self) -> int:
        return int(time.time()) + self.passed


class Bank:
    """The running bank, as a test sees it from outside."""

    def __init__(self, url: str, house: Foregate, phones: SimulatedPhones, clock: TurnableClock) -> None:
        self.url, self.house, self.phones, self.clock = url, house, phones, clock
        self.loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the bank's own loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(ARRIVES_SECONDS)

    def messages(self, phone: str) -> list[Received]:
        """What lies on this phone, the newest first."""
        return self.run(self.phones.messages(phone))

    def let_pass(self, seconds: int) -> None:
        """Let time pass for the bank; the phone knows nothing of it."""
        self.clock.passed += seconds


class Between(Protocol):
    """What stands between the browsers and the bank: they know its `port`, and it is told where the bank is."""

    port: int
    bank_port: int


def settings_for(url: str, folder: Path, **more: Any) -> Settings:
    return Settings(
        origin=url,
        database=f"sqlite:///{folder / 'bank.db'}",
        keys_file=os.fspath(folder / "keys.toml"),
        bank_name="Foregate 示范银行",
        hotline="95000",
        text_us_number="1069095000",
        is_demo=True,
        **{"face_models": "no-models"} | more,
    )


@cache
def settled() -> Path:
    """Return a folder with a demo bank in which everybody is settled, and its keys: settling two years takes longer
    than most stories, so it is done once in a run, and copied."""
    folder = ready.folder() / "settled"
    folder.mkdir()
    settings, clock = settings_for("http://localhost", folder), TurnableClock()
    write_keys(folder / "keys.toml")
    ready.make(settings.database)

    async def settle_all() -> None:
        house = await build(settings, clock=clock, gateway=SimulatedPhones(clock))
        await settle(house)
        await house.close()

    with ThreadPoolExecutor(1) as thread:  # this thread may have a loop already, playwright's
        thread.submit(lambda: asyncio.run(settle_all())).result()
    return folder


@contextmanager
def open_bank(folder: Path, *, host: str = "127.0.0.1", between: Between | None = None, **more: Any) -> Iterator[Bank]:
    """Open the demo bank on a free port, behind what stands `between`; everybody of the demo is settled.

    `more` is set too.
    """
    port = services.free_port()
    if between is not None:
        between.bank_port = port
    settings = settings_for(f"http://{host}:{between.port if between else port}", folder, **more)
    for name in ("bank.db", "keys.toml"):
        shutil.copy(settled() / name, folder / name)
    clock = TurnableClock()
    phones = SimulatedPhones(clock)
    is_built = threading.Event()
    opened: list[Bank] = []
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        house = await build(
            settings, clock=clock, gateway=phones, routes=tuple(demo_pages.routes()), state={"phones": phones}
        )
        await settle(house)  # finds everybody there
        bank = Bank(settings.origin, house, phones, clock)
        bank.loop = asyncio.get_running_loop()
        config = uvicorn.Config(
            house.app, host="127.0.0.1", port=port, log_level="warning", access_log=False,
            timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        )  # fmt: skip
        opened.append(bank)
        servers.append(uvicorn.Server(config))
        is_built.set()
        await servers[0].serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert is_built.wait(60), "the bank did not open"
    while not servers[0].started and thread.is_alive():
        time.sleep(0.02)
    try:
        yield opened[0]
    finally:
        servers[0].should_exit = True
        thread.join(20)


class Visitor:
    """Somebody at the door, with a browser and perhaps a phone. Says everything in the language of the page."""

    def __init__(self, bank: Bank, page: Page, language: str, shots: Path, name: str) -> None:
        self.bank, self.page, self.language = bank, page, language
        self._shots, self._name, self._count = shots, name, 0

    def t(self, key: str, **facts: object) -> str:
        """What `key` says in this visitor's language."""
        return catalog.text(self.language, key, **facts)

    def go(self, path: str) -> None:
        self.page.goto(self.bank.url + path)

    def fill(self, field: str, value: str) -> None:
        self.page.locator(f"#f-{field}").fill(value)

    def press(self, key: str) -> None:
        """Press the button that says `key`, and let the page that comes be whole before anybody looks at it."""
        self.page.get_by_role("button", name=self.t(key), exact=True).first.click()
        self.page.wait_for_load_state()

    def follow(self, key: str) -> None:
        """Follow the link that says `key`, and let the page that comes be whole before anybody looks at it."""
        self.page.get_by_role("link", name=self.t(key)).first.click()
        self.page.wait_for_load_state()

    def sees(self, key: str, **facts: object) -> None:
        """Wait until the page says `key`."""
        expect(self.page.get_by_text(self.t(key, **facts)).first).to_be_visible()

    def is_told(self, cause: str) -> None:
        """The page says why not: in its title, in the summary, and with a way on."""
        self.sees(f"cause.{cause}.title")
        expect(self.page.locator("#problem")).to_be_visible()
        assert self.page.title().startswith(self.t("page.error-prefix"))

    def shoot(self, what: str) -> None:
        """Take a picture of the whole page."""
        self._count += 1
        path = self._shots / f"{self._name}-{self._count:02d}-{what}.png"
        try:
            self.page.screenshot(path=path, full_page=True, animations="disabled")
        except PlaywrightError:  # on a busy machine the browser has none ready now and then; it has the second time
            self.page.screenshot(path=path, full_page=True, animations="disabled")

    def keep(self, download: Download) -> Path:
        """Keep a file that was downloaded, beside the pictures."""
        path = self._shots / f"{self._name}-{download.suggested_filename}"
        download.save_as(path)
        return path

    # ------------------------------------------------------------ what people do

    def code(self, phone: str, after: int = 0) -> str:
        """The code that arrives on `phone` as a message after the first `after`."""
        until = time.monotonic() + ARRIVES_SECONDS
        while time.monotonic() < until:
            codes = [message.code for message in self.bank.messages(phone) if message.code]
            if len(codes) > after and codes[0]:
                return codes[0]
            time.sleep(0.05)
        raise AssertionError(f"no code arrived on {phone}")

    def hears(self, phone: str, after: int) -> None:
        """Wait until a message arrives on `phone`, of which there were `after` before: they are sent by and by."""
        until = time.monotonic() + ARRIVES_SECONDS
        while len(self.bank.messages(phone)) <= after:
            assert time.monotonic() < until, f"nothing arrived on {phone}"
            time.sleep(0.05)

    def codes(self, phone: str) -> int:
        """How many codes lie on `phone`."""
        return len([message for message in self.bank.messages(phone) if message.code])

    def prove_phone(self, phone: str, before: int) -> None:
        """Type the code that was just sent."""
        self.sees("step.phone_code.title")
        self.fill("code", self.code(phone, before))
        self.press("step.phone_code.submit")

    def give(self, step: str, field: str, value: str) -> None:
        """Answer a step of one field."""
        self.sees(f"step.{step}.title")
        self.fill(field, value)
        self.press(f"step.{step}.submit")

    def sign_in_basic(self, person: Person) -> None:
        """By number and code, from the sign-in page."""
        assert person.login is not None
        before = self.codes(person.login.phone)
        self.go("/")
        self.fill("phone", person.login.phone.removeprefix("+86"))
        self.press("step.phone.submit")
        self.prove_phone(person.login.phone, before)

    def sign_in(self, person: Person, way: str = "phone") -> None:
        """In full: by number, card or user name, then code and password."""
        assert person.login is not None
        before = self.codes(person.login.phone)
        self.go(f"/sign-in?way={way}")
        values = {"phone": person.login.phone, "card": person.cards[0].number, "user_name": person.login.user_name}
        self.fill({"card": "card_number"}.get(way, way), values[way])
        self.press(f"step.{way}.submit")
        self.prove_phone(person.login.phone, before)
        self.give("password", "password", person.login.password)
        self.sees("home.full")
