"""The journeys, walked through the API as people walk them."""

import pytest
from argon2 import PasswordHasher

from foregate.gateways.hashing import PEPPER
from foregate.rules import limits
from tests.bank import CHEN, LI, WANG, Bank, Person

pytestmark = pytest.mark.anyio


def fields_of_register(person: Person) -> dict[str, str]:
    return {
        "card_number": person.card,
        "name": person.name,
        "document_type": person.document_type,
        "document_number": person.document_number,
    }


async def test_a_card_holder_registers(bank: Bank) -> None:
    """Card, name and document, a code to the bound number, the card's PIN: then the chosen names open the bank."""
    new = Person("C009", "赵六", "6222020000000000042", "318642", "+8615012345678", "+8615012345678", "zhaoliu",
                 "seven quiet lanterns", LI.document_number)  # fmt: skip
    await bank.settle(new, registered=False)
    visitor = bank.visitor()

    await visitor.start("register", "card_name_document", **fields_of_register(new))
    asked = await visitor.answer(code=await bank.code(new.bound))
    assert "card_pin" == asked.step
    asked = await visitor.answer(card_pin=new.pin)
    assert "inform" == asked.journey["step"]["kind"]
    done = await visitor.answer(new_user_name="赵六六六6", new_password=new.password, remember_device=True)

    assert "done" == done.journey["status"]
    assert "full" == await visitor.level()
    assert any("__Host-device" in cookie for cookie in done.raw.headers.get_list("set-cookie"))


async def test_basic_then_full_in_place(bank: Bank) -> None:
    """A phone and a code open a basic session; the one missing proof makes it full, and the old name dies."""
    visitor = bank.visitor()
    await visitor.sign_in_basic(LI)
    assert "basic" == await visitor.level()
    old = dict(visitor.client.cookies)["__Host-session"]

    asked = await visitor.start("finish-sign-in")
    assert "password" == asked.step
    done = await visitor.answer(password=LI.password)

    assert "full" == done.journey["outcome"]["session"]
    assert "full" == await visitor.level()
    thief = bank.visitor()
    thief.client.cookies.set("__Host-session", old, domain="login.bank.test", path="/")
    assert await thief.level() is None


@pytest.mark.parametrize(
    ("step", "facts"),
    [
        ("phone", {"phone": "138 0013-8000"}),
        ("card", {"card_number": LI.card}),
        ("user_name", {"user_name": "LiXiaoMing"}),
    ],
)
async def test_full_sign_in_by_each_name(bank: Bank, step: str, facts: dict[str, str]) -> None:
    """Phone, card number and user name lead to the same two proofs."""
    visitor = bank.visitor()
    await visitor.start("sign-in", step, **facts)
    asked = await visitor.answer(code=await bank.code(LI.phone))
    assert "password" == asked.step
    await visitor.answer(password=LI.password)
    assert "full" == await visitor.level()


async def test_an_older_hash_is_made_anew_at_the_next_sign_in(bank: Bank) -> None:
    """What was hashed with yesterday's parameters is hashed with today's, once, when the password is at hand."""
    hasher, who = bank.house.hasher, bank.customer_id(LI)
    peppered = bank.keys.derive(PEPPER, LI.password.encode())
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(peppered)
    async with bank.house.store.begin() as tx:
        await tx.customers.set_password(who, old)
    await bank.visitor().sign_in(LI)
    async with bank.house.store.begin() as tx:
        kept = await tx.customers.find(who)

    assert kept is not None
    assert kept.password_hash not in (None, old)
    assert not hasher.needs_rehash(kept.password_hash or "")
    assert await hasher.verify(kept.password_hash, LI.password)


async def test_another_way_than_the_password(bank: Bank) -> None:
    """Who does not know the password may take the card's PIN."""
    visitor = bank.visitor()
    await visitor.start("sign-in", "card", card_number=WANG.card)
    asked = await visitor.answer(code=await bank.code(WANG.phone))
    assert ["card_pin"] == [way["name"] for way in asked.journey["other_ways"]]
    await visitor.answer("choose", way="card_pin")
    await visitor.answer(card_pin=WANG.pin)
    assert "full" == await visitor.level()


async def test_a_remembered_device_needs_no_code(bank: Bank) -> None:
    """On a remembered device the password is asked at once, and no message is sent."""
    visitor = bank.visitor()
    await bank.remember(visitor, LI)
    asked = await visitor.start("sign-in", "phone", phone=LI.phone)
    assert "password" == asked.step
    await visitor.answer(password=LI.password)
    assert "full" == await visitor.level()
    assert [] == await bank.texts(LI.phone)


async def test_a_late_code_is_refreshed(bank: Bank) -> None:
    """After five minutes the code is late; a new one works, the old one never again."""
    visitor = bank.visitor()
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    late = await bank.code(LI.phone)
    bank.clock.turn(limits.CODE_TTL_SECONDS + 1)
    refused = await visitor.answer(code=late)
    assert ("code-expired", True) == (refused.cause, "ask-new-code" in refused.remedies)

    await visitor.answer("resend")
    assert "code-wrong" == (await visitor.answer(code=late)).cause
    await visitor.answer(code=await bank.code(LI.phone))
    assert "basic" == await visitor.level()


async def test_two_failures_then_reopen(bank: Bank) -> None:
    """The second failure offers `reopen`; it opens a closed permission and signs nobody in."""
    visitor = bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    first = await visitor.answer(password="not this one")
    second = await visitor.answer(password="nor this one")
    assert ("password-wrong", 4, False) == (first.cause, first.body["tries_left"], "reopen" in first.remedies)
    assert ("password-wrong", 3, True) == (second.cause, second.body["tries_left"], "reopen" in second.remedies)

    bank.clock.turn(61)
    await visitor.start("reopen", "card_and_phone", card_number=LI.card, phone=LI.bound)
    await visitor.answer(code=await bank.code(LI.bound))
    await visitor.answer("choose", way="card_pin") if visitor.last and visitor.last.step != "card_pin" else None
    done = await visitor.answer(card_pin=LI.pin)
    assert "done" == done.journey["status"]
    assert await visitor.level() is None


async def test_ten_failures_close_the_lane_and_reopen_opens_it(bank: Bank) -> None:
    """Ten wrong passwords in a row close sign-in for unknown devices; a remembered device is not closed with them."""
    visitor = bank.visitor()
    for _ in range(2):
        await visitor.start("sign-in", "phone", phone=LI.phone)
        await visitor.answer(code=await bank.code(LI.phone))
        for _ in range(limits.ROW_FAILURES):
            refused = await visitor.answer("password", password="wrong wrong")
        bank.clock.turn(limits.BLOCK_SECONDS + 1)
    assert "closed-by-failures" == refused.cause
    assert "reopen" in refused.remedies

    await visitor.start("sign-in", "phone", phone=LI.phone)
    assert "closed-by-failures" == (await visitor.answer(code=await bank.code(LI.phone))).cause
    remembered = bank.visitor()
    await bank.remember(remembered, LI)
    await remembered.start("sign-in", "phone", phone=LI.phone)
    await remembered.answer(password=LI.password)
    assert "full" == await remembered.level()


async def test_a_forgotten_password_is_reset(bank: Bank) -> None:
    """Code and card PIN buy a new password; every session dies and nobody is signed in."""
    elsewhere = bank.visitor()
    await elsewhere.sign_in(LI)
    bank.clock.turn(61)
    visitor = bank.visitor()
    await visitor.start("reset-password", "user_name", user_name=LI.user_name)
    await visitor.answer(code=await bank.code(LI.phone))
    await visitor.answer(card_pin=LI.pin)
    weak = await visitor.answer(new_password="woaini1314")
    assert ("input-invalid", "password-common") == (weak.cause, weak.body["fields"][0]["code"])
    done = await visitor.answer(new_password="a quite new evening")

    assert "done" == done.journey["status"]
    assert (None, None) == (await visitor.level(), await elsewhere.level())
    bank.clock.turn(61)
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    assert "password-wrong" == (await visitor.answer(password=LI.password)).cause
    await visitor.answer(password="a quite new evening")
    assert "full" == await visitor.level()


async def test_sign_out_everywhere(bank: Bank) -> None:
    """One tap ends every session at once."""
    here, there = bank.visitor(), bank.visitor()
    await here.sign_in(LI)
    bank.clock.turn(61)
    await there.sign_in(LI)
    bank.clock.turn(1)
    done = await here.start("sign-out-everywhere")
    assert "done" == done.journey["status"]
    assert (None, None) == (await here.level(), await there.level())


async def test_freeze_and_the_way_back(bank: Bank) -> None:
    """A lost phone is frozen from any browser by card and PIN; sessions end, sign-in is closed, reopen opens it."""
    phone = bank.visitor()
    await phone.sign_in(WANG)
    borrowed = bank.visitor()
    await borrowed.start("freeze", "card", card_number=WANG.card)
    await borrowed.answer("choose", way="card_pin")
    done = await borrowed.answer(card_pin=WANG.pin)
    assert "done" == done.journey["status"]
    assert await phone.level() is None

    bank.clock.turn(61)
    await phone.start("sign-in-basic", "phone", phone=WANG.phone)
    refused = await phone.answer(code=await bank.code(WANG.phone))
    assert ("closed-by-customer", True) == (refused.cause, "reopen" in refused.remedies)
    await borrowed.start("reopen", "card_and_phone", card_number=WANG.card, phone=WANG.bound)
    await borrowed.answer(code=await bank.code(WANG.bound))
    await borrowed.answer(card_pin=WANG.pin)
    bank.clock.turn(61)
    await phone.start("sign-in-basic", "phone", phone=WANG.phone)
    await phone.answer(code=await bank.code(WANG.phone))
    assert "basic" == await phone.level()


async def test_freezing_a_shared_number_asks_whom(bank: Bank) -> None:
    """A family shares a number: after possession the visitor picks, by masked name."""
    from dataclasses import replace

    child = replace(CHEN, core_ref="C020", name="李小宝", bound=LI.phone, phone="+8615900000001", user_name="xiaobao",
                    card="6222020000000000059")  # fmt: skip
    await bank.settle(child)
    visitor = bank.visitor()
    await visitor.start("freeze", "phone", phone=LI.phone)
    asked = await visitor.answer(code=await bank.code(LI.phone))
    assert "pick" == asked.step
    options = {o["label"]: o["value"] for o in asked.journey["step"]["fields"][0]["options"]}
    assert {"**明", "**宝"} == set(options)
    done = await visitor.answer(customer=options["**宝"])
    assert "done" == done.journey["status"]
    bank.clock.turn(61)
    await visitor.sign_in_basic(LI)
    assert "basic" == await visitor.level()


async def test_sending_a_text_instead_of_waiting_for_one(bank: Bank) -> None:
    """Who gets no code sends one: from the right number it counts, from another it does not."""
    visitor = bank.visitor()
    asked = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    digits = asked.journey["step"]["facts"]["text_us"]
    assert "text-not-arrived" == (await visitor.answer("text-us")).cause
    await bank.phones.text_us(WANG.phone, digits)
    assert "text-not-arrived" == (await visitor.answer("text-us")).cause
    await bank.phones.text_us(LI.phone, f"FG {digits}")
    await visitor.answer("text-us")
    assert "basic" == await visitor.level()


async def test_devices_and_sessions_are_listed_and_revoked(bank: Bank) -> None:
    """Remember, list, forget: a forgotten device takes its sessions with it."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    await visitor.start("remember-device")
    devices = (await visitor.get("/v1/devices")).body["list"]
    sessions = (await visitor.get("/v1/sessions")).body["list"]
    assert ([True], [True]) == ([d["is_this"] for d in devices], [s["is_this"] for s in sessions])
    refused = await visitor.start("forget-device", "forget-device", device_id="somebody-elses")
    assert "no-such-device" == refused.cause
    await visitor.start("forget-device", "forget-device", device_id=devices[0]["id"])
    assert await visitor.level() is None


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("journey", "listed", "field"),
    [("revoke-session", "/v1/sessions", "session_id"), ("forget-device", "/v1/devices", "device_id")],
)
async def test_what_may_be_revoked_is_offered(bank: Bank, journey: str, listed: str, field: str) -> None:
    """Who knows only the steps learns what there is to choose: the customer's own as in the list, by its name."""
    phone, here, idle = bank.visitor(headers={"User-Agent": IPHONE}), bank.visitor(), bank.visitor()
    await idle.sign_in(LI)
    bank.clock.turn(limits.IDLE_SECONDS)
    for visitor, person in ((phone, LI), (bank.visitor(), WANG), (here, LI)):
        await visitor.sign_in(person)
        await visitor.start("remember-device")
        bank.clock.turn(limits.RESEND_SECONDS + 1)

    (asked,) = (await here.start(journey)).journey["step"]["fields"]
    labels = {option["value"]: option["label"] for option in asked["options"]}
    assert [row["id"] for row in (await here.get(listed)).body["list"]] == list(labels)
    assert {"Safari · iPhone", "不认识的设备"} == set(labels.values())
    assert here.last is not None
    page = await here.client.get(f"/j/{here.last.journey['id']}")
    assert all(f'value="{value}" required>{label}' in page.text for value, label in labels.items())

    (theirs,) = [value for value, label in labels.items() if "iPhone" in label]
    await here.answer(**{field: theirs})
    assert (None, "full") == (await phone.level(), await here.level())


async def test_a_repeated_answer_gets_the_first_reply(bank: Bank) -> None:
    """A lost reply is asked for again with the same key: one try is counted, and the session comes again."""
    visitor = bank.visitor()
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    first_step = visitor.last
    right = await bank.code(LI.phone)
    first = await visitor.answer(code=right, key="k1")
    visitor.last = first_step
    again = await visitor.answer(code=right, key="k1")
    assert (200, 200) == (first.status, again.status)
    assert first.body["version"] == again.body["version"]
    assert first.raw.cookies["__Host-session"] == again.raw.cookies["__Host-session"]
    visitor.last = first_step
    assert "key-reused" == (await visitor.answer(code="000000", key="k1")).cause


async def test_a_second_tap_finds_the_first_journey(bank: Bank) -> None:
    """Two taps on "get code" send one message."""
    visitor = bank.visitor()
    await visitor.get("/healthz")
    first = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    second = await visitor.start("sign-in-basic", "phone", phone="+86 138 0013 8000")
    assert first.body["id"] == second.body["id"]
    assert 1 == len(await bank.texts(LI.phone))


async def test_a_second_tap_of_somebody_signed_in_finds_the_first_journey(bank: Bank) -> None:
    """A reload within the minute begins nothing and sends nothing; another journey or a later start does."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    for _ in range(3):  # what was proved is too old by then to vouch for a device
        bank.clock.turn(120)
        await visitor.level()
    first = await visitor.start("remember-device")
    arrived = len(await bank.texts(LI.phone))
    second = await visitor.start("remember-device")
    assert (201, 200, "phone_code") == (first.status, second.status, second.step)
    assert (first.body["id"], arrived) == (second.body["id"], len(await bank.texts(LI.phone)))

    bank.clock.turn(limits.RESEND_SECONDS + 1)
    third = await visitor.start("remember-device")
    assert first.body["id"] != third.body["id"]
    assert arrived + 1 == len(await bank.texts(LI.phone))


async def test_a_proof_typed_twice_in_place_is_one_journey(bank: Bank) -> None:
    """A wrong password on the home page, then the right one: both answer the journey that the first began."""
    visitor = bank.visitor()
    await visitor.sign_in_basic(LI)
    wrong = await visitor.start("finish-sign-in", "password", password="not this one")
    assert ("password-wrong", 4) == (wrong.cause, wrong.body["tries_left"])
    right = await visitor.start("finish-sign-in", "password", password=LI.password)
    assert (wrong.journey["id"], "done", "full") == (right.body["id"], right.body["status"], await visitor.level())


async def test_somebody_else_on_the_same_browser_begins_anew(bank: Bank) -> None:
    """What one session began another does not find, on a tablet that two people share."""
    visitor = bank.visitor()
    await visitor.sign_in_basic(LI)
    first = await visitor.start("finish-sign-in")
    await visitor.sign_in_basic(WANG)
    assert first.body["id"] != (await visitor.start("finish-sign-in")).body["id"]


async def test_an_expired_journey_names_its_successor(bank: Bank) -> None:
    """After fifteen minutes a journey is gone, and says how to begin again."""
    visitor = bank.visitor()
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    bank.clock.turn(limits.JOURNEY_SECONDS)
    gone = await visitor.answer(code="123456")
    assert (410, "journey-expired", True) == (gone.status, gone.cause, "start-again" in gone.remedies)


async def test_a_number_of_nobody_learns_so_after_possession(bank: Bank) -> None:
    """Who holds an unregistered number is told, once they have shown it, and led to register."""
    visitor = bank.visitor()
    await visitor.start("sign-in-basic", "phone", phone="15000000000")
    refused = await visitor.answer(code=await bank.code("+8615000000000"))
    assert ("not-registered", True) == (refused.cause, "register" in refused.remedies)
