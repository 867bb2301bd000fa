"""AUT-11: guessing at many accounts, a little at each. Every account keeps its limits, and somebody is told."""

from __future__ import annotations

import pytest

from foregate.counter import guessing
from foregate.counter.guessing import CODES, PROOFS, is_guessing
from foregate.ids import new_id
from foregate.ports import Busy, Tried
from foregate.rules import limits
from tests.bank import LI, WANG, Bank
from tests.office import Office, open_office

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

MANY = int(limits.GUESSED_MIN)


@pytest.fixture
async def office(bank: Bank) -> Office:
    return await open_office(bank)


async def alarms(office: Office) -> list[str]:
    """Look once, when everything tried has been compared; return every alarm so far."""
    office.bank.clock.turn(limits.GUESSING_SETTLED_SECONDS)
    await office.bank.house.guesses.once()
    return await office.alarms()


async def guess_codes(bank: Bank, numbers: range) -> None:
    """Try one code at each of these numbers, none of which is anybody's."""
    for number in numbers:
        visitor = bank.visitor(peer=(f"198.51.100.{number % 250}", 4711))
        await visitor.start("sign-in-basic", "phone", phone=f"+86137{number:04d}0000")
        assert "code-wrong" == (await visitor.answer(code="000000")).cause


async def fail(bank: Bank, count: int) -> None:
    """Let so many customers' passwords be tried at, and be wrong."""
    async with bank.house.store.begin() as tx:
        for _ in range(count):
            await tx.counters.charge(new_id(), "password", "unknown", bank.clock.now())


async def test_aut_11_many_codes_guessed_raise_an_alarm(office: Office) -> None:
    """At numbers of nobody too; one fewer raises none. Told once, and again after a while if it goes on."""
    bank = office.bank
    await guess_codes(bank, range(MANY - 1))
    assert [] == await alarms(office)
    await guess_codes(bank, range(MANY - 1, MANY))
    assert [CODES] == await alarms(office) == await alarms(office)
    bank.clock.turn(limits.GUESSING_AGAIN_SECONDS)
    assert [CODES] == await alarms(office)
    await guess_codes(bank, range(MANY, 2 * MANY))
    assert [CODES] * 2 == await alarms(office)


async def test_aut_11_many_passwords_guessed_raise_an_alarm(office: Office) -> None:
    """Within a minute of the last of them; and who is remembered signs in as ever meanwhile."""
    bank = office.bank
    await fail(bank, MANY - 1)
    bank.clock.turn(limits.GUESSING_WINDOW_SECONDS)
    await fail(bank, MANY - 1)
    assert [] == await alarms(office)
    await fail(bank, 1)
    assert [PROOFS] == await alarms(office)
    visitor = bank.visitor()
    await bank.remember(visitor, LI)
    await visitor.start("sign-in", "phone", phone=LI.phone)
    assert "done" == (await visitor.answer(password=LI.password)).journey["status"]


async def test_many_who_fail_among_very_many_who_do_not_raise_none(office: Office) -> None:
    """A success after a failure is none; what counts is the share."""
    bank = office.bank
    async with bank.house.store.begin() as tx:
        for _ in range(MANY * (limits.GUESSED_SHARE - 1) + 1):
            customer_id = new_id()
            await tx.counters.charge(customer_id, "password", "unknown", bank.clock.now())
            await tx.counters.succeed(customer_id, "password", "unknown")
    await fail(bank, MANY)
    assert [] == await alarms(office)
    await fail(bank, 1)
    assert [PROOFS] == await alarms(office)


async def test_numbers_that_were_guessed_at_days_ago_do_not_fail_when_they_come_back(office: Office) -> None:
    """Their owners ask for a code, and have not typed it yet."""
    bank = office.bank
    await guess_codes(bank, range(MANY))
    bank.clock.turn(86_400)
    for number in range(MANY):
        visitor = bank.visitor(peer=(f"198.51.100.{number % 250}", 4711))
        await visitor.start("sign-in-basic", "phone", phone=f"+86137{number:04d}0000")
    assert [] == await alarms(office)


async def test_an_alarm_that_was_not_written_down_is_raised_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was busy just then: the next look tells."""

    async def busy(*_: object, **__: object) -> None:
        raise Busy("just now")

    await fail(office.bank, MANY)
    office.bank.clock.turn(limits.GUESSING_SETTLED_SECONDS)
    with monkeypatch.context() as patch:
        patch.setattr(guessing, "raise_alarm", busy)
        with pytest.raises(Busy):
            await office.bank.house.guesses.once()
    await office.bank.house.guesses.once()
    assert [PROOFS] == await office.alarms()


async def test_who_waits_to_be_compared_has_not_failed(office: Office) -> None:
    """A try is charged before it is compared: a busy morning must not look like an attack."""
    await fail(office.bank, MANY)
    office.bank.clock.turn(limits.GUESSING_SETTLED_SECONDS - 1)
    await office.bank.house.guesses.once()
    assert [] == await office.alarms()
    office.bank.clock.turn(1)
    await office.bank.house.guesses.once()
    assert [PROOFS] == await office.alarms()


async def test_one_who_fails_again_and_again_raises_none(office: Office) -> None:
    """That is a matter of one account, and of its own limits."""
    visitor = office.bank.visitor()
    await visitor.start("sign-in", "phone", phone=WANG.phone)
    await visitor.answer(code=await office.bank.code(WANG.phone))
    for _ in range(limits.ROW_FAILURES):
        await visitor.answer("password", password="not mine")
    assert [] == await alarms(office)


@pytest.mark.parametrize(
    ("everybody", "failing", "is_one"),
    [
        (0, 0, False),
        (MANY, MANY, True),
        (MANY - 1, MANY - 1, False),
        (4 * MANY, MANY, True),
        (4 * MANY + 1, MANY, False),
    ],
)
def test_how_many_are_too_many(everybody: int, failing: int, is_one: bool) -> None:
    """Both a number and a share."""
    assert is_one is is_guessing(Tried(everybody, failing))
