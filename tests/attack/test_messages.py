"""SMS-01, -03, -04: who has the bank send messages for money, or to keep its customers awake. Honest people get in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from foregate.rules import limits
from tests.attack.test_enumeration import NOBODY_CARD, shown
from tests.bank import LI, WANG, Answer, Bank, Visitor
from tests.office import Office, open_office

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

MANY = int(limits.RANGE_UNANSWERED)
ALARM = "codes-unanswered"


@pytest.fixture
async def office(bank: Bank) -> Office:
    return await open_office(bank)


def beside(phone: str, number: int) -> str:
    """Return another number of the same range."""
    return f"{phone[: -limits.RANGE_DIGITS]}{(int(phone[-limits.RANGE_DIGITS :]) + 1 + number) % 10_000:04d}"


async def ask(bank: Bank, phone: str, number: int = 0) -> Answer:
    """Ask for a code on a device that nobody remembers, from an address of its own."""
    visitor = bank.visitor(peer=(f"198.51.{number // 250}.{number % 250}", 4711))
    return await visitor.start("sign-in-basic", "phone", phone=phone)


async def fill(bank: Bank, phone: str, but: int = 0) -> None:
    """Have so many codes asked for in the range of this number that `but` are left, and none answered."""
    range_key = bank.keys.digest("range", phone[: -limits.RANGE_DIGITS])
    async with bank.house.store.begin() as tx:
        for number in range(MANY - but):
            key = bank.keys.digest("phone", beside(phone, 5000 + number))
            await tx.codes.spend_sends(key, range_key, bank.clock.now())


async def text_us(bank: Bank, visitor: Visitor, phone: str) -> Answer:
    """Send the text that the page shows, and say so."""
    assert visitor.last is not None
    await bank.phones.text_us(phone, visitor.last.journey["step"]["facts"]["text_us"])
    return await visitor.answer("text-us")


# ---------------------------------------------------------------- a range of numbers


async def test_sms_01_a_range_of_numbers_gets_only_so_many(office: Office) -> None:
    """Numbers of nobody count as those of customers do; the hundred and first is told why, and somebody is alarmed."""
    bank = office.bank
    await fill(bank, LI.phone, but=2)
    assert 201 == (await ask(bank, beside(LI.phone, 1), 1)).status
    assert [] == await office.alarms()
    assert 201 == (await ask(bank, beside(LI.phone, 2), 2)).status
    assert [ALARM] == await office.alarms()
    refused = await ask(bank, beside(LI.phone, 3), 3)
    assert (429, "codes-held-back") == (refused.status, refused.cause)
    assert {"text-us", "visit-outlet", "wait"} <= set(refused.remedies)
    assert [ALARM] == await office.alarms()
    assert 201 == (await ask(bank, WANG.phone, 4)).status
    bank.clock.turn(3600)
    assert 201 == (await ask(bank, beside(LI.phone, 5), 5)).status


async def test_sms_01_many_at_once_get_what_is_left(bank: Bank) -> None:
    """Forty ask at the same moment where ten are left."""
    await fill(bank, LI.phone, but=10)
    answers = await asyncio.gather(*(ask(bank, beside(LI.phone, number), number) for number in range(40)))
    assert [201] * 10 + [429] * 30 == sorted(answer.status for answer in answers)


async def test_a_customer_in_that_range_still_gets_in(bank: Bank) -> None:
    """By a text from the phone; on the device that is remembered by a code as ever."""
    await fill(bank, LI.phone)
    visitor = bank.visitor()
    refused = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert "codes-held-back" == refused.cause
    assert 0 == len(await bank.texts(LI.phone))
    assert "done" == (await text_us(bank, visitor, LI.phone)).journey["status"]
    mine = bank.visitor()
    await bank.remember(mine, LI)
    assert "done" == (await mine.sign_in_basic(LI)).journey["status"]


async def test_who_is_held_back_is_told_so_each_time(bank: Bank) -> None:
    """Nothing was sent: so no minute is to be waited for, no quota is spent, and nobody says that a code is coming."""
    await fill(bank, LI.phone)
    answers = [await ask(bank, LI.phone, number) for number in range(limits.SENDS_PER_HOUR + 1)]
    assert {"codes-held-back"} == {answer.cause for answer in answers}
    assert {0} == {answer.journey["step"]["facts"]["sends"] for answer in answers}
    bank.clock.turn(3600)
    await ask(bank, LI.phone)
    assert 1 == len(await bank.texts(LI.phone))


async def test_who_asks_again_in_a_journey_is_told_too(bank: Bank) -> None:
    """The code that was sent before stays good."""
    visitor = bank.visitor()
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    await fill(bank, LI.phone)
    bank.clock.turn(limits.RESEND_SECONDS)
    assert "codes-held-back" == (await visitor.answer("resend")).cause
    assert "done" == (await visitor.answer(code=await bank.code(LI.phone))).journey["status"]


@pytest.mark.parametrize("by_text", [False, True], ids=["by code", "by text"])
async def test_sms_04_what_was_answered_does_not_count(bank: Bank, by_text: bool) -> None:
    """A crowd that signs in is no attack, however large."""
    await fill(bank, LI.phone, but=1)
    visitor = bank.visitor()
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert 429 == (await ask(bank, beside(LI.phone, 1), 1)).status
    await (text_us(bank, visitor, LI.phone) if by_text else visitor.answer(code=await bank.code(LI.phone)))
    assert 201 == (await ask(bank, beside(LI.phone, 2), 2)).status
    assert 429 == (await ask(bank, beside(LI.phone, 3), 3)).status


async def test_a_closed_range_does_not_tell_whose_number_it_is(bank: Bank) -> None:
    """Who knows a card alone hears what holds for a card that nobody has, and no message goes out."""
    await fill(bank, LI.phone)
    answers = []
    for card in (LI.card, NOBODY_CARD):
        visitor = bank.visitor()
        answers.append(await visitor.start("sign-in", "card", card_number=card))
    assert (201, 201) == (answers[0].status, answers[1].status)
    assert shown(answers[0].raw) == shown(answers[1].raw)
    assert [] == await bank.texts(LI.phone)


async def test_known_and_unknown_numbers_are_held_back_alike(bank: Bank) -> None:
    """The same words in the same range, whether the number is anybody's."""
    await fill(bank, LI.phone)
    known, unknown = await ask(bank, LI.phone, 1), await ask(bank, beside(LI.phone, 2), 2)
    assert shown(known.raw) == shown(unknown.raw)
    assert "codes-held-back" == known.cause


# ---------------------------------------------------------------- the day's messages


async def spend(bank: Bank, percent: int) -> None:
    """Let so many of the day's messages have gone out by now, and have it noticed."""
    watch, now = bank.house.spending, bank.clock.now()
    async with bank.house.store.begin() as tx:
        wanted = bank.house.settings.messages_per_day * percent // 100
        await tx.spending.add(wanted - await tx.spending.of_the_day(now), now)
    await watch.once()


async def test_sms_01_alarms_on_the_way_to_the_days_budget(office: Office) -> None:
    """At 50, 80 and 100 percent, each once; a day later anew."""
    bank, told = office.bank, []
    for percent in (49, 50, 79, 80, 99, 100, 150):
        await spend(bank, percent)
        told.append(len(await office.alarms()))
    assert [0, 1, 1, 2, 2, 3, 3] == told
    bank.clock.turn(2 * 86_400)
    await spend(bank, 55)
    assert ["messages-budget"] * 4 == await office.alarms()


async def test_sms_03_from_eighty_percent_on_the_rest_is_not_for_strangers(bank: Bank) -> None:
    """They text us. Devices that are remembered, people who were let in, and notices go on."""
    await spend(bank, 79)
    assert 201 == (await ask(bank, WANG.phone)).status
    await spend(bank, 80)
    visitor = bank.visitor()
    refused = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert (429, "codes-held-back") == (refused.status, refused.cause)
    assert [] == await bank.texts(LI.phone)
    assert "done" == (await text_us(bank, visitor, LI.phone)).journey["status"]
    mine = bank.visitor()
    await bank.remember(mine, LI)
    assert "done" == (await mine.sign_in_basic(LI)).journey["status"]
    assert 1 == len(await bank.texts(LI.phone))
    bank.clock.turn(2 * 86_400)
    await bank.house.spending.once()
    assert 201 == (await ask(bank, WANG.phone, 2)).status


async def test_what_is_sent_is_added_up(bank: Bank) -> None:
    """By every process; a decoy's message costs nothing and counts as nothing."""
    watch = bank.house.spending
    await ask(bank, LI.phone, 1)
    await bank.visitor().start("sign-in", "card", card_number=NOBODY_CARD)
    for _ in range(2):
        await watch.once()
        async with bank.house.store.begin() as tx:
            assert 1 == await tx.spending.of_the_day(bank.clock.now())


async def test_what_could_not_be_written_down_is_written_later(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was busy just then."""
    watch: Any = bank.house.spending
    await ask(bank, LI.phone, 1)
    begin = watch._store.begin
    with monkeypatch.context() as patch:
        patch.setattr(type(watch._store), "begin", lambda self: Unlucky(begin()))
        with pytest.raises(TimeoutError):
            await watch.once()
    await watch.once()
    async with bank.house.store.begin() as tx:
        assert 1 == await tx.spending.of_the_day(bank.clock.now())


class Unlucky:
    """A transaction that fails at its end."""

    def __init__(self, real: Any) -> None:
        self._real = real

    async def __aenter__(self) -> Any:
        return await self._real.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        await self._real.__aexit__(TimeoutError, TimeoutError(), None)
        raise TimeoutError
