"""Beginning a journey twice: by key, by what is claimed; and what a browser is told that comes back."""

from __future__ import annotations

import json
import re

import pytest

from foregate.rules import limits
from tests.bank import LI, WANG, Bank
from tests.passkeys import a_key, options_of

pytestmark = pytest.mark.anyio


async def test_a_beginning_under_a_key_is_one_journey(bank: Bank) -> None:
    """However late it is sent again it is the same one, and no second code is sent; said otherwise it is refused."""
    visitor = bank.visitor()
    await visitor.get("/v1/journeys")
    visitor.headers = {"Idempotency-Key": "one"}
    first = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    again = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert (201, first.body) == (again.status, again.body)
    bank.clock.turn(int(limits.REPLAY_SECONDS) + 1)
    late = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert (200, first.journey["id"]) == (late.status, late.journey["id"])
    assert "key-reused" == (await visitor.start("sign-in-basic", "phone", phone=WANG.phone)).cause
    assert 1 == len(await bank.texts(LI.phone))
    assert [] == await bank.texts(WANG.phone)


async def test_a_reply_that_comes_again_counts_from_now(bank: Bank) -> None:
    """Minutes later a code has that much less to live, and another one may be had: of a beginning and of an answer."""
    visitor = bank.visitor()
    await visitor.get("/v1/journeys")
    visitor.headers = {"Idempotency-Key": "one"}
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    bank.clock.turn(limits.RESEND_SECONDS)
    again = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    facts = again.journey["step"]["facts"]
    left = (facts["code_expires_in_seconds"], facts["resend_in_seconds"], again.journey["expires_in_seconds"])
    assert (limits.CODE_TTL_SECONDS - 60, 0, limits.JOURNEY_SECONDS - 60) == left
    wrong = await bank.wrong_code(LI.phone)
    for seconds in (60, 90):
        refused = await visitor.answer(code=wrong, key="two")
        assert "code-wrong" == refused.cause
        assert limits.CODE_TTL_SECONDS - seconds == refused.journey["step"]["facts"]["code_expires_in_seconds"]
        bank.clock.turn(30)


async def test_a_reply_that_comes_again_shows_no_dead_challenge(bank: Bank) -> None:
    """What an authenticator made for it would be refused, and stay on the phone for nothing: it is drawn anew."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    visitor.headers = {"Idempotency-Key": "one"}
    first = await visitor.start("add-passkey")
    assert options_of(first)
    bank.clock.turn(limits.CHALLENGE_SECONDS)
    again = await visitor.start("add-passkey")
    assert first.journey["id"] == again.journey["id"]
    assert "options" not in again.journey["step"]["facts"]
    made = a_key().create(options_of(await visitor.answer("passkey-options", key="two")))
    assert "done" == (await visitor.answer(credential=json.dumps(made), key="three")).journey["status"]


async def test_another_browser_with_the_same_key_begins_its_own(bank: Bank) -> None:
    """A key is worth something in one browser alone."""
    found = set()
    for _ in range(2):
        visitor = bank.visitor(headers={"Idempotency-Key": "one"})
        await visitor.get("/v1/journeys")
        found.add((await visitor.start("sign-in", "phone", phone=LI.phone)).journey["id"])
    assert 2 == len(found)


async def test_the_same_number_again_waits_for_the_same_code(bank: Bank) -> None:
    """After a minute too: one code, and another in one tap. When the code is dead, the number begins anew."""
    visitor = bank.visitor()
    first = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    again = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert (200, first.journey["id"]) == (again.status, again.journey["id"])
    assert 1 == len(await bank.texts(LI.phone))
    await visitor.answer("resend")
    assert 2 == len(await bank.texts(LI.phone))
    bank.clock.turn(limits.CODE_TTL_SECONDS)
    anew = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert (201, 3) == (anew.status, len(await bank.texts(LI.phone)))


async def test_signing_in_between_spoils_nothing_that_waits_for_its_code(bank: Bank) -> None:
    """Who begins, closes the browser, signs in first and begins again is led to the first code, which still works."""
    visitor = bank.visitor()
    first = await visitor.start("freeze", "phone", phone=LI.phone)
    code = await bank.code(LI.phone)
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    await visitor.sign_in_basic(LI)
    again = await visitor.start("freeze", "phone", phone=LI.phone)
    assert (200, first.journey["id"]) == (again.status, again.journey["id"])
    assert 2 == len(await bank.texts(LI.phone))
    assert "done" == (await visitor.answer(code=code)).journey["status"]


async def test_nobody_is_led_into_what_was_proved(bank: Bank) -> None:
    """Once the code was given, the same number in the same browser begins anew after a minute."""
    visitor = bank.visitor()
    first = await visitor.start("sign-in", "phone", phone=LI.phone)
    assert "password" == (await visitor.answer(code=await bank.code(LI.phone))).step
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    anew = await visitor.start("sign-in", "phone", phone=LI.phone)
    assert first.journey["id"] != anew.journey["id"]
    assert "phone_code" == anew.step


async def test_a_refused_form_is_charged_once(bank: Bank) -> None:
    """Reloading the page that refused a password, minutes later, charges nothing: what it says is said again."""
    visitor = bank.visitor()
    await visitor.sign_in_basic(LI)
    page = (await visitor.client.get("/home")).text
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    form = {"step": "password", "password": "not mine", "key": key}
    for _ in range(2):
        refused = await visitor.client.post("/finish-sign-in", data=form, headers={"Origin": "https://login.bank.test"})
        assert 403 == refused.status_code
        bank.clock.turn(limits.RESEND_SECONDS + 1)
    assert 1 == (await bank.events(LI)).count("proof-refused")


async def test_who_comes_back_is_told_what_is_not_finished(bank: Bank) -> None:
    """The first pages lead on, and are kept by nothing; another browser sees the page that everybody sees."""
    visitor = bank.visitor()
    assert "no-cache" in (await visitor.client.get("/")).headers["cache-control"]
    begun = await visitor.start("sign-in", "phone", phone=LI.phone)
    for place in ("/", "/sign-in", "/reset-password", "/book-appointment"):
        page = await visitor.client.get(place)
        assert f'href="/j/{begun.journey["id"]}"' in page.text
        assert ("no-store", None) == (page.headers["cache-control"], page.headers.get("etag"))
        assert LI.phone.removeprefix("+86") not in page.text
        assert 'id="pending"' not in (await bank.visitor().client.get(place)).text
    bank.clock.turn(int(limits.JOURNEY_SECONDS))
    assert 'id="pending"' not in (await visitor.client.get("/")).text


async def test_what_a_session_began_is_not_told_of(bank: Bank) -> None:
    """Its session may be over, and the next person at this browser somebody else."""
    visitor = bank.visitor()
    await visitor.sign_in_basic(LI)
    await visitor.start("add-passkey")
    visitor.client.cookies.delete("__Host-session")
    assert 'id="pending"' not in (await visitor.client.get("/")).text
