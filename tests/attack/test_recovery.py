"""REC: recovery, binding, notification; SES: sessions; PWD: passwords and names."""

from dataclasses import replace
from itertools import permutations

import pytest

from foregate.rules import limits
from foregate.rules.journeys import JOURNEYS
from tests.bank import CHEN, LI, WANG, Bank, Visitor

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

STARTS = {
    "register": ("card_name_document", {"card_number": LI.card, "name": LI.name, "document_type": LI.document_type,
                                        "document_number": LI.document_number}),
    "sign-in-basic": ("phone", {"phone": LI.phone}),
    "sign-in": ("user_name", {"user_name": LI.user_name}),
    "reopen": ("card_and_phone", {"phone": LI.bound, "card_number": LI.card}),
    "reset-password": ("card", {"card_number": LI.card}),
    "freeze": ("phone", {"phone": LI.phone}),
}  # fmt: skip
LATER = {
    "phone_code": {"code": "000000"},
    "password": {"password": LI.password},
    "card_pin": {"card_pin": LI.pin},
    "pick": {"customer": "anybody"},
    "register": {"new_user_name": "somebody", "new_password": "any other evening"},
    "set-password": {"new_password": "any other evening"},
    "text-us": {},
    "choose": {"way": "password"},
}


async def is_untouched(bank: Bank) -> bool:
    """Nobody is signed in as Li, and Li's password is what it was."""
    async with bank.house.store.begin() as tx:
        customer = await tx.customers.find(bank.customer_id(LI))
        sessions = await tx.sessions.of(bank.customer_id(LI))
        lanes = await tx.permissions.of(bank.customer_id(LI))
    assert customer is not None
    is_same = await bank.house.hasher.verify(customer.password_hash, LI.password)
    return is_same and not sessions and not lanes


@pytest.mark.parametrize("journey", STARTS)
async def test_rec_01_steps_out_of_order_do_nothing(bank: Bank, journey: str) -> None:
    """Every order of two later steps, empty and full, twice, from the start of each journey: no effect."""
    for steps in permutations(LATER, 2):
        visitor = bank.visitor()
        await visitor.start(journey, STARTS[journey][0], **STARTS[journey][1])
        for step in (*steps, steps[0]):
            for answer in ({}, LATER[step]):
                refused = await visitor.answer(step, **answer)
                assert "done" != refused.journey.get("status"), (steps, step)
                assert refused.status < 500
        bank.clock.turn(3601)
    assert await is_untouched(bank)


async def test_rec_01_a_finished_journey_does_nothing_more(bank: Bank) -> None:
    """After its end a journey refuses every step, from any browser."""
    visitor = bank.visitor()
    await visitor.sign_in_basic(LI)
    for step, answer in LATER.items():
        assert "journey-ended" == (await visitor.answer(step, **answer)).cause


@pytest.mark.parametrize("planted", ["", "x" * 86, "A" * 86, "..", "%00", "eyJhbGciOiJub25lIn0.e30."])
async def test_rec_02_no_value_of_the_client_proves_anything(bank: Bank, planted: str) -> None:
    """Forged sessions, devices and visitors, extra fields in a body: ignored or refused."""
    visitor = bank.visitor()
    for name in ("__Host-session", "__Host-device", "__Host-visitor"):
        visitor.client.cookies.set(name, planted, domain="login.bank.test", path="/")
    assert await visitor.level() is None
    asked = await visitor.start("sign-in", "phone", phone=LI.phone)
    assert "phone_code" == asked.step
    for field in ("verified", "proved", "customer_id", "evidence", "role"):
        refused = await visitor.answer(code="000000", **{field: "yes"})
        assert "input-invalid" == refused.cause
    raw = await visitor.client.post("/v1/journeys", json={"journey": "sign-in", "evidence": ["password"]})
    assert 422 == raw.status_code


async def test_rec_02_a_device_counts_for_its_own_customer_only(bank: Bank) -> None:
    """Wang's remembered phone proves nothing about Li."""
    visitor = bank.visitor()
    await bank.remember(visitor, WANG)
    assert "phone_code" == (await visitor.start("sign-in", "phone", phone=LI.phone)).step


async def test_rec_03_a_reset_needs_two_categories(bank: Bank) -> None:
    """The code alone, twice the code, or the password itself buy no new password."""
    visitor = bank.visitor()
    await visitor.start("reset-password", "phone", phone=LI.phone)
    asked = await visitor.answer(code=await bank.code(LI.phone))
    assert ("card_pin", []) == (asked.step, asked.journey["other_ways"])
    for step in ("set-password", "password"):
        assert "journey-moved-on" == (await visitor.answer(step, **LATER[step])).cause
    assert await is_untouched(bank)


async def test_rec_04_changes_are_told_to_the_number(bank: Bank) -> None:
    """A new password, a frozen and a reopened login, a remembered device: each is told, with what to do."""
    visitor = bank.visitor()
    await visitor.start("reset-password", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    await visitor.answer(card_pin=LI.pin)
    await visitor.answer(new_password="a quite new evening")
    told = (await bank.texts(LI.phone))[0]
    assert "95000" in told
    assert "password-set" in await bank.events(LI)


async def test_rec_04_remembering_needs_fresh_evidence(bank: Bank) -> None:
    """Six minutes after signing in, a session no longer buys a remembered device without proving again."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    for _ in range(3):
        bank.clock.turn(120)
        assert "full" == await visitor.level()
    asked = await visitor.start("remember-device")
    assert "phone_code" == asked.step


async def test_rec_05_a_reset_ends_all_that_was_open(bank: Bank) -> None:
    """Sessions, half-done journeys and unused codes of before are dead at once."""
    held = [bank.visitor() for _ in range(3)]
    for visitor in held:
        await visitor.sign_in(LI)
        bank.clock.turn(61)
    waiting = bank.visitor()
    await waiting.start("sign-in-basic", "phone", phone=LI.phone)
    unused = await bank.code(LI.phone)
    bank.clock.turn(61)
    visitor = bank.visitor()
    await visitor.start("reset-password", "card", card_number=LI.card)
    await visitor.answer(code=await bank.code(LI.phone))
    await visitor.answer(card_pin=LI.pin)
    await visitor.answer(new_password="a quite new evening")
    assert [None] * 3 == [await v.level() for v in held]
    assert (await waiting.answer(code=unused)).status >= 400
    assert await waiting.level() is None


@pytest.mark.parametrize("host", ["evil.example", "login.bank.test.evil.example", "login.bank.test@evil.example", ""])
async def test_rec_07_a_foreign_host_is_refused(bank: Bank, host: str) -> None:
    """Links come from the settings; a request under another name is misdirected."""
    visitor = bank.visitor()
    visitor.headers = {"Host": host}
    refused = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert (421, "misdirected") == (refused.status, refused.cause)
    assert [] == await bank.texts(LI.phone)


async def test_rec_07_a_message_names_the_settings_host(bank: Bank) -> None:
    """X-Forwarded-Host and its kin do not reach a message."""
    visitor = bank.visitor()
    visitor.headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    text = (await bank.texts(LI.phone))[0]
    assert "evil" not in text
    assert f"@login.bank.test #{await bank.code(LI.phone)}" == text.splitlines()[-1]


def test_rec_08_no_secret_questions() -> None:
    """No journey asks for a question, a hint or a mail."""
    mentioned = repr(JOURNEYS)
    assert not any(word in mentioned for word in ("question", "hint", "mail"))


async def test_rec_10_registering_leaves_nothing_behind_unfinished(bank: Bank) -> None:
    """A stranger's half registration of somebody's card leaves no session, no name and no device."""
    new = replace(CHEN, core_ref="C030", card="6222020000000000042", bound="+8615011110000", phone="+8615011110000",
                  user_name="freshname", name="钱七")  # fmt: skip
    await bank.settle(new, registered=False)
    stranger, owner = bank.visitor(), bank.visitor()
    facts = {"card_number": new.card, "name": new.name, "document_type": new.document_type,
             "document_number": new.document_number}  # fmt: skip
    await stranger.start("register", "card_name_document", **facts)
    for _ in range(3):
        await stranger.answer(code="000000")
    bank.clock.turn(61)
    await owner.start("register", "card_name_document", **facts)
    await owner.answer(code=await bank.code(new.bound))
    await owner.answer(card_pin=new.pin)
    await owner.answer(new_user_name=new.user_name, new_password="seven quiet lanterns")
    assert ("full", None) == (await owner.level(), await stranger.level())
    assert (await stranger.answer("phone_code", code=await bank.code(new.bound))).status >= 400


async def test_rec_11_reading_changes_nothing(bank: Bank) -> None:
    """Ten GETs of every address leave the journey where it was."""
    visitor = bank.visitor()
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    before = visitor.last
    assert before is not None
    for _ in range(10):
        await visitor.client.get(f"/v1/journeys/{before.journey['id']}/answers")
        await visitor.look()
    assert visitor.last is not None
    assert before.journey["version"] == visitor.last.journey["version"]
    await visitor.answer(code=await bank.code(LI.phone))
    assert "basic" == await visitor.level()


# ---------------------------------------------------------------- SES


async def test_ses_02_idle_and_absolute_ends(bank: Bank) -> None:
    """Five idle minutes end a session; so do twelve hours of use."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    bank.clock.turn(limits.IDLE_SECONDS - 1)
    assert "full" == await visitor.level()
    bank.clock.turn(limits.IDLE_SECONDS)
    assert await visitor.level() is None

    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    await visitor.answer(password=LI.password)
    for _ in range(limits.SESSION_SECONDS // 240):
        bank.clock.turn(240)
        await visitor.level()
    assert await visitor.level() is None


async def test_ses_04_cookies_are_host_cookies(bank: Bank) -> None:
    """Every cookie is __Host-, Secure, HttpOnly, SameSite, for the whole site and no domain."""
    visitor = bank.visitor()
    asked = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    done = await visitor.answer(code=await bank.code(LI.phone))
    cookies = asked.raw.headers.get_list("set-cookie") + done.raw.headers.get_list("set-cookie")
    assert 2 == len(cookies)
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))
        assert "Domain" not in cookie


ORIGINS = [
    "https://evil.example",
    "null",
    "https://login.bank.test.evil.example",
    "http://login.bank.test",
    "https://login.bank.testevil",
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_ses_05_a_foreign_page_changes_nothing(bank: Bank, origin: str) -> None:
    """A post from another origin is refused, and no CORS header invites one."""
    visitor = bank.visitor()
    visitor.headers = {"Origin": origin}
    refused = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert "origin-refused" == refused.cause
    assert "access-control-allow-origin" not in refused.raw.headers
    assert [] == await bank.texts(LI.phone)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
async def test_ses_05_the_api_takes_json_only(bank: Bank, kind: str) -> None:
    """A form of a foreign page cannot speak JSON without being asked."""
    visitor = bank.visitor()
    raw = await visitor.client.post("/v1/journeys", content=b'{"journey":"sign-in"}', headers={"content-type": kind})
    assert raw.status_code in (403, 415)


async def test_ses_06_nobody_finishes_another_browsers_journey(bank: Bank) -> None:
    """A journey that an attacker began cannot be finished by the victim, nor the other way round."""
    attacker, victim = bank.visitor(), bank.visitor()
    await attacker.start("sign-in-basic", "phone", phone=WANG.phone)
    victim.last = attacker.last
    refused = await victim.answer(code=await bank.code(WANG.phone))
    assert ("journey-unknown", None, None) == (refused.cause, await victim.level(), await attacker.level())


# ---------------------------------------------------------------- PWD


async def asked_for_names(bank: Bank) -> Visitor:
    """A new card holder who stands before choosing a user name and a password."""
    new = replace(CHEN, core_ref="C040", card="6222020000000000042", bound="+8615022220000", name="孙八")
    await bank.settle(new, registered=False)
    visitor = bank.visitor()
    await visitor.start("register", "card_name_document", card_number=new.card, name=new.name,
                        document_type=new.document_type, document_number=new.document_number)  # fmt: skip
    await visitor.answer(code=await bank.code(new.bound))
    await visitor.answer(card_pin=new.pin)
    return visitor


REFUSED_PASSWORDS = {
    "short12": "password-too-short",
    "password": "password-common",
    "woaini1314": "password-common",
    "15022220000x": "password-personal",
    "19900307xx": "password-personal",
    "aaaaaaaaaaaa": "password-common",
    "x" * 129: "password-too-long",
    "qwertyuiop": "password-common",
    "sunshine1": "password-guessable",
}


async def test_pwd_01_02_what_thieves_try_first_is_refused_with_the_reason(bank: Bank) -> None:
    """Length in characters, common words, the customer's own data; no composition rule, nothing cut off."""
    visitor = await asked_for_names(bank)
    for password, code in REFUSED_PASSWORDS.items():
        refused = await visitor.answer(new_user_name="sunbaba", new_password=password)
        assert ("input-invalid", code) == (refused.cause, refused.body["fields"][0]["code"]), password
    long = "🌙" * 30 + " a trailing space, kept "
    await visitor.answer(new_user_name="sunbaba", new_password=long)
    assert "full" == await visitor.level()
    bank.clock.turn(61)
    again = bank.visitor()
    await again.start("sign-in", "user_name", user_name="ＳＵＮbaba")
    await again.answer(code=await bank.code("+8615022220000"))
    assert "password-wrong" == (await again.answer(password=long.rstrip())).cause
    await again.answer(password=long)
    assert "full" == await again.level()


BAD_NAMES = {
    "аdmin88": "user-name-scripts",  # a Cyrillic letter first
    "13800138000": "user-name-number",
    "6222020000000000018": "user-name-number",
    "ab": "user-name-length",
    "li ming": "user-name-characters",
    "li\u202eming": None,  # the direction mark is dropped, the rest is a name
    "LIXIAOMING": "taken",
    "ｌｉｘｉａｏｍｉｎｇ": "taken",
}


async def test_pwd_05_names_are_judged_in_their_one_spelling(bank: Bank) -> None:
    """Look-alikes, numbers and other spellings of a taken name are refused."""
    visitor = await asked_for_names(bank)
    for name, code in BAD_NAMES.items():
        if code is None:
            continue
        refused = await visitor.answer(new_user_name=name, new_password="seven quiet lanterns")
        assert code == refused.body["fields"][0]["code"], name


async def test_pwd_03_the_hash_is_argon2id_and_useless_without_the_key(bank: Bank) -> None:
    """OWASP's parameters stand in the row; with another key the right password fails."""
    import tomllib

    from foregate.gateways.hashing import Argon2Hasher
    from foregate.store.keyring import generate_keys, parse_keys

    async with bank.house.store.begin() as tx:
        customer = await tx.customers.find(bank.customer_id(LI))
    assert customer is not None
    assert customer.password_hash is not None
    assert customer.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    other = Argon2Hasher(parse_keys(tomllib.loads(generate_keys())))
    assert not await other.verify(customer.password_hash, LI.password)
    other.close()
