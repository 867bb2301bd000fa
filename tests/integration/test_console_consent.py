"""A new number by two people at two consoles, over HTTP: what each sees, what is refused, and the permit shown once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.ports.counter import Role
from foregate.rules import limits
from tests.bank import LI, Bank, open_bank
from tests.staff import Console, Hired, hire, open_outlet

pytestmark = pytest.mark.anyio

NEW = "+8613512345678"
Two = tuple[Console, Console, Hired]


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    await open_outlet(bank)
    yield bank
    await bank.close()


@pytest.fixture
async def two(bank: Bank) -> Two:
    """A teller and a colleague, each at their own console."""
    maker, checker = Console(bank), Console(bank)
    await maker.sign_in(await hire(bank, "zhou.teller", Role.TELLER, outlet_id="0001", name="周"))
    colleague = await hire(bank, "qian.teller", Role.TELLER, outlet_id="0001", name="钱")
    await checker.sign_in(colleague)
    return maker, checker, colleague


async def proposed(bank: Bank, maker: Console) -> str:
    """Propose a new number and prove it; return the proposal's address."""
    found = await maker.post("/console/search", query=LI.card, reason="at-counter")
    document = {"document_type": LI.document_type, "number": LI.document_number, "long_term": "yes"}
    made = await maker.post(f"{found.location}/replace-phone", **document, phone=NEW)
    assert made.location.startswith("/console/proposals/")
    assert f"{made.location}?sent=yes" == (await maker.post(f"{made.location}/code")).location
    wrong = await maker.post(f"{made.location}/prove", code=await bank.wrong_code(NEW))
    assert (403, True) == (wrong.status, "The code is wrong" in wrong.words)
    assert made.location == (await maker.post(f"{made.location}/prove", code=await bank.code(NEW))).location
    return made.location


async def digest(checker: Console, place: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]+)"', (await checker.get(place)).text)
    assert found is not None
    return found[1]


async def test_two_people_replace_a_number(bank: Bank, two: Two) -> None:
    """The colleague sees it exactly, consents, and the permit is on that one page alone."""
    maker, checker, _ = two
    place = await proposed(bank, maker)
    assert "Replace the registered number" in (await checker.get("/console")).words
    seen = await checker.get(place)
    assert all(word in seen.words for word in ("138****8000", NEW.removeprefix("+86"), "周", "Your consent"))
    assert 422 == (await checker.post(f"{place}/consent", digest=await digest(checker, place), note="")).status
    done = await checker.post(f"{place}/consent", digest=await digest(checker, place), note="card seen, face fits")
    permit = re.search(r"[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{3}", done.words)
    assert 200 == done.status
    assert permit is not None
    for console in (maker, checker):
        assert permit[0] not in (await console.get(place)).text
    assert "钱" in (await maker.get(place)).words
    again = await checker.post(f"{place}/consent", digest="00", note="card seen, face fits")
    assert (409, True) == (again.status, "This proposal is settled" in again.words)


async def test_a_consent_needs_a_sign_in_of_the_last_minutes(bank: Bank, two: Two) -> None:
    """An unlocked console is no consent: sign in once more, come back, and what was proposed is still there."""
    maker, checker, colleague = two
    place, shown = await proposed(bank, maker), ""
    shown = await digest(checker, place)
    bank.clock.turn(int(limits.STAFF_FRESH_SECONDS) + 1)
    asked = await checker.post(f"{place}/consent", digest=shown, note="card seen, face fits")
    assert (303, f"/console/sign-in?done=again&back={place}") == (asked.status, asked.location)
    assert 'name="digest"' not in (await checker.get(place)).text
    assert place == (await checker.sign_in(colleague, back=place)).location
    assert 200 == (await checker.post(f"{place}/consent", digest=shown, note="card seen, face fits")).status


async def test_nobody_consents_to_their_own(bank: Bank, two: Two) -> None:
    """No form is shown, and one that is made up is refused."""
    maker, checker, _ = two
    place = await proposed(bank, maker)
    assert "/consent" not in (await maker.get(place)).text
    own = await maker.post(f"{place}/consent", digest=await digest(checker, place), note="card seen, face fits")
    assert (403, True) == (own.status, "Nobody consents to their own proposal" in own.words)


async def test_refused_with_a_note_and_withdrawn(bank: Bank, two: Two) -> None:
    """Both end it, and nothing was changed."""
    maker, checker, _ = two
    place = await proposed(bank, maker)
    assert place == (await checker.post(f"{place}/refuse", note="the photo is of somebody else")).location
    refused = await maker.get(place)
    assert all(word in refused.words for word in ("A colleague refused this", "the photo is of somebody else"))
    bank.clock.turn(int(limits.RESEND_SECONDS) + 1)
    place = await proposed(bank, maker)
    assert place == (await maker.post(f"{place}/withdraw")).location
    assert "This was withdrawn" in (await checker.get(place)).words


async def test_what_was_typed_stays_when_it_is_refused(bank: Bank, two: Two) -> None:
    """An expired card is a refusal with its remedy, a link to it, and the form as it was."""
    maker, _, _ = two
    found = await maker.post("/console/search", query=LI.card, reason="at-counter")
    document = {"document_type": LI.document_type, "number": LI.document_number, "expires_on": "2020-01-01"}
    page = await maker.post(f"{found.location}/replace-phone", **document, phone=NEW)
    assert (403, True) == (page.status, "The document has expired" in page.words)
    assert all(f'value="{typed}"' in page.text for typed in (LI.document_number, "2020-01-01", NEW))
    assert f'href="{found.location}/correct-document"' in page.text
    page = await maker.post(f"{found.location}/replace-phone", **document | {"expires_on": ""}, phone="12")
    assert 422 == page.status
    assert 'aria-invalid="true"' in page.text
