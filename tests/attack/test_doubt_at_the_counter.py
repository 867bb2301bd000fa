"""The counter's verdict knows of a code that the door did not take, whatever strangers tried at that number since."""

from __future__ import annotations

import pytest

from foregate.ports import Event
from foregate.rules import limits
from tests.attack.test_numbers import Town, coded, town
from tests.bank import LI
from tests.office import open_office

__all__ = ["town"]

pytestmark = [pytest.mark.anyio, pytest.mark.attack]


async def test_wrong_codes_of_strangers_do_not_bury_a_doubt(town: Town) -> None:
    """As many refusals as a page of the record lists, and one more, stand above it."""
    office = await open_office(town.bank)
    ref = await office.look_up(office.teller, LI.card)
    town.swap(LI.phone)
    await (visitor := town.bank.visitor()).start("sign-in", "phone", phone=LI.phone)
    await coded(town.bank, visitor, LI.phone)
    wrong: dict[str, str | int] = {"journey": "sign-in", "proof": "phone_code", "cause": "code-wrong"}
    async with town.bank.house.store.begin() as tx:
        for _ in range(2 * limits.TRAIL_LISTED + 1):
            event = Event(chain=town.bank.customer_id(LI), kind="proof-refused", details=wrong)
            await tx.audit.record(event, town.bank.clock.now())
    assert "number-doubted" == (await office.counter.files.verdict(office.teller, ref, frozenset())).headline
