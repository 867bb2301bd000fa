"""Measure how long somebody waits on a bad link: the real front door, real TLS, a real browser, an emulated link.

    make bench-link                     every line, five runs each, about fifteen minutes
    python -m bench.link --runs 1 2G    some lines, quicker
    python -m bench.link --seeds 1      lossy lines too with one seed alone

`foregate serve` runs with a certificate of its own on one side of `../shared/tools/slowlink.py`, Chromium on the other
side, in a network namespace, with its processor slowed fourfold. Each run is a browser that was never here before.
Usable is when the field that is asked for stands on the screen: it is looked for before each frame, and counted when
the frame that has it is behind us. Times begin with the navigation, or with the tap. Which packets are lost follows
from the link's seed, and one may be unlucky: where packets get lost there are so many runs with each of five seeds.
Exit codes: 0 all goals met, 1 one missed, 77 cannot run here (no root, no TUN, no Chromium, no slowlink).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, cast

from playwright.sync_api import BrowserType, Page, sync_playwright

from tests import services
from tests.bank import LI, Person
from tests.served import Served, served

ROOT = Path(__file__).parents[1]
SLOWLINK = ROOT.parent / "shared" / "tools" / "slowlink.py"
SKIPPED = 77
SLOWER = 4
GIVE_UP_SECONDS = 90
Measure = Callable[["Bench", int], float]

# What the visitor waits for, by the page: looked for before each frame.
LOOK = """
(function () {
  var path = location.pathname, wanted = path === '/' ? '#f-phone' : path.slice(0, 3) === '/j/' ? '#f-code' : 'main h1';
  function look() {
    var found = document.querySelector(wanted), box = found && found.getBoundingClientRect();
    if (!box || !box.height || box.top >= innerHeight) { requestAnimationFrame(look); return; }
    requestAnimationFrame(function () { foregateSees(path, performance.now(), Date.now()); });
  }
  requestAnimationFrame(look);
}());
"""
TAP = "() => { const at = Date.now(); document.querySelector('#main-form button').click(); return at; }"


class CannotRun(Exception):
    """This machine has not what is needed; the text says what."""


@dataclass(frozen=True)
class Link:
    """A link: kbit/s, ms, percent."""

    down: int
    up: int
    rtt: int
    loss: int = 0
    jitter: int = 0


SLOW_3G, TWO_G = Link(400, 400, 400), Link(50, 50, 800)
GPRS = Link(50, 20, 800, loss=10, jitter=150)
FAST = Link(20_000, 20_000, 20)


@dataclass
class Emulated:
    """A running slowlink."""

    commands: IO[str]
    answers: IO[str]
    namespace: str
    server_ip: str

    def set(self, link: Link) -> None:
        """Change the link."""
        self.say(vars(link))

    def say(self, knobs: dict[str, Any]) -> dict[str, Any]:
        """Set some knobs; return the counters."""
        self.commands.write(json.dumps(knobs) + "\n")
        self.commands.flush()
        answer: dict[str, Any] = json.loads(self.answers.readline())
        return answer


@contextmanager
def emulated(number: int, seed: int) -> Iterator[Emulated]:
    """Run slowlink with names and addresses of its own, so that two benches do not meet. Raises CannotRun."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        raise CannotRun("a slow link needs root and /dev/net/tun")
    if not SLOWLINK.exists():
        raise CannotRun("../shared/tools/slowlink.py is not there")
    namespace, net = f"fg{number}", f"10.{77 + number % 100}.{number % 250}"
    words = [sys.executable, str(SLOWLINK), "--ns", namespace, "--dev-prefix", namespace, "--max-seconds", "3600",
             "--seed", str(seed), "--server-ip", f"{net}.1", "--client-ip", f"{net}.2"]  # fmt: skip
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- ours
        commands, answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
        if "ready" not in (line := answers.readline()):
            raise CannotRun(f"slowlink did not start: {line}")
        try:
            yield Emulated(commands, answers, namespace, f"{net}.1")
        finally:
            commands.close()  # it ends by itself, and removes what it made


@dataclass
class Bench:
    """The door, the link, and what it takes to send somebody through."""

    door: Served
    link: Emulated
    chromium: BrowserType
    wrapper: Path
    people: list[Person]
    spent: int = 0
    seen: list[tuple[str, float, float]] = field(default_factory=list)

    @contextmanager
    def visitor(self) -> Iterator[Page]:
        """Somebody with a phone that was never here: a browser of its own, four times slower."""
        browser = self.chromium.launch(executable_path=self.wrapper, args=self.door.browser_args())
        try:
            context = browser.new_context(locale="zh-CN", viewport={"width": 360, "height": 740})
            context.set_default_timeout(GIVE_UP_SECONDS * 1000)
            context.expose_binding("foregateSees", lambda _, *what: self.seen.append(tuple(what)))
            context.add_init_script(LOOK)
            yield self.page_of(context)
        finally:
            browser.close()

    def page_of(self, context: Any) -> Page:
        """Open a slowed page."""
        page: Page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        self.seen.clear()
        return page

    def wait_for(self, page: Page, path: str) -> tuple[float, float]:
        """Wait until a page at `path` is usable: seconds since its navigation began, and the clock then."""
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until:
            for at, since, clock in self.seen:
                if at.startswith(path):
                    self.seen.clear()
                    return since / 1000, clock / 1000
            page.wait_for_timeout(20)
        raise TimeoutError(f"{path} was not usable within {GIVE_UP_SECONDS} s")

    def somebody(self) -> Person:
        """Somebody who was not sent a code yet."""
        self.spent += 1
        return self.people[self.spent - 1]


def first_page(bench: Bench, run: int) -> float:
    """From nothing to the field for the number."""
    with bench.visitor() as page:
        page.goto(bench.door.origin + "/", wait_until="commit")
        return bench.wait_for(page, "/")[0]


def sign_in(bench: Bench, run: int) -> float:
    """The waiting of a whole sign-in by phone and code; typing, and the way of the SMS, are not in it."""
    person = bench.somebody()
    with bench.visitor() as page:
        page.goto(bench.door.origin + "/", wait_until="commit")
        waited = bench.wait_for(page, "/")[0]
        page.locator("#f-phone").fill(person.phone.removeprefix("+86"))
        waited += _tap(bench, page, "/j/")
        page.locator("#f-code").fill(bench.door.gateway.code(person.phone))
        return waited + _tap(bench, page, "/home")


def _tap(bench: Bench, page: Page, leads_to: str) -> float:
    tapped = page.evaluate(TAP) / 1000
    return float(bench.wait_for(page, leads_to)[1] - tapped)


def offline(bench: Bench, run: int) -> float:
    """Come again without any network: what the service worker kept."""
    return _again(bench, is_black_hole=False)


def black_hole(bench: Bench, run: int) -> float:
    """Come again by a link that says it is there and brings nothing."""
    return _again(bench, is_black_hole=True)


def _again(bench: Bench, *, is_black_hole: bool) -> float:
    bench.link.set(FAST)
    with bench.visitor() as page:
        page.goto(bench.door.origin + "/")
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        page.wait_for_timeout(3000)  # what it keeps is fetched beside the page
        context = page.context
        page.close()
        if is_black_hole:
            bench.link.set(replace(FAST, loss=100))
        else:
            context.set_offline(True)
        again = bench.page_of(context)
        again.goto(bench.door.origin + "/", wait_until="commit")
        return bench.wait_for(again, "/")[0]


@dataclass(frozen=True)
class Line:
    """One line of the table: what, over which link, and the goal in seconds."""

    name: str
    link: Link
    goal: float
    measure: Measure


LINES = (
    Line("first page, Slow 3G (400 kbit/s, 400 ms)", SLOW_3G, 2.0, first_page),
    Line("first page, Slow 3G with 2 % loss", replace(SLOW_3G, loss=2), 2.5, first_page),
    Line("first page, 2G (50 kbit/s, 800 ms)", TWO_G, 4.5, first_page),
    Line("first page, GPRS (50/20 kbit/s, 800 ms + 150, 10 % loss)", GPRS, 6.5, first_page),
    Line("phone and code, 2G: waiting in all", TWO_G, 20, sign_in),
    Line("again, offline", FAST, 1.0, offline),
    Line("again, black hole", FAST, 5.5, black_hole),
)


def people(count: int) -> list[Person]:
    """So many customers: nobody is sent two codes in a minute."""
    return [
        replace(
            LI, core_ref=f"L{n:03d}", card=f"62220200000001{n:04d}7", phone=f"+861380013{n:04d}",
            bound=f"+861380013{n:04d}", user_name=f"link{n:04d}", document_number=f"link{n:04d}",
        )
        for n in range(count)
    ]  # fmt: skip


@contextmanager
def bench(count: int, chromium: BrowserType | None = None, seed: int = 1) -> Iterator[Bench]:
    """Set everything up: link, door, browser; `chromium` if playwright runs already. Raises CannotRun."""
    try:
        program = services.find_chromium()
    except services.Missing as missing:
        raise CannotRun(str(missing)) from None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="foregate-link-")))
        link = stack.enter_context(emulated(os.getpid() % 10_000, seed))
        wrapper, everybody = folder / "chromium", people(count)
        wrapper.write_text(f'#!/bin/sh\nexec ip netns exec {link.namespace} {program} "$@"\n')
        wrapper.chmod(0o755)
        door = stack.enter_context(served(folder, *everybody, address=link.server_ip))
        chromium = chromium or stack.enter_context(sync_playwright()).chromium
        yield Bench(door, link, chromium, wrapper, everybody)


def measured(bench: Bench, line: Line, runs: int) -> list[float]:
    """Measure a line so many times."""
    times = []
    for run in range(runs):
        bench.link.set(line.link)
        before = bench.link.say({})
        times.append(line.measure(bench, run))
        after = bench.link.say({})
        down, up, lost = (after[name] - before[name] for name in ("down", "up", "drop"))
        print(f"  {line.name}: {times[-1]:.2f} s, {down} bytes down, {up} up, {lost} packets lost", file=sys.stderr)
        time.sleep(1)
    return times


def row_of(line: Line, times: list[float]) -> str:
    """Return a line of the table."""
    median = statistics.median(times)
    met = "met" if median <= line.goal else "missed"
    span = f"{min(times):.2f} to {max(times):.2f} s"
    return f"| {line.name} | at most {line.goal:.1f} s | {median:.2f} s | {span} | {len(times)} | {met} |"


def main(arguments: list[str]) -> int:
    """Measure, print the table; return the exit code."""
    asked = argparse.ArgumentParser(description="Waiting on bad links.")
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("names", nargs="*", help="only lines whose name holds one of these")
    options = asked.parse_args(arguments)
    if options.runs < 1 or options.seeds < 1:
        asked.error("at least one run and one seed")
    lines = [line for line in LINES if not options.names or any(name in line.name for name in options.names)]
    signs_in = sum(line.measure is sign_in for line in lines)
    times: dict[Line, list[float]] = {line: [] for line in lines}
    try:
        for seed in range(1, options.seeds + 1 if any(line.link.loss for line in lines) else 2):
            with bench(max(1, signs_in * options.runs), seed=seed) as there:
                for line in lines:
                    if seed == 1 or line.link.loss:
                        times[line] += measured(there, line, options.runs)
    except CannotRun as why:
        print(f"bench.link cannot run here: {why}", file=sys.stderr)
        return SKIPPED
    print("| what | goal | median | least to most | n | |\n|---|---|---|---|---|---|")
    print("\n".join(row_of(line, times[line]) for line in lines))
    return 0 if all(statistics.median(times[line]) <= line.goal for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
