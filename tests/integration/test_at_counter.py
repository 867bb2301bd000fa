"""What the counter does to a customer, and the permit by which the customer gets back in, end to end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace as changed

import msgspec
import pytest

from foregate.acts import at_counter
from foregate.acts.at_counter import Replaced
from foregate.bootstrap import tables
from foregate.rules import limits
from foregate.rules.journeys import JOURNEYS
from foregate.rules.permission import ALL, Permission
from foregate.situation import Refused
from tests.at_counter import TELLERS, consented, permit_of, replace_phone
from tests.bank import CHEN, LI, WANG, Answer, Bank, Visitor, open_bank

pytestmark = pytest.mark.anyio

NEW = "+8613500007777"
MOVED = changed(LI, phone=NEW)
PASSWORD = "another evening by the sea"
AT_COUNTER = [name for name, row in JOURNEYS.items() if row.is_at_counter]


async def ask_for_permit(bank: Bank, visitor: Visitor, phone: str = NEW) -> Answer:
    """Begin `reset-password`, show the phone, choose the permit."""
    await visitor.start("reset-password", "phone", phone=phone)
    await visitor.answer(code=await bank.code(phone))
    return await visitor.answer("choose", way="permit")


# ---------------------------------------------------------------- the way back in


async def test_a_lost_number_and_a_forgotten_password(bank: Bank) -> None:
    """New number at the counter, permit and code at home, new password, full session: the last way back, whole."""
    permit = await permit_of(bank, LI, NEW)
    visitor = bank.visitor()
    asked = await ask_for_permit(bank, visitor)
    assert "permit" == asked.step
    asked = await visitor.answer(permit=permit)
    assert "set-password" == asked.step
    done = await visitor.answer(new_password=PASSWORD)
    assert "done" == done.journey["status"]
    assert None is await visitor.level()

    bank.clock.turn(61)
    await visitor.sign_in(changed(MOVED, password=PASSWORD))
    assert "full" == await visitor.level()
    assert {"phone-replaced", "password-set"} <= set(await bank.events(LI))


@pytest.mark.parametrize("spell", [str.lower, lambda p: p.replace("-", " "), lambda p: p.replace("0", "o")])
async def test_a_permit_may_be_typed_as_people_type(bank: Bank, spell: object) -> None:
    """Small letters, blanks for dashes, look-alikes."""
    permit = await permit_of(bank, LI, NEW)
    visitor = bank.visitor()
    await ask_for_permit(bank, visitor)
    assert "set-password" == (await visitor.answer(permit=spell(permit))).step  # type: ignore[operator]  # a table is a plain dict


async def test_a_wrong_permit(bank: Bank) -> None:
    """It is refused with a way on, written down, and counts towards nothing."""
    await permit_of(bank, LI, NEW)
    visitor = bank.visitor()
    await ask_for_permit(bank, visitor)
    for wrong in ("0123456789ABC",) * 7:
        refused = await visitor.answer("permit", permit=wrong)
        assert ("permit-wrong", "permit") == (refused.cause, refused.step)
    assert {"try-again", "another-way", "visit-outlet"} == set(refused.remedies)
    refused = await visitor.answer("permit", permit="123")
    assert "input-invalid" == refused.cause
    async with bank.house.store.begin() as tx:
        assert () == await tx.counters.of(bank.customer_id(LI))
    assert 7 == (await bank.events(LI)).count("proof-refused")


async def test_a_used_permit(bank: Bank) -> None:
    """It sets one password. Whoever comes again hears that it is over, and where to get another."""
    permit = await permit_of(bank, LI, NEW)
    visitor = bank.visitor()
    await ask_for_permit(bank, visitor)
    await visitor.answer(permit=permit)
    await visitor.answer(new_password=PASSWORD)
    bank.clock.turn(limits.JOURNEY_SECONDS)

    again = bank.visitor()
    await ask_for_permit(bank, again)
    refused = await again.answer(permit=permit)

    assert ("permit-over", 410) == (refused.cause, refused.status)
    assert "visit-outlet" in refused.remedies


async def test_an_expired_permit(bank: Bank) -> None:
    """A day after the counter it opens nothing; a second before, it does."""
    permit = await permit_of(bank, LI, NEW)
    bank.clock.turn(limits.PERMIT_SECONDS - 2)
    early, late = bank.visitor(), bank.visitor()
    await ask_for_permit(bank, early)
    bank.clock.turn(1)
    assert "permit-over" == (await early.answer(permit=permit)).cause
    bank.clock.turn(60)
    await ask_for_permit(bank, late)
    assert "permit-over" == (await late.answer(permit=permit)).cause
    bank.clock.turn(-62)
    assert "set-password" == (await early.answer("permit", permit=permit)).step


async def test_the_permit_of_somebody_else(bank: Bank) -> None:
    """Wang's permit is no use to Li, nor to somebody who never was at the counter."""
    theirs = await permit_of(bank, WANG, "+8613500008888")
    await permit_of(bank, LI, NEW)
    visitor, other = bank.visitor(), bank.visitor()
    await ask_for_permit(bank, visitor)
    assert "permit-wrong" == (await visitor.answer(permit=theirs)).cause

    asked = await ask_for_permit(bank, other, CHEN.phone)
    assert "journey-moved-on" == asked.cause  # Chen was never given one, so it is not even offered
    assert "journey-moved-on" == (await other.answer("permit", permit=theirs)).cause


async def test_a_permit_without_the_phone(bank: Bank) -> None:
    """Whoever found the slip is asked for the code first, and the permit before it does nothing."""
    permit = await permit_of(bank, LI, NEW)
    finder = bank.visitor()
    for step, facts in (("phone", {"phone": NEW}), ("card", {"card_number": LI.card})):
        asked = await finder.start("reset-password", step, **facts)
        assert ("phone_code", ["passkey"]) == (asked.step, [way["name"] for way in asked.journey["other_ways"]])
        assert "journey-moved-on" == (await finder.answer("permit", permit=permit)).cause
        assert "journey-moved-on" == (await finder.answer("choose", way="permit")).cause
        assert "phone_code" == (await finder.look()).step
        bank.clock.turn(61)


async def test_a_permit_signs_nobody_in(bank: Bank) -> None:
    """Only `reset-password` takes it."""
    permit = await permit_of(bank, LI, NEW)
    visitor = bank.visitor()
    await visitor.start("sign-in", "phone", phone=NEW)
    asked = await visitor.answer(code=await bank.code(NEW))
    assert "permit" not in {way["name"] for way in asked.journey["other_ways"]}
    assert "journey-moved-on" == (await visitor.answer("permit", permit=permit)).cause


async def test_who_is_interrupted_uses_the_permit_again(bank: Bank) -> None:
    """One journey at a time has it in hand; when that one is over, the next may."""
    permit = await permit_of(bank, LI, NEW)
    first, second = bank.visitor(), bank.visitor()
    await ask_for_permit(bank, first)
    await first.answer(permit=permit)
    bank.clock.turn(61)
    await ask_for_permit(bank, second)
    assert "permit-over" == (await second.answer(permit=permit)).cause
    bank.clock.turn(limits.JOURNEY_SECONDS - 61)
    assert "set-password" == (await second.answer("permit", permit=permit)).step
    assert "journey-expired" == (await first.answer("set-password", new_password=PASSWORD)).cause


async def test_a_freeze_ends_the_permit(bank: Bank) -> None:
    """Whoever had the number replaced in the customer's name gets no password by it."""
    permit = await permit_of(bank, LI, NEW)
    owner, thief = bank.visitor(), bank.visitor()
    await owner.start("freeze", "card", card_number=LI.card)
    await owner.answer("choose", way="card_pin")
    await owner.answer(card_pin=LI.pin)
    bank.clock.turn(61)
    await ask_for_permit(bank, thief)
    assert "permit-over" == (await thief.answer(permit=permit)).cause


# ---------------------------------------------------------------- what becomes of the customer


async def test_what_a_replaced_number_ends(bank: Bank) -> None:
    """Sessions, remembered devices and journeys end; the old number leads to nobody; both numbers are told."""
    before, half_done = bank.visitor(), bank.visitor()
    await before.sign_in(LI)
    await bank.remember(half_done, LI)
    bank.clock.turn(61)
    await half_done.start("sign-in", "phone", phone=LI.phone)

    await permit_of(bank, LI, NEW)

    assert None is await before.level()
    assert (await half_done.answer("password", password=LI.password)).status >= 400
    assert None is await half_done.level()
    async with bank.house.store.begin() as tx:
        assert () == await tx.devices.of(bank.customer_id(LI))
        customer = await tx.customers.find(bank.customer_id(LI))
    assert customer is not None
    assert (NEW, bank.clock.now() - 1 + limits.COOLING_SECONDS) == (customer.phone, customer.cooling_until)
    assert customer.ended_at == bank.clock.now() - 1  # what is being answered this moment ends too
    old, new = (await bank.texts(LI.phone))[0], (await bank.texts(NEW))[0]
    assert "https://login.bank.test/stop/" in old
    assert (NEW[-4:] in old, "http" in new) == (False, False)  # whoever has the old number does not learn the new one
    bank.clock.turn(61)
    stranger = bank.visitor()
    await stranger.start("sign-in-basic", "phone", phone=LI.phone)
    assert "not-registered" == (await stranger.answer(code=await bank.code(LI.phone))).cause


async def test_a_number_of_somebody_else(bank: Bank) -> None:
    """It is refused before anything is written, and the customer is as before."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    assert Refused(cause="number-taken") == await replace_phone(bank, LI, CHEN.phone)
    assert "full" == await visitor.level()
    assert "phone-replaced" not in await bank.events(LI)


async def test_the_same_number_brings_a_permit_alone(bank: Bank) -> None:
    """Whoever only forgot everything keeps the number: nothing cools, and there is no old number to tell."""
    await permit_of(bank, LI, LI.phone)
    async with bank.house.store.begin() as tx:
        customer = await tx.customers.find(bank.customer_id(LI))
    assert customer is not None
    assert (LI.phone, 0) == (customer.phone, customer.cooling_until)
    assert ["sms.permit-issued"] == await bank.messages_about(LI)
    assert ["permit-issued"] == await bank.events(LI)


async def test_the_record_names_both_members_of_staff(bank: Bank) -> None:
    """And the proposal, but neither number nor permit."""
    permit = await permit_of(bank, LI, NEW)
    async with bank.house.store.database.snapshot() as connection:
        from sqlalchemy import select

        from foregate.store.statements import Statement
        from foregate.store.tables import audit_event

        rows = await connection.all(Statement(select(audit_event)))
    row = next(row for row in rows if row["kind"] == "phone-replaced")
    assert TELLERS == row["actor"]
    assert "proposal" in row["details"]
    assert not any(secret in row["details"] for secret in (NEW, LI.phone, permit, permit.replace("-", "")))


async def test_unfreezing_opens_what_the_bank_closed(bank: Bank) -> None:
    """Every lane, whoever closed it; rows and blocks are cleared, totals stay; a replaced number does not do that."""
    who = bank.customer_id(LI)
    async with bank.house.store.begin() as tx:
        await tx.permissions.move(who, ALL, Permission.OPEN, Permission.CLOSED_BY_BANK, bank.clock.now())
        await tx.permissions.move(who, "unknown", Permission.OPEN, Permission.CLOSED_BY_FAILURES, bank.clock.now())
        for _ in range(limits.ROW_FAILURES):
            await tx.counters.charge(who, "password", "unknown", bank.clock.now())
    await permit_of(bank, LI, LI.phone)
    async with bank.house.store.begin() as tx:
        assert Permission.CLOSED_BY_BANK is (await tx.permissions.of(who))[ALL]

    async with consented(bank, LI) as at:
        await at_counter.unfreeze(at)

    async with bank.house.store.begin() as tx:
        assert {Permission.OPEN} == set((await tx.permissions.of(who)).values())
        (counter,) = await tx.counters.of(who)
    assert (0, 5, 0) == (counter.in_a_row, counter.total, counter.blocked_until)
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    assert "full" == await visitor.level()


async def test_correcting_a_document_and_ending_sessions(bank: Bank) -> None:
    """The core bank keeps the date; the customer hears of both."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)

    await at_counter.correct_in_core(bank.house.world, LI.core_ref, "2041-05-31")
    async with consented(bank, LI) as at:
        await at_counter.correct_document(at, "2041-05-31")
    assert "full" == await visitor.level()
    async with consented(bank, LI) as at:
        assert 1 == await at_counter.end_sessions(at)

    holder = await bank.house.core.holder(LI.card)
    assert holder is not None
    assert "2041-05-31" == holder.document_expires_on
    assert None is await visitor.level()
    assert ["document-corrected", "sessions-ended"] == (await bank.events(LI))[-2:]
    assert {"sms.document-corrected", "sms.sessions-ended"} <= set(await bank.messages_about(LI))


# ---------------------------------------------------------------- the public door


@pytest.mark.parametrize("name", AT_COUNTER)
async def test_the_public_door_has_no_row_of_the_counter(bank: Bank, name: str) -> None:
    """It lists none, begins none, and sends whoever asks to the outlet."""
    visitor = bank.visitor()
    listed = await visitor.get("/v1/journeys")
    assert name not in {row["journey"] for row in listed.body["list"]}
    for answer in ({}, {"step": "in_person"}, {"step": "phone", "phone": LI.phone}):
        refused = await visitor.start(name, **answer)
        assert ("journey-not-open", 404) == (refused.cause, refused.status)
        assert "visit-outlet" in refused.remedies
    await visitor.sign_in(LI)
    assert "journey-not-open" == (await visitor.start(name)).cause
    page = await visitor.client.get(f"/{name}")
    assert 404 == page.status_code
    posted = await visitor.client.post(
        f"/{name}", data={"step": "in_person"}, headers={"Origin": bank.house.settings.origin}
    )
    assert 404 == posted.status_code


# ---------------------------------------------------------------- cooling (REC-06)


@pytest.fixture
async def cool(database: str) -> AsyncIterator[Bank]:
    """Yield a bank in which remembering a device, and a renamed reset, have to wait for a new number to cool."""
    rows = {
        "remember-device": msgspec.structs.replace(JOURNEYS["remember-device"], cooling=True),
        "reset-password": msgspec.structs.replace(JOURNEYS["reset-password"], cooling=True),
    }
    bank = await open_bank(database, run=tables(JOURNEYS | rows))  # type: ignore[operator]  # a table is a plain dict
    await bank.settle(LI, CHEN)
    yield bank
    await bank.close()


async def test_rec_06_a_new_number_cools(cool: Bank) -> None:
    """For a day it signs in and does nothing of high risk; the answer says for how long; then it does."""
    await permit_of(cool, LI, NEW)
    visitor = cool.visitor()
    await visitor.sign_in(MOVED)
    assert "full" == await visitor.level()

    refused = await visitor.start("remember-device")

    assert ("cooling-off", limits.COOLING_SECONDS - 1) == (refused.cause, refused.body["retry_in_seconds"])
    assert {"wait", "freeze", "visit-outlet"} == set(refused.remedies)
    cool.clock.turn(limits.COOLING_SECONDS - 62)
    await visitor.sign_in(MOVED)
    assert "cooling-off" == (await visitor.start("remember-device")).cause
    cool.clock.turn(61)
    done = await visitor.start("remember-device")
    assert "done" == done.journey["status"]


async def test_rec_06_what_began_before_is_refused_too(cool: Bank) -> None:
    """A number replaced while the journey is under way: it is looked at again, under the customer's hold."""
    visitor = cool.visitor()
    await visitor.start("reset-password", "phone", phone=LI.phone)
    await visitor.answer(code=await cool.code(LI.phone))
    await visitor.answer(card_pin=LI.pin)
    async with cool.house.store.begin() as tx:
        digest = cool.keys.digest
        await tx.customers.move_phone(
            cool.customer_id(LI), NEW, was=digest("phone", LI.phone), to=digest("phone", NEW),
            cooling_until=cool.clock.now() + 100,
        )  # fmt: skip
    assert "cooling-off" == (await visitor.answer("set-password", new_password=PASSWORD)).cause


async def test_rec_06_a_stranger_is_not_told(cool: Bank) -> None:
    """Before possession a customer whose number cools answers like any other, and like nobody."""
    await permit_of(cool, LI, NEW)
    seen = []
    for card in (LI.card, CHEN.card, "6222020000000000067"):
        stranger = cool.visitor()
        started = await stranger.start("reset-password", "card", card_number=card)
        refused = await stranger.answer("phone_code", code="000000")
        seen.append(
            (started.status, started.step, refused.cause, refused.body.get("retry_in_seconds"), refused.remedies)
        )
    assert 1 == len(set(map(str, seen)))


def test_a_replaced_number_is_told_apart() -> None:
    """The act's answer says when the permit ends, so that the console can print it."""
    assert {"permit", "permit_expires_at"} == set(Replaced.__struct_fields__)
