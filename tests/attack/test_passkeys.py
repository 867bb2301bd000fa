"""Passkeys of customers: whatever is bent, replayed, borrowed or too new is refused, and in the same words (PKY)."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from foregate.rules import limits
from tests import passkeys
from tests.authenticator import PRESENT, VERIFIED, Authenticator, b64, unb64
from tests.bank import CHEN, LI, ORIGIN, WANG, Answer, Bank, Visitor
from tests.passkeys import a_key

# What is refused does not depend on the database; what does is held on both in contract and integration tests.
pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]

Bent = dict[str, Any]
ELIGIBLE, BACKED_UP = 0x08, 0x10


@pytest.fixture
async def key(bank: Bank) -> Authenticator:
    """Li's passkey, a day old."""
    made = a_key()
    await passkeys.add(bank, LI, made)
    await passkeys.season(bank)
    return made


async def give(visitor: Visitor, credential: object) -> Answer:
    return await visitor.answer(credential=credential if isinstance(credential, str) else json.dumps(credential))


# ---------------------------------------------------------------- PKY-01


async def test_pky_01_a_challenge_is_ours_fresh_used_once_of_this_browser_and_journey(
    bank: Bank, key: Authenticator
) -> None:
    """Chosen by a thief, replayed, too late, of another browser, of another journey: never."""
    thief = bank.visitor()
    options = await passkeys.begin(thief)
    assert "not-recognised" == (await give(thief, key.get(options | {"challenge": b64(b"c" * 32)}))).cause

    mine = bank.visitor()
    used = key.get(await passkeys.begin(mine))
    assert "done" == (await give(mine, used)).journey["status"]
    again = bank.visitor()
    await passkeys.begin(again)
    assert "not-recognised" == (await give(again, used)).cause

    late = bank.visitor()
    options = await passkeys.begin(late)
    bank.clock.turn(limits.CHALLENGE_SECONDS)
    assert "not-recognised" == (await give(late, key.get(options))).cause

    other = bank.visitor()
    options = await passkeys.begin(other)
    answer = key.get(options)
    first = other.last
    await passkeys.begin(other)  # the same browser, another journey
    assert "not-recognised" == (await give(other, answer)).cause
    other.last = first
    assert "done" == (await give(other, answer)).journey["status"]
    assert None is await thief.level()


async def test_pky_01_a_refused_answer_uses_its_challenge_up(bank: Bank, key: Authenticator) -> None:
    """The right answer to the challenge of before comes too late; the page has got a new one."""
    visitor = bank.visitor()
    right = key.get(await passkeys.begin(visitor))
    wrong = copy.deepcopy(right)
    wrong["response"]["signature"] = b64(b"no signature")
    refused = await give(visitor, wrong)
    assert "not-recognised" == refused.cause
    assert "not-recognised" == (await give(visitor, right)).cause
    assert visitor.last is not None
    assert "done" == (await give(visitor, key.get(passkeys.options_of(visitor.last)))).journey["status"]


async def test_pky_01_an_old_challenge_is_drawn_anew(bank: Bank, key: Authenticator) -> None:
    """A page that stood open asks again, and nothing of the journey moves."""
    visitor = bank.visitor()
    before = await passkeys.begin(visitor)
    bank.clock.turn(limits.CHALLENGE_SECONDS)
    asked = await visitor.answer("passkey-options")
    assert before["challenge"] != passkeys.options_of(asked)["challenge"]
    assert "done" == (await give(visitor, key.get(passkeys.options_of(asked)))).journey["status"]


# ---------------------------------------------------------------- PKY-02


def data_of(answer: Bent) -> bytearray:
    return bytearray(unb64(answer["response"]["authenticatorData"]))


def client_of(answer: Bent) -> Bent:
    client: Bent = json.loads(unb64(answer["response"]["clientDataJSON"]))
    return client


def signed(key: Authenticator, answer: Bent, *, data: bytes | None = None, client: object = None) -> Bent:
    """Bend what is signed, and sign it rightly: the signature alone must not be what refuses."""
    data = bytes(data_of(answer)) if data is None else data
    raw = unb64(answer["response"]["clientDataJSON"])
    raw = raw if client is None else client if isinstance(client, bytes) else json.dumps(client).encode()
    answer["response"] |= {
        "authenticatorData": b64(data), "clientDataJSON": b64(raw), "signature": b64(key.sign(data, raw)),
    }  # fmt: skip
    return answer


def in_client(**changed: object) -> Callable[[Authenticator, Bent], Bent]:
    return lambda key, answer: signed(key, answer, client=client_of(answer) | changed)


def with_flags(flags: int) -> Callable[[Authenticator, Bent], Bent]:
    def bend(key: Authenticator, answer: Bent) -> Bent:
        data = data_of(answer)
        data[32] = flags
        return signed(key, answer, data=bytes(data))

    return bend


def with_data(change: Callable[[bytearray], bytes]) -> Callable[[Authenticator, Bent], Bent]:
    return lambda key, answer: signed(key, answer, data=change(data_of(answer)))


def in_response(**changed: object) -> Callable[[Authenticator, Bent], Bent]:
    return lambda key, answer: answer | {"response": answer["response"] | changed}


def whole(**changed: object) -> Callable[[Authenticator, Bent], Bent]:
    return lambda key, answer: answer | changed


def another_signs(key: Authenticator, answer: Bent) -> Bent:
    other = ec.generate_private_key(ec.SECP256R1())
    data, client = bytes(data_of(answer)), unb64(answer["response"]["clientDataJSON"])
    over = data + hashlib.sha256(client).digest()
    answer["response"]["signature"] = b64(other.sign(over, ec.ECDSA(hashes.SHA256())))
    return answer


def without(name: str) -> Callable[[Authenticator, Bent], Bent]:
    return lambda key, answer: (
        {n: v for n, v in answer.items() if n != name}
        | ({"response": {n: v for n, v in answer["response"].items() if n != name}})
    )


def no_signature(key: Authenticator, answer: Bent) -> Bent:
    """`alg: none`: whoever signs with nothing."""
    answer["response"]["signature"] = ""
    return answer


def signs_unhashed(key: Authenticator, answer: Bent) -> Bent:
    data, client = bytes(data_of(answer)), unb64(answer["response"]["clientDataJSON"])
    answer["response"]["signature"] = b64(key.key.sign(data + client, ec.ECDSA(hashes.SHA256())))
    return answer


def signs_sha512(key: Authenticator, answer: Bent) -> Bent:
    data, client = bytes(data_of(answer)), unb64(answer["response"]["clientDataJSON"])
    over = data + hashlib.sha256(client).digest()
    answer["response"]["signature"] = b64(key.key.sign(over, ec.ECDSA(hashes.SHA512())))
    return answer


OTHER_ID = b64(b"x" * 32)
MUTANTS: dict[str, Callable[[Authenticator, Bent], Any]] = {
    "origin of a thief": in_client(origin="https://login.bank.test.evil.example"),
    "origin without TLS": in_client(origin="http://login.bank.test"),
    "origin with a port": in_client(origin=ORIGIN + ":8443"),
    "origin with a slash": in_client(origin=ORIGIN + "/"),
    "origin in capitals": in_client(origin=ORIGIN.upper()),
    "origin null": in_client(origin="null"),
    "origin of an app": in_client(origin="android:apk-key-hash:" + "a" * 43),
    "origin empty": in_client(origin=""),
    "origin as a list": in_client(origin=[ORIGIN]),
    "in a frame": in_client(crossOrigin=True),
    "in a frame, with its top": in_client(crossOrigin=True, topOrigin="https://evil.example"),
    "type of a creation": in_client(type="webauthn.create"),
    "type of nothing": in_client(type=""),
    "type in capitals": in_client(type="WEBAUTHN.GET"),
    "challenge empty": in_client(challenge=""),
    "challenge of somebody": in_client(challenge=b64(b"c" * 32)),
    "challenge cut": lambda key, answer: in_client(challenge=client_of(answer)["challenge"][:-2])(key, answer),
    "challenge twice": lambda key, answer: in_client(challenge=client_of(answer)["challenge"] * 2)(key, answer),
    "client data is a list": lambda key, answer: signed(key, answer, client=[client_of(answer)]),
    "client data is no JSON": lambda key, answer: signed(key, answer, client=b"{"),
    "client data is empty": lambda key, answer: signed(key, answer, client=b""),
    "client data is swapped unsigned": lambda key, answer: in_response(
        clientDataJSON=b64(json.dumps(client_of(answer) | {"extra": 1}).encode())
    )(key, answer),
    "another domain": with_data(lambda data: hashlib.sha256(b"evil.example").digest() + bytes(data[32:])),
    "a domain above": with_data(lambda data: hashlib.sha256(b"bank.test").digest() + bytes(data[32:])),
    "not verified": with_flags(PRESENT),
    "not present": with_flags(VERIFIED),
    "neither present nor verified": with_flags(0),
    "backed up and yet of one device": with_flags(PRESENT | VERIFIED | BACKED_UP),
    "of another kind than it was made": with_flags(PRESENT | VERIFIED | ELIGIBLE),
    "of another kind, and backed up": with_flags(PRESENT | VERIFIED | ELIGIBLE | BACKED_UP),
    "data cut": with_data(lambda data: bytes(data[:20])),
    "data empty": with_data(lambda data: b""),
    "data with a tail": with_data(lambda data: bytes(data) + b"tail"),
    "flags unsigned": lambda key, answer: in_response(
        authenticatorData=b64(bytes(data_of(answer)[:32]) + b"\x1d" + bytes(data_of(answer)[33:]))
    )(key, answer),
    "another key signs": another_signs,
    "no signature": no_signature,
    "a signature over other bytes": signs_unhashed,
    "a signature of another hash": signs_sha512,
    "a signature cut": lambda key, answer: in_response(signature=answer["response"]["signature"][:20])(key, answer),
    "a signature of zeros": in_response(signature=b64(bytes(70))),
    "id is not rawId": whole(rawId=OTHER_ID),
    "rawId is not id": whole(id=OTHER_ID),
    "a credential of nobody": whole(id=OTHER_ID, rawId=OTHER_ID),
    "id empty": whole(id="", rawId=""),
    "id as a number": whole(id=1, rawId=1),
    "type of the credential": whole(type="password"),
    "type is missing": without("type"),
    "rawId is missing": without("rawId"),
    "response is missing": whole(response={}),
    "response is null": whole(response=None),
    "signature is missing": without("signature"),
    "user handle is missing": without("userHandle"),
    "user handle is null": in_response(userHandle=None),
    "user handle of somebody": in_response(userHandle=b64(b"u" * 16)),
    "user handle empty": in_response(userHandle=""),
    "a list": lambda key, answer: [answer],
    "a word": lambda key, answer: "true",
    "null": lambda key, answer: "null",
    "deep": lambda key, answer: "[" * 900 + "]" * 900,
    "not base64": in_response(signature="§§§"),
    "what a creation says": lambda key, answer: in_response(
        attestationObject=b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": bytes(data_of(answer))}))
    )(key, without("authenticatorData")(key, answer)),
}


async def test_pky_02_every_bent_answer_is_refused_in_the_same_words(bank: Bank, key: Authenticator) -> None:
    """Each field by itself, rightly signed where it is signed: the same answer to all, and nobody is signed in."""
    assert len(MUTANTS) >= 40
    heard: dict[str, tuple[int, str | None, tuple[str, ...]]] = {}
    visitor = bank.visitor()
    asked = await visitor.start("sign-in", "choose", way="passkey")
    for name, bend in MUTANTS.items():
        answer = bend(key, copy.deepcopy(key.get(passkeys.options_of(asked))))
        refused = await give(visitor, answer)
        heard[name] = (refused.status, refused.cause, tuple(refused.remedies))
        asked = refused
        if "options" not in asked.journey["step"]["facts"]:
            asked = await visitor.answer("passkey-options")
    wrong = heard["no signature"]
    assert {} == {name: said for name, said in heard.items() if said != wrong}
    assert (403, "not-recognised") == wrong[:2]
    assert None is await visitor.level()
    assert "done" == (await give(visitor, key.get(passkeys.options_of(asked)))).journey["status"]


async def test_pky_02_another_customers_credential(bank: Bank, key: Authenticator) -> None:
    """It signs its own owner in, and proves nothing for the customer who was named."""
    chens = a_key()
    await passkeys.add(bank, CHEN, chens)
    await passkeys.season(bank)
    visitor = bank.visitor()
    await visitor.start("reset-password", "phone", phone=LI.phone)
    asked = await visitor.answer("choose", way="passkey")
    assert "not-recognised" == (await give(visitor, chens.get(passkeys.options_of(asked)))).cause
    # With Li's handle the signature is Chen's still.
    chens.user_handle = key.user_handle
    assert visitor.last is not None
    assert "not-recognised" == (await give(visitor, chens.get(passkeys.options_of(visitor.last)))).cause
    done = await give(visitor, key.get(passkeys.options_of(visitor.last)))
    assert "set-password" == done.step


async def test_pky_02_what_is_made_is_checked_too(bank: Bank) -> None:
    """Origin, challenge, verification, algorithm: an authenticator that bends one of them adds nothing."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    bent = (
        a_key("https://evil.example"),
        a_key(flags=PRESENT),
        a_key(flags=VERIFIED),
        a_key(flags=PRESENT | VERIFIED | BACKED_UP),
    )
    for key in bent:
        asked = await visitor.start("add-passkey")
        refused = await give(visitor, key.create(passkeys.options_of(asked)))
        assert "passkey-not-made" == refused.cause
        assert "refused" == refused.journey["status"]
        bank.clock.turn(61)
        await visitor.get("/v1/session")
    asked = await visitor.start("add-passkey")
    used = passkeys.options_of(asked)
    used["challenge"] = b64(b"c" * 32)
    assert "passkey-not-made" == (await give(visitor, a_key().create(used))).cause
    assert [] == [event for event in await bank.events(LI) if event == "passkey-added"]


async def test_pky_02_one_credential_is_one_customers(bank: Bank, key: Authenticator) -> None:
    """Whoever brings a credential that somebody has already adds nothing."""
    visitor = bank.visitor()
    await visitor.sign_in(CHEN)
    asked = await visitor.start("add-passkey")
    assert "passkey-not-made" == (await give(visitor, key.create(passkeys.options_of(asked)))).cause


# ---------------------------------------------------------------- PKY-03, PKY-04


async def test_pky_03_synced_or_not_is_recorded_and_each_change_is(bank: Bank) -> None:
    """A key that may be copied says so for life; that it was is written down when it happens."""
    key = a_key(flags=PRESENT | VERIFIED | ELIGIBLE)
    visitor = await passkeys.add(bank, LI, key)
    shown = (await visitor.get("/v1/me/ways")).body["ways"]
    assert [False] == [way["is_synced"] for way in shown if way["proof"] == "passkey"]
    key.flags |= BACKED_UP
    again = bank.visitor()
    assert "done" == (await passkeys.sign_in(again, key)).journey["status"]
    assert "passkey-backup-changed" in await bank.events(LI)
    shown = (await again.get("/v1/me/ways")).body["ways"]
    assert [True] == [way["is_synced"] for way in shown if way["proof"] == "passkey"]


async def test_pky_04_a_count_that_goes_back_raises_an_alarm(bank: Bank, key: Authenticator) -> None:
    """The copy is refused like anything else; its owner hears of it, and the owner's own key works on."""
    await passkeys.sign_in(bank.visitor(), key)
    await passkeys.sign_in(bank.visitor(), key)
    copied, key.count = key.count, 0
    thief = bank.visitor()
    refused = await passkeys.sign_in(thief, key)
    assert "not-recognised" == refused.cause
    assert "alarm" in await bank.events(LI)
    assert "sms.passkey-copied" in await bank.messages_about(LI)
    key.count = copied
    assert "done" == (await passkeys.sign_in(bank.visitor(), key)).journey["status"]


async def test_pky_04_only_a_right_signature_is_judged_by_its_count(bank: Bank, key: Authenticator) -> None:
    """Or whoever knows a credential could raise the alarm in its owner's name."""
    await passkeys.sign_in(bank.visitor(), key)
    key.count = -1
    visitor = bank.visitor()
    answer = another_signs(key, key.get(await passkeys.begin(visitor)))
    assert "not-recognised" == (await give(visitor, answer)).cause
    assert "alarm" not in await bank.events(LI)


async def test_a_key_that_never_counts_signs_in_again_and_again(bank: Bank) -> None:
    """As those of most phones do."""
    key = a_key()
    await passkeys.add(bank, LI, key)
    for _ in range(3):
        key.count = -1
        assert "done" == (await passkeys.sign_in(bank.visitor(), key)).journey["status"]


# ---------------------------------------------------------------- PKY-05


async def test_pky_05_adding_and_removing_ask_for_two_categories_just_now(bank: Bank, key: Authenticator) -> None:
    """A session of an hour ago is not enough for either; what is not one's own is not there."""
    for journey in ("add-passkey", "remove-passkey"):
        bank.clock.turn(61)
        visitor = bank.visitor()
        await visitor.sign_in(LI)
        for _ in range(3):
            bank.clock.turn(120)
            await visitor.get("/v1/session")
        asked = await visitor.start(journey)
        assert "phone_code" == asked.step, journey
    chen = bank.visitor()
    await chen.sign_in(CHEN)
    await chen.start("remove-passkey")
    owner = bank.visitor()
    await passkeys.sign_in(owner, key)
    mine = (await owner.get("/v1/me/ways")).body["ways"]
    some_id = next(way["id"] for way in mine if way["proof"] == "passkey")
    assert "no-such-passkey" == (await chen.answer(passkey_id=some_id)).cause
    assert "done" == (await passkeys.sign_in(bank.visitor(), key)).journey["status"]


async def test_pky_05_the_last_way_in_is_not_removed(bank: Bank, key: Authenticator) -> None:
    """Whoever has neither password nor card PIN left keeps their passkey, and hears what to do first."""
    visitor = bank.visitor()
    await passkeys.sign_in(visitor, key)
    async with bank.house.store.begin() as tx:
        for counter in ("password", "card_pin"):
            for _ in range(limits.TOTAL_FAILURES):
                await tx.counters.charge(bank.customer_id(LI), counter, "unknown", bank.clock.now() - 10**7)
                await tx.counters.clear(bank.customer_id(LI), (counter,))
    mine = (await visitor.get("/v1/me/ways")).body
    (own,) = [way["id"] for way in mine["ways"] if way["proof"] == "passkey"]
    await visitor.start("remove-passkey")
    refused = await visitor.answer(passkey_id=own)
    assert "last-way-in" == refused.cause
    assert {"remember-device", "add-passkey", "visit-outlet"} == set(refused.remedies)
    assert "done" == (await passkeys.sign_in(bank.visitor(), key)).journey["status"]
    # A spare one makes the first removable.
    await passkeys.add_here(visitor, a_key())
    await visitor.start("remove-passkey")
    assert "done" == (await visitor.answer(passkey_id=own)).journey["status"]
    assert "not-recognised" == (await passkeys.sign_in(bank.visitor(), key)).cause


async def test_a_removed_passkey_ends_what_passkeys_opened_elsewhere(bank: Bank, key: Authenticator) -> None:
    """The thief with the phone is out; the one who removed it stays."""
    thief, owner = bank.visitor(), bank.visitor()
    await passkeys.sign_in(thief, key)
    await owner.sign_in(LI)
    (own,) = [way["id"] for way in (await owner.get("/v1/me/ways")).body["ways"] if way["proof"] == "passkey"]
    await owner.start("remove-passkey")
    assert "done" == (await owner.answer(passkey_id=own)).journey["status"]
    assert (None, "full") == (await thief.level(), await owner.level())
    assert "sms.passkey-removed" in await bank.messages_about(LI)


# ---------------------------------------------------------------- a day of nothing


async def test_a_new_passkey_signs_in_and_buys_nothing_that_lasts(bank: Bank) -> None:
    """By itself, and by the session that it opened; after a day it does."""
    key = a_key()
    await passkeys.add(bank, LI, key)
    bank.clock.turn(600)

    async def by_itself() -> Answer:
        visitor = bank.visitor()
        await visitor.start("reset-password", "phone", phone=LI.phone)
        asked = await visitor.answer("choose", way="passkey")
        return await give(visitor, key.get(passkeys.options_of(asked)))

    async def by_its_session() -> Answer:
        visitor = bank.visitor()
        assert "done" == (await passkeys.sign_in(visitor, key)).journey["status"]
        return await visitor.start("remember-device")

    for way in (by_itself, by_its_session):
        refused = await way()
        assert "passkey-too-new" == refused.cause, way
        assert refused.body["retry_in_seconds"] > 80_000
    await passkeys.season(bank)
    assert "new_password" in (await by_itself()).raw.text
    assert "done" == (await by_its_session()).journey["status"]


async def test_a_new_passkey_may_still_sign_out_and_renew_a_document(bank: Bank) -> None:
    """What ends or renews hands a thief nothing."""
    key = a_key()
    await passkeys.add(bank, LI, key)
    visitor = bank.visitor()
    await passkeys.sign_in(visitor, key)
    assert "renew-document" == (await visitor.start("renew-document")).step
    assert "done" == (await visitor.start("sign-out")).journey["status"]


# ---------------------------------------------------------------- ENU-05, LCK-01


async def test_enu_05_options_are_the_same_for_everybody_and_for_nobody(bank: Bank, key: Authenticator) -> None:
    """With passkeys, without, and nobody at all: the same question, today and tomorrow, and no credential in it."""
    asked: list[dict[str, Any]] = []
    for phone in (LI.phone, WANG.phone, "+8613512345678", "+8613512345678"):
        visitor = bank.visitor()
        await visitor.start("reset-password", "phone", phone=phone)
        answer = await visitor.answer("choose", way="passkey")
        options = passkeys.options_of(answer)
        assert b64(key.credential_id) not in answer.raw.text
        assert unb64(options.pop("challenge"))
        asked.append({"options": options, "ways": [way["name"] for way in answer.journey["other_ways"]]})
        bank.clock.turn(61)
    assert [asked[0]] * 4 == asked
    assert [] == asked[0]["options"]["allowCredentials"]


async def test_after_possession_the_customers_own_credentials_are_listed(bank: Bank, key: Authenticator) -> None:
    """So that a phone shows the right one; whoever has none is not asked for one."""
    for person, is_asked in ((LI, True), (WANG, False)):
        visitor = bank.visitor()
        await visitor.start("reset-password", "phone", phone=person.phone)
        answer = await visitor.answer(code=await bank.code(person.phone))
        assert is_asked == ("passkey" in [way["name"] for way in answer.journey["other_ways"]])
        if is_asked:
            asked = await visitor.answer("choose", way="passkey")
            assert [b64(key.credential_id)] == [known["id"] for known in passkeys.options_of(asked)["allowCredentials"]]


async def test_lck_01_no_stranger_keeps_a_passkey_out(bank: Bank, key: Authenticator) -> None:
    """A stranger fails on every door; a thief with the SIM closes sign-in; the passkey gets in, or reopens."""
    stranger = bank.visitor()
    for _ in range(12):
        asked = await stranger.start("sign-in", "choose", way="passkey")
        await give(stranger, another_signs(key, key.get(passkeys.options_of(asked))))
        key.count += 1
    assert "done" == (await passkeys.sign_in(bank.visitor(), key)).journey["status"]

    thief = bank.visitor()
    for _ in range(2):
        await thief.start("sign-in", "phone", phone=LI.phone)
        await thief.answer(code=await bank.code(LI.phone))
        for _ in range(limits.ROW_FAILURES):
            await thief.answer(password="not mine at all")
        bank.clock.turn(limits.BLOCK_SECONDS)
    assert "closed-by-failures" == (await passkeys.sign_in(bank.visitor(), key)).cause
    owner = bank.visitor()
    await owner.start("reopen", "card_and_phone", card_number=LI.card, phone=LI.bound)
    asked = await owner.answer("choose", way="passkey")
    assert "done" == (await give(owner, key.get(passkeys.options_of(asked)))).journey["status"]
    assert "done" == (await passkeys.sign_in(bank.visitor(), key)).journey["status"]
