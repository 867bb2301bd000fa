"""AUT-14: a code of a number that changed hands lately buys nothing that lasts. Source: NIST SP 800-63B-4, 3.1.3.3."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from foregate.gateways.numbers.embedded import EmbeddedNumbers
from foregate.ports import Unreachable
from foregate.ports.numbers import NumberChanges
from foregate.rules import limits
from foregate.rules.numbers import LastChange
from foregate.rules.verdict import Verdict
from tests import passkeys
from tests.at_counter import permit_of
from tests.attack.test_enumeration import IDS, TWINS, trace
from tests.bank import CHEN, LI, WANG, Answer, Bank, Person, Visitor, open_bank
from tests.networks import Networks
from tests.office import open_office

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

CAUSE = "number-changed-hands"
YESTERDAY = 86_400
NEW_PASSWORD = "nine lanterns over 4 rivers"


@dataclass
class Asked:
    """Whom the bank asks: counts the questions, and fails or dawdles where a test says so."""

    numbers: NumberChanges | None = None
    phones: list[str] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    seconds: float = 0

    async def last_change(self, phone: str) -> LastChange:
        self.phones.append(phone)
        await asyncio.sleep(self.seconds)
        if self.fails:
            raise self.fails.pop(0)
        assert self.numbers is not None
        return await self.numbers.last_change(phone)

    async def close(self) -> None:
        assert self.numbers is not None
        await self.numbers.close()


@dataclass
class Town:
    """A bank that asks about numbers, and what it is answered."""

    bank: Bank
    asked: Asked
    numbers: EmbeddedNumbers

    def swap(self, phone: str, ago: int = YESTERDAY) -> None:
        """The number came to another SIM, so long ago; whoever holds that SIM reads its texts from now on."""
        self.numbers.put(phone, self.bank.clock.now() - ago)

    async def details(self, person: Person) -> list[dict[str, Any]]:
        """What the record says of refused proofs on a person's chain."""
        async with self.bank.house.store.begin() as tx:
            trail = await tx.trail.of(self.bank.customer_id(person), kinds=("proof-refused",))
        return [dict(entry.details) for entry in trail]


async def open_town(database: str, *, trusts: bool = True) -> Town:
    asked = Asked()
    bank = await open_bank(database, parts={"there": {"numbers": asked, "trusts_unknown_numbers": trusts}})
    asked.numbers = numbers = EmbeddedNumbers(bank.clock)
    await bank.settle(LI, WANG)
    await bank.settle(CHEN, registered=False)
    return Town(bank, asked, numbers)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    town = await open_town(f"sqlite:///{tmp_path / 'bank.db'}")
    yield town
    await town.bank.close()


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Town]:
    """What nobody knows is refused."""
    town = await open_town(f"sqlite:///{tmp_path / 'bank.db'}", trusts=False)
    yield town
    await town.bank.close()


async def coded(bank: Bank, visitor: Visitor, phone: str) -> Answer:
    """Type the code that just arrived."""
    return await visitor.answer("phone_code", code=await bank.code(phone))


def as_chen(visitor: Visitor) -> Awaitable[Answer]:
    return visitor.start(
        "register", "card_name_document", card_number=CHEN.card, name=CHEN.name, document_type=CHEN.document_type,
        document_number=CHEN.document_number,
    )  # fmt: skip


# Each journey that somebody who holds the SIM alone may begin, and whose number its code goes to.
BEGINNINGS: dict[str, tuple[Person, Callable[[Visitor], Awaitable[Answer]]]] = {
    "sign-in by phone": (LI, lambda v: v.start("sign-in", "phone", phone=LI.phone)),
    "sign-in by card": (LI, lambda v: v.start("sign-in", "card", card_number=LI.card)),
    "sign-in by name": (LI, lambda v: v.start("sign-in", "user_name", user_name=LI.user_name)),
    "reset-password": (LI, lambda v: v.start("reset-password", "phone", phone=LI.phone)),
    "reopen": (LI, lambda v: v.start("reopen", "card_and_phone", card_number=LI.card, phone=LI.bound)),
    "register": (CHEN, as_chen),
}
KNOWN = {"password": {"password": LI.password}, "card_pin": {"card_pin": LI.pin}}


async def is_outside(bank: Bank, visitor: Visitor) -> bool:
    """Whatever the thief knows besides is not even asked for, and nobody is signed in."""
    for step, answer in KNOWN.items():
        refused = await visitor.answer(step, **answer)
        assert refused.cause in ("journey-ended", "journey-moved-on"), (step, refused.body)
    async with bank.house.store.begin() as tx:
        counters = await tx.counters.of(bank.customer_id(LI))
    assert not [row for row in counters if row.total], "he was let guess"
    return await visitor.level() is None


@pytest.mark.parametrize("name", BEGINNINGS)
async def test_aut_14_a_recent_change_and_the_code_alone(town: Town, name: str) -> None:
    """The right code is worth nothing: another factor is demanded, the thief's knowledge is not, and why is told."""
    person, begin = BEGINNINGS[name]
    town.swap(person.bound)
    visitor = town.bank.visitor()
    await begin(visitor)
    assert [] == town.asked.phones, "asked before anything was shown"

    told = await coded(town.bank, visitor, person.bound)

    assert (CAUSE, 403, "refused") == (told.cause, told.status, told.journey["status"])
    assert "visit-outlet" in told.remedies
    assert limits.NUMBER_RECENT_SECONDS - YESTERDAY == told.body["retry_in_seconds"]
    assert [person.bound] == town.asked.phones
    assert await is_outside(town.bank, visitor)
    if person is LI:
        (refused, *_) = await town.details(LI)
        assert (CAUSE, "phone_code", "recent") == (refused["cause"], refused["proof"], refused["change"])


@pytest.mark.parametrize("ago", [limits.NUMBER_RECENT_SECONDS, limits.NUMBER_RECENT_SECONDS - 1])
async def test_aut_14_how_long_a_change_is_recent(town: Town, ago: int) -> None:
    """To the second: at the limit a code counts again, one second before it does not."""
    town.swap(LI.phone, ago)
    visitor = town.bank.visitor()
    signed_in = await visitor.sign_in(LI)
    is_old = ago == limits.NUMBER_RECENT_SECONDS
    assert ("full" if is_old else None) == await visitor.level(), signed_in.body


async def test_aut_14_a_basic_session_becomes_no_full_one(town: Town) -> None:
    """To look in, a code is enough; what lasts asks about its number, though the code came along in the session."""
    town.swap(LI.phone)
    visitor = town.bank.visitor()
    await visitor.sign_in_basic(LI)
    assert ("basic", []) == (await visitor.level(), town.asked.phones)

    for journey in ("finish-sign-in", "remember-device", "add-passkey"):
        told = await visitor.start(journey)
        assert (CAUSE, "refused") == (told.cause, told.journey["status"]), journey
        assert "journey-ended" == (await visitor.answer("password", password=LI.password)).cause
    assert "basic" == await visitor.level()


@pytest.mark.parametrize("journey", ["remember-device", "add-passkey"])
async def test_aut_14_signed_in_and_the_code_chosen(town: Town, journey: str) -> None:
    """On a remembered device the session is whole; a code of the new SIM adds nothing, what was there before does."""
    visitor = town.bank.visitor()
    await town.bank.remember(visitor, LI)
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer(password=LI.password)
    assert ("full", []) == (await visitor.level(), town.asked.phones)
    for seconds in (200, 101):  # nothing of it is fresh any more, and the session is in use
        town.bank.clock.turn(seconds)
        assert "full" == await visitor.level()
    town.swap(LI.phone)

    asked = await visitor.start(journey)
    assert "phone_code" == asked.step, asked.body
    told = await coded(town.bank, visitor, LI.phone)

    assert (CAUSE, "refused") == (told.cause, told.journey["status"])


async def test_aut_14_an_answer_is_for_one_code(town: Town) -> None:
    """A journey that stood open asks for another code: what was said of its number before is no answer now."""
    visitor = town.bank.visitor()
    await visitor.sign_in(LI)
    town.bank.clock.turn(200)
    assert "add-passkey" == (await visitor.start("add-passkey")).step
    assert [LI.phone, LI.phone] == town.asked.phones  # to sign in, and of the code that the session brought
    for seconds in (90, 90):
        town.bank.clock.turn(seconds)
        await visitor.level()
    town.swap(LI.phone, 60)
    assert "phone_code" == (await visitor.look()).step
    await visitor.answer("resend")
    told = await coded(town.bank, visitor, LI.phone)
    assert (CAUSE, 3) == (told.cause, len(town.asked.phones)), told.body


async def test_aut_14_a_remembered_device_is_the_other_factor(town: Town) -> None:
    """Whoever takes the code though the device does, hears why, and goes on with what they have."""
    town.swap(LI.phone)
    visitor = town.bank.visitor()
    await town.bank.remember(visitor, LI)
    asked = await visitor.start("sign-in", "phone", phone=LI.phone)
    assert "password" == asked.step
    await visitor.answer("choose", way="phone_code")
    told = await coded(town.bank, visitor, LI.phone)
    assert (CAUSE, "open", "password") == (told.cause, told.journey["status"], told.step)
    assert "wait" not in told.remedies  # there is a way right now
    assert "done" == (await visitor.answer(password=LI.password)).journey["status"]
    assert "full" == await visitor.level()


@pytest.mark.parametrize("journey", ["sign-in", "reset-password"])
async def test_aut_14_a_passkey_is_the_other_factor(town: Town, journey: str) -> None:
    """It rests on no number: it is asked for right away, beside the reason, and gets in."""
    key = passkeys.a_key()
    await passkeys.add(town.bank, LI, key)
    await passkeys.season(town.bank)
    town.swap(LI.phone)
    visitor = town.bank.visitor()
    await visitor.start(journey, "phone", phone=LI.phone)

    told = await coded(town.bank, visitor, LI.phone)

    assert (CAUSE, "open", "passkey") == (told.cause, told.journey["status"], told.step)
    assert [] == [way["name"] for way in told.journey["other_ways"]]
    shown = await visitor.look()
    proved = await visitor.answer(credential=json.dumps(key.get(passkeys.options_of(shown))))
    if journey == "reset-password":
        proved = await visitor.answer(new_password=NEW_PASSWORD)
    assert "done" == proved.journey["status"], proved.body
    assert ("full" if journey == "sign-in" else None) == await visitor.level()


async def test_aut_14_what_protects_is_never_asked_about(town: Town) -> None:
    """Looking in and freezing need no old SIM, and cost no question."""
    town.swap(LI.phone)
    visitor = town.bank.visitor()
    await visitor.sign_in_basic(LI)
    town.bank.clock.turn(61)
    await visitor.start("freeze", "phone", phone=LI.phone)
    frozen = await coded(town.bank, visitor, LI.phone)
    assert ("done", []) == (frozen.journey["status"], town.asked.phones), frozen.body


# ---------------------------------------------------------------- what nobody knows


@pytest.mark.parametrize("why", ["not known there", "service down"])
async def test_aut_14_unknown_is_trusted_where_the_bank_says_so(town: Town, why: str) -> None:
    """By default nobody is kept out because the networks' service is."""
    if why != "not known there":
        town.asked.fails = [Unreachable(why)]
    visitor = town.bank.visitor()
    await visitor.sign_in(LI)
    assert ("full", [LI.phone]) == (await visitor.level(), town.asked.phones)
    assert [] == await town.details(LI)


@pytest.mark.parametrize("why", ["not known there", "service down"])
async def test_aut_14_unknown_is_refused_where_the_bank_says_so(strict: Town, why: str) -> None:
    """Then it is worth as little as a change of yesterday, and nobody can say until when."""
    if why == "service down":
        strict.asked.fails = [Unreachable(why)]
    visitor = strict.bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    told = await coded(strict.bank, visitor, LI.phone)
    assert (CAUSE, "refused", None) == (told.cause, told.journey["status"], told.body.get("retry_in_seconds"))
    assert "wait" not in told.remedies
    assert "unknown" == (await strict.details(LI))[0]["change"]
    assert await is_outside(strict.bank, visitor)


async def test_aut_14_strict_and_known(strict: Town) -> None:
    """A number that is known to be long where it is counts."""
    strict.swap(LI.phone, 400 * 86_400)
    visitor = strict.bank.visitor()
    await visitor.sign_in(LI)
    assert "full" == await visitor.level()


# ---------------------------------------------------------------- the counter settles it


async def after_the_counter(town: Town) -> Visitor:
    """The counter confirmed the very same number; the customer sets a password with the permit."""
    permit = await permit_of(town.bank, LI, LI.phone)
    visitor = town.bank.visitor()
    await visitor.start("reset-password", "phone", phone=LI.phone)
    await coded(town.bank, visitor, LI.phone)
    await visitor.answer("choose", way="permit")
    await visitor.answer(permit=permit)
    done = await visitor.answer(new_password=NEW_PASSWORD)
    assert "done" == done.journey["status"], done.body
    town.bank.clock.turn(61)
    return visitor


async def sign_in_anew(town: Town) -> Answer:
    visitor = town.bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    told = await coded(town.bank, visitor, LI.phone)
    return await visitor.answer(password=NEW_PASSWORD) if told.cause is None else told


@pytest.mark.parametrize("is_known", [True, False])
async def test_aut_14_the_counter_leads_back_in(strict: Town, is_known: bool) -> None:
    """Two members of staff saw the person with this number after it changed: no dead end, known or not."""
    if is_known:
        strict.swap(LI.phone)
    await after_the_counter(strict)
    assert "done" == (await sign_in_anew(strict)).journey["status"]


async def test_aut_14_a_change_after_the_counter(town: Town) -> None:
    """What the counter saw is older than the change, so it vouches for nothing."""
    await after_the_counter(town)
    town.swap(LI.phone, 0)
    assert CAUSE == (await sign_in_anew(town)).cause


async def test_aut_14_what_the_counter_saw_ends(strict: Town) -> None:
    """Of a number nobody knows the counter knows something for as long as a change is recent, and no longer."""
    await after_the_counter(strict)
    strict.bank.clock.turn(limits.NUMBER_RECENT_SECONDS)
    assert CAUSE == (await sign_in_anew(strict)).cause


async def test_aut_14_the_counter_saw_another_number(town: Town) -> None:
    """A permit from before a number was replaced in some other way is none for the new one."""
    await after_the_counter(town)
    other = "+8613800138999"
    async with town.bank.house.store.begin() as tx:
        customer_id = town.bank.customer_id(LI)
        digest = town.bank.keys.digest
        until = town.bank.clock.now() + 3600 + limits.COOLING_SECONDS
        await tx.customers.move_phone(
            customer_id, other, was=digest("phone", LI.phone), to=digest("phone", other), cooling_until=until
        )
    town.bank.clock.turn(7200)
    town.numbers.put(other, town.bank.clock.now() - 2 * 86_400)
    visitor = town.bank.visitor()
    await visitor.start("sign-in", "phone", phone=other)
    assert CAUSE == (await coded(town.bank, visitor, other)).cause


async def test_aut_14_the_counter_saw_the_registered_number(town: Town) -> None:
    """For the number bound to the card, which is another one, that says nothing."""
    assert WANG.bound != WANG.phone
    town.swap(WANG.bound, 100)
    await permit_of(town.bank, WANG, WANG.phone)
    visitor = town.bank.visitor()
    await visitor.start("reopen", "card_and_phone", card_number=WANG.card, phone=WANG.bound)
    assert CAUSE == (await coded(town.bank, visitor, WANG.bound)).cause


async def test_aut_14_the_teller_sees_why(town: Town) -> None:
    """The verdict promises no code that the door does not take, and after the counter it does again."""
    office = await open_office(town.bank)
    ref = await office.look_up(office.teller, LI.card)

    async def verdict() -> Verdict:
        return await office.counter.files.verdict(office.teller, ref, frozenset())

    assert "nothing-wrong" == (await verdict()).headline
    town.swap(LI.phone)
    await (thief := town.bank.visitor()).start("sign-in", "phone", phone=LI.phone)
    await coded(town.bank, thief, LI.phone)
    found = await verdict()
    assert ("number-doubted", None) == (found.headline, found.alone)
    assert "number-doubted" in {each.name for each in found.findings}
    assert "replace-phone-at-counter" == (found.at_counter or ("",))[0]

    town.bank.clock.turn(1)
    await permit_of(town.bank, LI, LI.phone)
    assert ("nothing-wrong", ("sign-in",)) == ((again := await verdict()).headline, again.alone)
    assert "number-doubted" not in {each.name for each in again.findings}


# ---------------------------------------------------------------- whoever waits, whoever breaks off


@pytest.mark.alone
async def test_aut_14_a_service_that_hangs_holds_nobody_up(town: Town) -> None:
    """At the limit it is the answer "unknown"; meanwhile others come in, for nothing is held."""
    town.asked.seconds = 3600
    slow, quick = town.bank.visitor(), town.bank.visitor()
    await slow.start("sign-in", "phone", phone=LI.phone)
    code = await town.bank.code(LI.phone)
    begun = time.monotonic()
    waiting = asyncio.create_task(slow.answer(code=code))
    await asyncio.sleep(0.2)
    await quick.sign_in_basic(WANG)
    assert time.monotonic() - begun < limits.NUMBER_ASK_SECONDS, "the database was held"
    answer = await waiting
    assert limits.NUMBER_ASK_SECONDS <= time.monotonic() - begun < limits.NUMBER_ASK_SECONDS + 2
    assert "password" == answer.step


async def test_aut_14_a_node_that_dies_in_between(town: Town) -> None:
    """The code is used up and nobody answered: it counts for nothing, and the same step goes on with the question."""
    town.swap(LI.phone)
    visitor = town.bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    code = await town.bank.code(LI.phone)
    town.asked.fails = [RuntimeError("the node dies")]
    assert "internal-error" == (await visitor.answer(code=code)).cause
    assert "phone_code" == (await visitor.look()).step
    assert "journey-moved-on" == (await visitor.answer("password", password=LI.password)).cause
    assert CAUSE == (await visitor.answer("phone_code", code=code)).cause
    assert await is_outside(town.bank, visitor)


async def test_aut_14_two_answers_at_once(town: Town) -> None:
    """While the question is open a second answer finds nothing that counts."""
    town.swap(LI.phone)
    town.asked.seconds = 0.3
    visitor = town.bank.visitor()
    begun = await visitor.start("sign-in", "phone", phone=LI.phone)
    code = await town.bank.code(LI.phone)
    first = asyncio.create_task(visitor.answer(code=code))
    await asyncio.sleep(0.1)
    body = {"version": begun.journey["version"], "step": "password", "answer": {"password": LI.password}}
    raced = await visitor.client.post(f"/v1/journeys/{begun.journey['id']}/answers", json=body)
    assert "journey-moved-on" == raced.json()["cause"]
    assert CAUSE == (await first).cause
    assert await visitor.level() is None


# ---------------------------------------------------------------- strangers


@pytest.mark.parametrize(("journey", "step", "somebody", "nobody"), TWINS, ids=IDS)
async def test_aut_14_a_stranger_learns_nothing(
    town: Town, tmp_path: Path, journey: str, step: str, somebody: dict[str, str], nobody: dict[str, str]
) -> None:
    """Without a right code a swapped customer, a settled one and nobody at all answer alike, and nobody is asked."""
    town.swap(LI.phone)
    swapped = await trace(town.bank.visitor(), journey, step, somebody)
    none = await trace(town.bank.visitor(), journey, step, nobody)
    elsewhere = await open_town(f"sqlite:///{tmp_path / 'settled.db'}")
    settled = await trace(elsewhere.bank.visitor(), journey, step, somebody)
    await elsewhere.bank.close()
    assert swapped == none
    assert swapped == settled
    assert [] == town.asked.phones + elsewhere.asked.phones


async def test_aut_14_whoever_holds_a_number_of_nobody(town: Town) -> None:
    """A right code of somebody who is no customer costs the same question, and tells what it told before."""
    stranger = "+8615000000000"
    visitor = town.bank.visitor()
    await visitor.start("sign-in", "phone", phone=stranger)
    told = await coded(town.bank, visitor, stranger)
    assert ("not-registered", [stranger]) == (told.cause, town.asked.phones)


# ---------------------------------------------------------------- over the wire, and counted


async def test_aut_14_by_the_networks_own_service(town: Town) -> None:
    """The same through the gateway, and every answer is counted."""

    def counted(answer: str) -> float:
        return REGISTRY.get_sample_value("foregate_number_questions_total", {"answer": answer}) or 0

    networks = Networks(town.bank.clock)
    town.asked.numbers = networks.client()
    changed_at = datetime.fromtimestamp(town.bank.clock.now() - YESTERDAY, UTC)
    networks.answers[LI.phone] = {"latestSimChange": changed_at.isoformat()}
    before = {answer: counted(answer) for answer in ("known", "unknown", "none")}
    thief, wang, late = town.bank.visitor(), town.bank.visitor(), town.bank.visitor()

    await thief.start("sign-in", "phone", phone=LI.phone)
    told = await coded(town.bank, thief, LI.phone)
    await wang.sign_in(WANG)
    networks.says = [(503, b"{}")]
    town.bank.clock.turn(61)
    await late.sign_in(WANG)

    assert (CAUSE, None, "full", "full") == (told.cause, *[await v.level() for v in (thief, wang, late)])
    assert ([], [LI.phone, WANG.phone, WANG.phone]) == (networks.faults, networks.asked)
    assert {"known": 1, "unknown": 1, "none": 1} == {answer: counted(answer) - was for answer, was in before.items()}
    await town.asked.close()
