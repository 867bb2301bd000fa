"""Lighthouse on the first page: at least 99 for speed, 100 for access, 100 for good practice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests import services
from tests.browser import npm
from tests.browser.bank import Bank, open_bank
from tests.browser.conftest import LOCALES

GOALS = {"performance": 0.99, "accessibility": 1.0, "best-practices": 1.0}
SECONDS = 240
OF_ITS_OWN = "Runtime error encountered"
TRIES = 3  # a busy machine is slower than the phone that Lighthouse thinks of


@pytest.fixture(scope="module")
def lighthouse() -> Path:
    """Lighthouse as the lock names it."""
    try:
        services.find_chromium()
        return npm.installed() / "node_modules" / ".bin" / "lighthouse"
    except services.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def lit(lighthouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """A demo bank without TLS, as Lighthouse takes no certificate of our own making."""
    with open_bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


def scores_of(lighthouse: Path, address: str, language: str, folder: Path) -> tuple[dict[str, float], list[str]]:
    """Run Lighthouse once; return its scores, and what it would have better."""
    report = folder / "report.json"
    flags = " ".join(("--headless=new", *services.CHROMIUM_ARGS, f"--lang={LOCALES[language]}"))
    headers = json.dumps({"Accept-Language": LOCALES[language]})
    words: services.Command = [
        lighthouse, address, f"--chrome-flags={flags}", f"--extra-headers={headers}", "--output=json", "--quiet",
        f"--only-categories={','.join(GOALS)}", f"--output-path={report}",
    ]  # fmt: skip
    environ = os.environ | {"CHROME_PATH": str(services.find_chromium()), "CI": "1"}
    for left in reversed(range(TRIES)):
        ending = _run(words, environ, folder)
        # Its own trace of the browser is lost now and then; it says so, and asks to be run again.
        if ending == 0 or OF_ITS_OWN not in (folder / "log").read_text("utf-8") or not left:
            break
    assert ending == 0, (folder / "log").read_text("utf-8")
    found = json.loads(report.read_text("utf-8"))
    scores = {name: found["categories"][name]["score"] for name in GOALS}
    better = [f"{name} {audit['score']}" for name, audit in found["audits"].items() if (audit["score"] or 1) < 1]
    return scores, better


def _run(words: services.Command, environ: dict[str, str], folder: Path) -> int:
    """Run it in a session of its own, and say how it ended: its browser ends with it, whatever happens."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, env=environ, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        return process.wait(SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.alone
@pytest.mark.parametrize("language", LOCALES)
def test_the_first_page(lighthouse: Path, lit: Bank, language: str, tmp_path: Path) -> None:
    """In both languages; the best of a few runs where the machine is busy, access and practice in every run."""
    for left in reversed(range(TRIES)):
        scores, better = scores_of(lighthouse, f"{lit.url}/", language, tmp_path)
        short = {name: score for name, score in scores.items() if score < GOALS[name]}
        if set(short) != {"performance"} or not left:
            break
    assert ({}, True) == (short, bool(scores)), better
