"""Passkeys and my ways in, from the first to the last: added, used, named, removed; programs that are too old."""

from __future__ import annotations

import json

import pytest

from tests import passkeys
from tests.bank import LI, Bank
from tests.passkeys import a_key

pytestmark = pytest.mark.anyio

OLD, NEW = "ForegateApp/2.9", "ForegateApp/3.4"


async def test_a_passkey_from_the_first_day_to_the_last(bank: Bank) -> None:
    """Added and told of, signs in with nothing typed, is named, and signs in no more when it is removed."""
    key = a_key()
    visitor = await passkeys.add(bank, LI, key, "  旧 手机 ")
    assert any("通行密钥" in text for text in await bank.texts(LI.phone))

    other = bank.visitor()
    signed_in = await passkeys.sign_in(other, key)
    assert ("done", "full") == (signed_in.journey["status"], await other.level())
    assert "sms.signed-in-elsewhere" in await bank.messages_about(LI)

    (mine,) = [way for way in (await visitor.get("/v1/me/ways")).body["ways"] if way["proof"] == "passkey"]
    assert ("旧 手机", "cooling", 0) == (mine["label"], mine["state"], mine["used_seconds_ago"])
    await visitor.start("rename-passkey")
    await visitor.answer(passkey_id=mine["id"], passkey_name="新手机")
    await visitor.start("remove-passkey", "remove-passkey", passkey_id=mine["id"])
    assert "done" == (visitor.last.journey["status"] if visitor.last else None)
    assert "not-recognised" == (await passkeys.sign_in(bank.visitor(), key)).cause
    events = await bank.events(LI)
    assert ["passkey-added", "passkey-renamed", "passkey-removed"] == [e for e in events if e.startswith("passkey")]


async def test_a_seasoned_passkey_sets_a_password_and_finishes_a_sign_in(bank: Bank) -> None:
    """As the table says; and the passkey that one has is left out when another is made."""
    key = a_key()
    await passkeys.add(bank, LI, key)
    await passkeys.season(bank)
    visitor = bank.visitor()
    await visitor.start("reset-password", "user_name", user_name=LI.user_name)
    asked = await visitor.answer("choose", way="passkey")
    await visitor.answer(credential=json.dumps(key.get(passkeys.options_of(asked))))
    assert "done" == (await visitor.answer(new_password="nine lanterns over 4 rivers")).journey["status"]
    bank.clock.turn(61)
    await visitor.sign_in_basic(LI)
    await visitor.start("finish-sign-in")
    asked = await visitor.answer("choose", way="passkey")
    await visitor.answer(credential=json.dumps(key.get(passkeys.options_of(asked))))
    assert "full" == await visitor.level()
    (known,) = passkeys.options_of(await visitor.start("add-passkey"))["excludeCredentials"]
    assert known["id"] == key.get({"challenge": ""})["id"]


async def test_my_ways_in(bank: Bank) -> None:
    """What one has and when it was last used, what a loss would mean, and what would help; signed in whole."""
    visitor = bank.visitor()
    assert "not-signed-in" == (await visitor.get("/v1/me/ways")).cause
    await visitor.sign_in_basic(LI)
    assert "needs-full-session" == (await visitor.get("/v1/me/ways")).cause
    bank.clock.turn(61)
    await visitor.sign_in(LI)
    bank.clock.turn(100)
    shown = (await visitor.get("/v1/me/ways")).body
    assert {"phone_code": 100, "password": 100, "card_pin": None} == {
        way["proof"]: way["used_seconds_ago"] for way in shown["ways"]
    }
    assert LI.phone[3:] not in json.dumps(shown)
    assert LI.card not in json.dumps(shown)
    lost = {each["loss"]: (each["journeys"], sorted(each["proofs"])) for each in shown["if_lost"]}
    assert ([], []) == lost["phone"]
    assert (["sign-in"], ["card_pin", "phone_code"]) == lost["password"]
    assert "add-passkey" == shown["suggestion"]
    await passkeys.add_here(visitor, a_key())
    shown = (await visitor.get("/v1/me/ways")).body
    lost = {each["loss"]: (each["journeys"], each["proofs"]) for each in shown["if_lost"]}
    assert (["sign-in"], ["passkey"]) == lost["phone"]


async def test_where_browsers_look_for_passkeys(bank: Bank) -> None:
    """Related origins, where to add and manage, where to change the password; and nothing where nothing is."""
    client = bank.visitor().client
    assert {"origins": ["https://login.bank.test"]} == (await client.get("/.well-known/webauthn")).json()
    places = (await client.get("/.well-known/passkey-endpoints")).json()
    assert {"enroll": "https://login.bank.test/add-passkey", "manage": "https://login.bank.test/ways"} == places
    assert "/reset-password" == (await client.get("/.well-known/change-password")).headers["location"]
    nothing = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"
    assert 404 == (await client.get(nothing)).status_code


async def test_an_old_program_is_told_before_anything_is_typed(old_bank: Bank) -> None:
    """Pages and API; how to update is a remedy; what protects and what people do works; unknown programs pass."""
    visitor = old_bank.visitor()
    visitor.client.headers["User-Agent"] = OLD
    refused = await visitor.start("sign-in")
    assert (403, "client-too-old") == (refused.status, refused.cause)
    assert ["update-client", "freeze", "book-appointment", "visit-outlet"] == refused.remedies
    for path in ("/", "/sign-in", "/register", "/reset-password"):
        page = await visitor.client.get(path)
        assert 403 == page.status_code, path
        assert 'href="/help/update"' in page.text, path
        assert "<input" not in page.text, path
    for path in ("/freeze", "/book-appointment", "/outlets", "/help/outlet", "/help/update", "/cannot-get-in"):
        assert 200 == (await visitor.client.get(path)).status_code, path
    assert "phone_code" == (await visitor.start("freeze", "phone", phone=LI.phone)).step
    assert (
        403
        == (
            await visitor.client.post("/sign-in", data={"step": "phone"}, headers={"Origin": "https://login.bank.test"})
        ).status_code
    )
    for agent in (NEW, "", "curl/8"):
        visitor.client.headers["User-Agent"] = agent
        assert 200 == (await visitor.client.get("/")).status_code, agent
        assert 201 == (await visitor.start("sign-in")).status, agent
