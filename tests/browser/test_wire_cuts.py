"""The wire breaks under a browser, at a form of each open journey: reloaded, or closed and come back to, it ends once.

The wire is a real one (`wire.py`): the bank has done what was asked, and the connection is reset before a byte of the
answer. Chromium by itself sends a form again whose connection was one it had used before, so that is walked too.
Which post breaks and how one comes back goes round over the table; FOREGATE_EVERY_CUT breaks each post, both ways.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Error

from foregate.rules.inputs import Kind, fields_of
from foregate.rules.journeys import JOURNEYS
from foregate.rules.words import proofs_of
from tests.browser.bank import Bank
from tests.browser.crowd import AGED, BASIC, Crowd
from tests.browser.test_walks import KINDS
from tests.browser.walking import Ending, Walk, Walker, count_done, walks
from tests.browser.wire import LOST, NEVER, Wire, open_wire
from tests.conftest import PageAt

EVERY = bool(os.environ.get("FOREGATE_EVERY_CUT"))
RELOADED, CLOSED = "reloaded", "closed"
POSTS_MAX = 6


def makes_a_key(name: str) -> bool:
    """Say whether a journey is nothing without an authenticator, and so without script."""
    wanted = KINDS[JOURNEYS[name].act].INPUT
    return wanted is not None and any(field.kind is Kind.CREDENTIAL for field in fields_of(wanted))


def plain_walks() -> list[Walk]:
    """Return one walk of each journey that needs no script: signed in a while ago, or as nobody."""
    found: dict[str, Walk] = {}
    for walk in walks(JOURNEYS):
        # Who is signed in whole has no sign-in to finish.
        place = BASIC if JOURNEYS[walk.journey].session is not None else AGED
        if not makes_a_key(walk.journey) and (walk.journey not in found or walk.situation is place):
            found[walk.journey] = walk
    return list(found.values())


def cuts() -> Iterator[tuple[Walk, int, str, str]]:
    """Return what is walked: which post breaks, before or after the bank heard it, and how one comes back."""
    for number, walk in enumerate(plain_walks()):
        if EVERY:
            yield from ((walk, post, how, then) for post in range(1, POSTS_MAX + 1)
                        for how, then in ((LOST, RELOADED), (LOST, CLOSED), (NEVER, CLOSED)))  # fmt: skip
        else:
            is_asked = walk.who and any(not proof.silent for proof in proofs_of(JOURNEYS[walk.journey].prove))
            yield walk, 2 if is_asked else 1, LOST, (RELOADED, CLOSED)[number % 2]


@dataclass
class Returner(Walker):
    """A walker whose wire breaks, and who comes back."""

    then: str = RELOADED
    open_page: Callable[[], object] | None = None
    walked: Walk | None = None
    done_before: int = 0

    def _away(self, act: Callable[[], None]) -> None:
        try:
            super()._away(act)
        except Error as broken:
            if "net::ERR" not in str(broken):
                raise
            self._come_back()

    def _come_back(self) -> None:
        if self.then == RELOADED:
            self.page.reload()
            return
        assert self.walked is not None
        assert self.newcomer is not None
        assert self.open_page is not None
        kept = [cookie for cookie in self.page.context.cookies() if cookie["expires"] != -1]
        header = {"X-Forwarded-For": "198.51.100.1"}
        self.page.context.close()
        self.page = self.open_page()  # type: ignore[assignment]  # a page
        self.page.context.add_cookies(kept)  # type: ignore[arg-type]  # as they were
        self.page.context.set_extra_http_headers(header)
        self.page.goto(self.bank.url)
        go = self.page.locator("#pending a.go")
        if go.count():
            go.click()
            self.page.wait_for_url("**/j/*")
        elif count_done(self.bank, self.walked.journey) == self.done_before:
            self.crowd.sign_in_again(self.newcomer, self.page.context)
            self.begin(self.walked)
        else:
            self.is_over = True


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """The wire that everybody comes by."""
    with open_wire() as wire:
        yield wire


@pytest.fixture(scope="module")
def between(wire: Wire) -> Wire:
    """The town is at the end of the wire."""
    return wire


@pytest.mark.parametrize(("walk", "post", "how", "then"), list(cuts()), ids=str)
def test_a_broken_wire(
    town: Bank, crowd: Crowd, wire: Wire, page_at: PageAt, walk: Walk, post: int, how: str, then: str
) -> None:
    """One deed, and no code more than without a cut."""

    def plain() -> object:
        return page_at(360, java_script_enabled=False)

    page, before = page_at(360, java_script_enabled=False), count_done(town, walk.journey)
    walker = Returner(town, crowd, page, False, then=then, open_page=plain, walked=walk, done_before=before)
    newcomer = walker.come(walk)
    wire.cut(how, post)
    walker.begin(walk)
    ending: Ending = walker.go_on(walk)
    assert wire.is_cut or (EVERY and post > wire.posts), "the wire was whole all the way"
    assert not wire.is_cut or post < POSTS_MAX, "there may be posts that are never cut"
    assert walker.done_before + 1 == count_done(town, walk.journey), ending
    codes = [message for message in town.messages(newcomer.person.phone) if message.code]
    assert ("phone_code" in ending.path) == bool(codes), ending
    assert len(codes) <= 1, ending
