"""LCK: lock-out, re-opening, denial of service."""

import asyncio

import pytest

from foregate.rules import limits
from tests.bank import LI, Bank, Visitor

pytestmark = [pytest.mark.anyio, pytest.mark.attack]


async def test_lck_01_a_stranger_cannot_stop_a_remembered_device(bank: Bank) -> None:
    """A stranger who knows card, phone and user name fails on every door; the customer signs in every time."""
    customer, stranger = bank.visitor(), bank.visitor(peer=("198.51.100.66", 4711))
    await bank.remember(customer, LI)
    for _ in range(12):
        for step, facts in (
            ("phone", {"phone": LI.phone}),
            ("card", {"card_number": LI.card}),
            ("user_name", {"user_name": LI.user_name}),
        ):
            await stranger.start("sign-in", step, **facts)
            for _ in range(limits.CODE_TRIES):
                await stranger.answer("phone_code", code="000000")
        await stranger.start("freeze", "card", card_number=LI.card)
        await stranger.answer("choose", way="card_pin")
        for _ in range(limits.ROW_FAILURES):
            await stranger.answer("card_pin", card_pin="000000")
        bank.clock.turn(400)
        await customer.start("sign-in", "phone", phone=LI.phone)
        await customer.answer(password=LI.password)
        assert "full" == await customer.level()


async def test_lck_02_nothing_is_charged_before_possession(bank: Bank) -> None:
    """A thousand passwords without possession: not one is looked at, and the counter stands where it stood."""
    stranger = bank.visitor()
    await stranger.start("sign-in", "card", card_number=LI.card)
    for step in ("password", "card_pin"):
        await stranger.answer("choose", way=step)
        for _ in range(500):
            refused = await stranger.answer(step, **{step: "wrong wrong"})
    assert "too-many-requests" == refused.cause
    async with bank.house.store.begin() as tx:
        assert () == tuple(await tx.counters.of(bank.customer_id(LI)))


async def block_the_password(bank: Bank) -> Visitor:
    """Show possession, and then type a wrong password as often as it takes; a minute later another code may be sent."""
    visitor = bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    for _ in range(limits.ROW_FAILURES):
        await visitor.answer("password", password="wrong wrong")
    bank.clock.turn(61)
    return visitor


async def test_lck_05_the_locked_factor_alone_opens_nothing(bank: Bank) -> None:
    """A blocked password cannot reopen; the code with the card's PIN can."""
    visitor = await block_the_password(bank)
    await visitor.start("reopen", "card_and_phone", card_number=LI.card, phone=LI.bound)
    asked = await visitor.answer(code=await bank.code(LI.bound))
    assert ("card_pin", []) == (asked.step, asked.journey["other_ways"])
    assert "done" == (await visitor.answer(card_pin=LI.pin)).journey["status"]


async def test_a_way_that_rests_is_told_with_its_time_to_who_has_shown_possession(bank: Bank) -> None:
    """Before the code nothing is left out, and nothing told; after it: which way, and in how long. Then it is back."""
    visitor = await block_the_password(bank)
    left = limits.BLOCK_SECONDS - 61
    asked = await visitor.start("sign-in", "phone", phone=LI.phone)
    assert [] == asked.journey["resting_ways"]
    asked = await visitor.answer(code=await bank.code(LI.phone))
    assert ("card_pin", []) == (asked.step, asked.journey["other_ways"])
    rests = [(way["name"], way["retry_in_seconds"]) for way in asked.journey["resting_ways"]]
    assert [("password", left)] == rests
    page = await visitor.client.get(f"/j/{asked.journey['id']}", headers={"accept-language": "en"})
    assert f"With your password: too many wrong tries, you can try again in {-(-left // 60)} minutes." in page.text
    bank.clock.turn(left)
    back = (await visitor.client.get(f"/v1/journeys/{asked.journey['id']}")).json()
    assert ([], {"password", "card_pin"}) == (
        back["resting_ways"], {back["step"]["name"], *(way["name"] for way in back["other_ways"])},
    )  # fmt: skip


async def test_lck_06_reopening_signs_nobody_in_and_keeps_the_totals(bank: Bank) -> None:
    """The rows and blocks are cleared, what counts towards the hundredth failure stays."""
    await test_lck_05_the_locked_factor_alone_opens_nothing(bank)
    async with bank.house.store.begin() as tx:
        rows = {row.counter: row for row in await tx.counters.of(bank.customer_id(LI))}
        assert (0, 5, 0) == (rows["password"].in_a_row, rows["password"].total, rows["password"].blocked_until)
        assert () == tuple(await tx.sessions.of(bank.customer_id(LI)))


async def test_lck_07_what_was_half_done_does_not_survive_a_freeze(bank: Bank) -> None:
    """Journeys begun before the freeze end refused; sessions are gone; a race of the two opens nothing."""
    thief, owner = bank.visitor(), bank.visitor()
    await thief.sign_in_basic(LI)
    await thief.start("finish-sign-in")
    await owner.start("freeze", "card", card_number=LI.card)
    await owner.answer("choose", way="card_pin")
    await asyncio.gather(owner.answer(card_pin=LI.pin), thief.answer(password=LI.password))
    assert await thief.level() is None
    assert (await thief.answer("password", password=LI.password)).status >= 400
    assert await thief.level() is None
    async with bank.house.store.begin() as tx:
        assert () == tuple(await tx.sessions.of(bank.customer_id(LI)))


async def test_lck_10_honest_parallel_sign_ins_all_succeed(bank: Bank) -> None:
    """Eight tabs of one remembered device sign in at once."""
    visitors = [bank.visitor() for _ in range(8)]
    for visitor in visitors:
        await bank.remember(visitor, LI)
        await visitor.start("sign-in", "phone", phone=LI.phone)
    await asyncio.gather(*(visitor.answer(password=LI.password) for visitor in visitors))
    assert ["full"] * 8 == [await visitor.level() for visitor in visitors]
