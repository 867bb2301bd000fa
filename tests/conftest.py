"""Fixtures that more than one kind of test uses. Servers start when the first test asks for them."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pytest
import structlog
import structlog.testing
from playwright.sync_api import Browser, Page, expect, sync_playwright
from valkey import Valkey
from xdist.scheduler import LoadScopeScheduling

from foregate.store import migrate
from tests import again, ready, services

# Hundreds of processes are started: without what was compiled before, each would compile every module anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What the server says is read by the tests that are about it, through structlog's `capture_logs`.
structlog.configure(processors=[structlog.testing.LogCapture()], cache_logger_on_first_use=False)

# The same examples every time, and no deadline: a busy machine is not a finding.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.load_profile("steady")

# What a page has to show is waited for this long, and no longer than it takes: a busy machine is not a finding.
PATIENCE_SECONDS = 30
SLOW_PAGES = bool(os.environ.get("FOREGATE_SLOW_PAGES"))
expect.set_options(timeout=PATIENCE_SECONDS * 1000)

# A test is marked by what it uses, so that `-m "not browser"` needs no discipline.
MARK_OF_FIXTURE = {"postgres_server": "postgres", "valkey_server": "valkey", "chromium": "browser"}
BROWSER = Path(__file__).with_name("browser")
# Begun first in the browser, so that none of them is left to one process at the end.
LONG = frozenset({"test_bad_link", "test_every_look", "test_face", "test_walks", "test_wire_cuts"})
KIND_OF_VISITOR = re.compile(r"(?<=\[)(zh|en)-(script|plain)\b")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests, and put those of `tests/browser` last. Raises UsageError for a browser test elsewhere.

    Playwright's synchronous interface keeps an event loop running in this thread
    from its start to its end, and no asynchronous test could run meanwhile.
    """
    for item in items:
        for fixture, mark in MARK_OF_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
        if item.get_closest_marker("browser") and not _is_in_browser(item):
            raise pytest.UsageError(f"{item.nodeid} opens a browser, so it belongs into tests/browser")
    items.sort(key=lambda item: (_is_in_browser(item), item.path.stem not in LONG))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Keep the names of what failed in this run, and in no other, for `tests/again.py`."""
    failed = [report.nodeid for what in ("failed", "error") for report in terminalreporter.stats.get(what, [])]
    if (cache := getattr(config, "cache", None)) is not None:  # pytest may be told to keep none
        cache.set(again.JUST_FAILED, sorted(set(failed)))


def _is_in_browser(item: pytest.Item) -> bool:
    return BROWSER in item.path.parents


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Deals out whole files to the processes: what a file builds once is built once.

    In the browser each kind of visitor has a bank of its own, so there a file and a kind are dealt out. Marks of
    xdist's `loadgroup` would say the same, but its 3.8 does not see them with pytest 9.2: it deals out test by test.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, rest = nodeid.partition("::")
        kind = KIND_OF_VISITOR.search(rest)
        return f"{file} {kind[0]}" if kind else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Share the tests out among processes, in their order: browser tests stay last."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run tests marked `anyio` on asyncio alone: uvicorn runs nothing else."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[services.PostgresServer]:
    try:
        with services.postgres(services.in_memory()) as server:
            yield server
    except services.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def postgres_dsn(postgres_server: services.PostgresServer) -> Iterator[str]:
    """Yield the DSN of a fresh, empty database; it is dropped afterwards."""
    name = postgres_server.create_database()
    yield postgres_server.dsn(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: services.PostgresServer) -> Iterator[str]:
    """Yield the name of a migrated database, to be copied."""
    name = postgres_server.create_database()
    migrate.upgrade(postgres_server.dsn(name))
    yield name
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def migrated_sqlite() -> Path:
    """Return a migrated database file, to be copied."""
    return ready.sqlite_file()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    try:
        with services.valkey() as url:
            yield url
    except services.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def valkey_url(valkey_server: str) -> str:
    """Return the URL of an empty Valkey."""
    with Valkey.from_url(valkey_server) as client:
        client.flushall()
    return valkey_server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    try:
        program = services.find_shell()
    except services.Missing as missing:
        pytest.skip(str(missing))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(services.CHROMIUM_ARGS))
        yield browser
        browser.close()


def slow_down(page: Page) -> None:
    """Let each page come late and by and by: whoever looks before it is whole sees what it lacks."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 150, "downloadThroughput": 20_000, "uploadThroughput": -1},
    )


class PageAt(Protocol):
    """Open a page as one visitor would: every call is a new visitor, with no cookies."""

    def __call__(self, width: int = 360, locale: str = "zh-CN", **options: object) -> Page: ...


@pytest.fixture
def page_at(chromium: Browser) -> Iterator[PageAt]:
    """Yield a factory of pages; further options go to Playwright's `new_context`."""
    contexts = []

    def open_page(width: int = 360, locale: str = "zh-CN", **options: object) -> Page:
        arguments: dict[str, object] = {"viewport": {"width": width, "height": 740}, "timezone_id": "Asia/Shanghai"}
        context = chromium.new_context(locale=locale, **{**arguments, **options})  # type: ignore[arg-type]  # Playwright checks them
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        if SLOW_PAGES:
            slow_down(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
