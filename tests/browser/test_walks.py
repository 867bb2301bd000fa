"""Every open journey of the table is walked through its pages, 360 px wide, without script, to its end.

The walks are made of the table: a new row is walked without a line being written here, or fails until a newcomer of
`crowd.py` knows what it asks for. FOREGATE_EVERY_WALK walks each row in each situation by each way, with script too.
"""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page

from foregate.acts import ActKind
from foregate.bootstrap import ACTS
from foregate.rules.engine import who_open
from foregate.rules.inputs import Kind, fields_of
from foregate.rules.journeys import BUILT, JOURNEYS
from foregate.rules.words import PROOFS, Who
from tests.browser.bank import Bank
from tests.browser.crowd import BASIC, NOBODY, Crowd
from tests.browser.walking import Lost, Walk, Walker, begins_in, count_done, covering, walks
from tests.conftest import PageAt

EVERY = bool(os.environ.get("FOREGATE_EVERY_WALK"))
WALKS = walks(JOURNEYS, every=True) if EVERY else covering(JOURNEYS)
KINDS: dict[str, ActKind] = {name: kind for kind in ACTS for name in kind.ACTS}


def needs_authenticator(walk: Walk) -> bool:
    """Say whether a walk is nothing without one: by a passkey, or its act takes what an authenticator made."""
    wanted = KINDS[JOURNEYS[walk.journey].act].INPUT
    makes = wanted is not None and any(field.kind is Kind.CREDENTIAL for field in fields_of(wanted))
    return makes or walk.who == Who.PASSKEY


def fits(page: Page, journey: str, step: str) -> None:
    """No page scrolls sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, (journey, step)


@pytest.mark.parametrize(
    "script", [False, True] if EVERY else [False], ids=lambda script: "script" if script else "plain"
)
@pytest.mark.parametrize("walk", WALKS, ids=str)
def test_every_journey_ends(town: Bank, crowd: Crowd, page_at: PageAt, walk: Walk, script: bool) -> None:
    """It ends well, once. Without script what needs an authenticator says so in words, and offers another way."""
    walker = Walker(town, crowd, page_at(360, java_script_enabled=script), has_script=script, at_each_page=fits)
    before = count_done(town, walk.journey)
    ending = walker.walk(walk)
    if needs_authenticator(walk) and not script:
        assert ending.lacks
        assert ending.instead
        return
    is_there_already = ("end",) == ending.path  # who is signed in whole has nothing to finish
    assert before + (not is_there_already) == count_done(town, walk.journey), ending
    assert "" == ending.lacks


def test_what_nobody_knows_fails_the_walk(town: Bank, crowd: Crowd, page_at: PageAt) -> None:
    """A field without a fact is no reason to stop quietly: it names the field, the step and the page."""
    walker = Walker(town, crowd, page_at(360, java_script_enabled=False), has_script=False)
    walk = Walk("sign-in-basic", NOBODY, "phone")
    del walker.come(walk).facts["code"]
    walker.begin(walk)
    with pytest.raises(Lost, match="nobody knows 'code', which 'phone_code' asks for"):
        walker.go_on(walk)


def test_an_unexpected_refusal_fails_the_walk(town: Bank, crowd: Crowd, page_at: PageAt) -> None:
    """A wrong password ends the walk with what the page says."""
    walker = Walker(town, crowd, page_at(360, java_script_enabled=False), has_script=False)
    walk = Walk("finish-sign-in", BASIC)
    walker.come(walk).facts["password"] = "not mine"
    walker.begin(walk)
    with pytest.raises(Lost, match="refused"):
        walker.go_on(walk)


def test_the_walks_cover_the_table() -> None:
    """Each open row, each way of saying who one is, each proof that is asked for, each situation."""
    rows = [row for row in JOURNEYS.values() if row.is_public]
    walked = covering(JOURNEYS)
    asked = {name for name in BUILT.proofs if not PROOFS[name].silent} - {"counter_id", "social"}
    assert {row.name for row in rows} == {walk.journey for walk in walked}
    for row in rows:
        whos = {who.value for who in who_open(row, BUILT) if who is not Who.SESSION}
        assert whos <= {walk.who for walk in walked if walk.journey == row.name}
    assert asked == {proof for walk in walked for proof in walk.prefer}
    assert {place.name for row in rows for place in begins_in(row)} == {walk.situation.name for walk in walked}
