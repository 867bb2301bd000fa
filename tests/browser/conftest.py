"""One demo bank for each kind of visitor: Chinese and English, with script and without.

The main stories are told in both languages, and without script in one; all others once with script and once without,
each in a language of its own. FOREGATE_EVERY_KIND tells every story to all four.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage

from tests.browser.bank import Bank, Between, Visitor, open_bank
from tests.browser.crowd import Crowd, open_town
from tests.conftest import PageAt

Kind = tuple[str, bool]
KINDS = [pytest.param((language, script), id=f"{language}-{'script' if script else 'plain'}")
         for language in ("zh", "en") for script in (True, False)]  # fmt: skip
EVERY = bool(os.environ.get("FOREGATE_EVERY_KIND"))
MAIN = frozenset({"test_pages", "test_appointments", "test_outlets"})
MAIN_KINDS: frozenset[Kind] = frozenset({("zh", True), ("en", True), ("zh", False)})
OTHER_KINDS: frozenset[Kind] = frozenset({("zh", True), ("en", False)})
LOCALES = {"zh": "zh-CN", "en": "en-GB"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the kinds of visitor that a story is not told to."""
    left_out = [item for item in items if not _is_told(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _is_told(item)]


def _is_told(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    kind = call.params.get("kind") if call and item.path.parent == Path(__file__).parent else None
    return EVERY or kind is None or kind in (MAIN_KINDS if item.path.stem in MAIN else OTHER_KINDS)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Language, and whether scripts run."""
    kind: Kind = request.param
    return kind


@pytest.fixture(scope="module")
def bank(kind: Kind, chromium: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """A bank of its own for each kind, so that everybody registers once in each. No browser, no bank."""
    with open_bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture(scope="module")
def between() -> Between | None:
    """What stands between the browsers and the town: nothing, unless a module says otherwise."""
    return None


@pytest.fixture(scope="module")
def town(chromium: object, between: Between | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """A bank with everything that a walk may ask for, one for a whole module. No browser, no bank."""
    with open_town(tmp_path_factory.mktemp("town"), between=between) as bank:
        yield bank


@pytest.fixture(scope="module")
def crowd(town: Bank) -> Crowd:
    """People without end."""
    return Crowd(town)


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: the folder named by FOREGATE_SCREENSHOTS, or one that is thrown away."""
    chosen = os.environ.get("FOREGATE_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def visit(
    bank: Bank, page_at: PageAt, kind: Kind, shots: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Let somebody come with a fresh browser, 360 px wide. Whatever the console complains of fails the test."""
    language, script = kind
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # A refused answer is a 4xx page by design (503 where WeChat or Alipay is down), which Chromium reports as an
        # error of its own.
        is_refusal = any(f"the server responded with a status of {status}" in message.text for status in (4, 503))
        if message.type == "error" and not is_refusal:
            complaints.append(message.text)

    def come(name: str = "", **options: Any) -> Visitor:
        page = page_at(360, LOCALES[language], java_script_enabled=script, **options)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        story = request.node.name.partition("[")[0].removeprefix("test_")
        return Visitor(bank, page, language, shots, f"{story}{name}-{language}-{'script' if script else 'plain'}")

    yield come
    assert [] == complaints
