"""What a code that never went out must not cost, who is no stranger, and how often an alarm is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from foregate import bootstrap
from foregate.bootstrap import SystemClock
from foregate.gateways.sms.simulated import SimulatedPhones
from foregate.rules import limits
from tests.attack.test_messages import ALARM, ask, beside, fill, office, spend, text_us
from tests.bank import LI, WANG, Bank, open_bank
from tests.office import Office

__all__ = ["office"]

pytestmark = [pytest.mark.anyio, pytest.mark.attack]


@pytest.mark.parametrize(
    "claim", [("phone", {"phone": LI.phone}), ("card", {"card_number": LI.card})], ids=["phone", "card"]
)
async def test_a_number_is_not_charged_for_what_its_range_holds_back(
    bank: Bank, claim: tuple[str, dict[str, str]]
) -> None:
    """Whoever tried again and again meanwhile has their number's messages left when the range is open."""
    step, said = claim
    await fill(bank, LI.phone)
    tried_seconds = limits.SENDS_PER_HOUR * limits.RESEND_SECONDS
    bank.clock.turn(3600 - tried_seconds)
    for _ in range(limits.SENDS_PER_HOUR):
        await bank.visitor().start("sign-in", step, **said)
        bank.clock.turn(limits.RESEND_SECONDS)
    assert [] == await bank.texts(LI.phone)
    await bank.visitor().start("sign-in", "phone", phone=LI.phone)
    assert 1 == len(await bank.texts(LI.phone))


@pytest.mark.parametrize("why", ["range", "budget"])
async def test_who_is_signed_in_is_no_stranger(bank: Bank, why: str) -> None:
    """What they proved to be let in may be too old for what they do now, and they are still who they are."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    for seconds in (200, 101):
        bank.clock.turn(seconds)
        assert "full" == await visitor.level()
    await (fill(bank, LI.phone) if why == "range" else spend(bank, 80))
    before = len(await bank.texts(LI.phone))
    asked = await visitor.start("add-passkey")
    assert (None, "phone_code") == (asked.cause, asked.step), asked.body
    assert before + 1 == len(await bank.texts(LI.phone))


async def test_a_text_in_place_of_a_code_that_never_went_out_opens_no_range(bank: Bank) -> None:
    """It was not counted when it was held back, so it counts nothing off when it is answered."""
    await fill(bank, LI.phone)
    visitor = bank.visitor()
    await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    assert "done" == (await text_us(bank, visitor, LI.phone)).journey["status"]
    assert 429 == (await ask(bank, beside(LI.phone, 1), 1)).status


async def test_a_full_range_is_told_once_an_hour(office: Office) -> None:
    """Each answer makes room for one more code, which fills it again: that is the same alarm."""
    bank = office.bank
    await fill(bank, WANG.phone, but=1)
    for number in range(3):
        visitor = bank.visitor(peer=(f"198.51.100.{number}", 4711))
        assert 201 == (await visitor.start("sign-in-basic", "phone", phone=WANG.phone)).status
        assert "done" == (await visitor.answer(code=await bank.code(WANG.phone))).journey["status"]
        bank.clock.turn(limits.RESEND_SECONDS)
    assert [ALARM] == await office.alarms()
    bank.clock.turn(3600)
    await fill(bank, WANG.phone, but=1)
    assert [ALARM] == await office.alarms()
    assert 201 == (await ask(bank, beside(WANG.phone, 1), 7)).status
    assert [ALARM] * 2 == await office.alarms()


class Slow(SimulatedPhones):
    """A gateway that takes its time; `began`: a message is on its way."""

    began: asyncio.Event

    async def send(self, phone: str, text: str, message_id: str) -> None:
        self.began.set()
        await asyncio.sleep(0.3)
        await super().send(phone, text, message_id)


async def test_a_process_that_is_stopped_forgets_nothing_it_sent(tmp_path: Path) -> None:
    """What went out since the last look is on the bill of whoever comes after, with what was on its way at the end."""
    database = f"sqlite:///{tmp_path / 'bank.db'}"
    phones = Slow(SystemClock())
    phones.began = asyncio.Event()
    bank = await open_bank(database, parts={"gateway": phones})
    async with bootstrap._running(bank.house):
        await asyncio.sleep(0.2)  # it has looked, and looks again in BUDGET_LOOK_SECONDS
        visitor = bank.visitor()
        begin = {"journey": "sign-in-basic", "step": "phone", "answer": {"phone": LI.phone}}
        assert 201 == (await visitor.client.post("/v1/journeys", json=begin)).status_code
        await phones.began.wait()
        await visitor.client.aclose()
    after = await open_bank(database, keys=bank.keys)
    async with after.house.store.begin() as tx:
        assert 1 == await tx.spending.of_the_day(after.clock.now())
    await after.close()
