"""What somebody tried at the door is read at the counter by its number, whether or not anybody was recognised."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.ports.counter import Role
from foregate.rules import limits
from foregate.rules.limits import DAY
from tests.bank import LI, ORIGIN, Bank, Visitor, open_bank
from tests.staff import Console, hire, open_outlet

pytestmark = pytest.mark.anyio

STRANGER = "+8613900000009"


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    await open_outlet(bank)
    yield bank
    await bank.close()


async def case_of(visitor: Visitor, told: str) -> str:
    """Go to an outlet from the journey at hand, and return the number that goes along."""
    assert visitor.last is not None
    gone = await visitor.client.post(f"/j/{visitor.last.journey['id']}/outlet", data={"told": told})
    return str(gone.headers["location"].partition("case=")[2].partition("&")[0])


async def tried(bank: Bank, phone: str) -> str:
    """Try to sign in, mistype the code, and take the case along."""
    visitor = bank.visitor(headers={"accept": "text/html", "origin": ORIGIN})
    await visitor.start("sign-in", "phone", phone=phone)
    await visitor.answer(code=await bank.wrong_code(phone))
    return await case_of(visitor, "code-wrong")


async def test_a_case_tells_the_counter_what_happened(bank: Bank) -> None:
    """A customer's opens the file with what they tried at its top; a stranger's is told by itself."""
    known, unknown = await tried(bank, LI.phone), await tried(bank, STRANGER)
    teller, console = await hire(bank, "zhou.teller", Role.TELLER, outlet_id="0001"), Console(bank)
    await console.sign_in(teller)

    opened = await console.post("/console/search", query=known.lower(), reason="appointment")
    assert 303 == opened.status
    words = (await console.get(opened.location)).words
    for said in (
        known,
        "What they tried",
        "With your phone number",
        "That code is not right",
        "They had proved Nothing",
    ):
        assert said in words
    assert "The real reason" not in words
    assert "case-read" in await bank.events(LI)

    found = await console.post("/console/search", query=unknown, reason="appointment")
    assert 200 == found.status
    for said in (unknown, "What they tried", "The real reason", "On the page nobody was recognised"):
        assert said in found.words
    assert STRANGER[3:] not in found.text

    nothing = await console.post(
        "/console/search", query=known[:-1] + ("0" if known[-1] != "0" else "1"), reason="call"
    )
    assert "What they tried" not in nothing.words
    # By another way the file has no case to show.
    again = await console.post("/console/search", query=LI.phone, reason="appointment")
    assert "What they tried" not in (await console.get(again.location)).words
    bank.clock.turn(limits.CASE_DAYS * DAY)
    await console.sign_in(teller)
    assert "What they tried" not in (await console.post("/console/search", query=unknown, reason="call")).words
