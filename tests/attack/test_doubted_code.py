"""AUT-14 once more: a code that counts for nothing confirms nothing, and whoever texted us is asked about too."""

from __future__ import annotations

import pytest

from foregate.ports import Busy
from foregate.rules import limits
from tests.attack.test_messages import text_us
from tests.attack.test_numbers import CAUSE, Town, coded, town
from tests.bank import LI, Visitor

__all__ = ["town"]

pytestmark = [pytest.mark.anyio, pytest.mark.attack]
LEADS = {"zh": "手机已经确认", "en": "The phone is confirmed"}


async def says_confirmed(visitor: Visitor) -> bool:
    """Whether the page of the password says that the phone is confirmed: the same in both languages."""
    assert visitor.last is not None
    said = set()
    for language, lead in LEADS.items():
        place = f"/j/{visitor.last.journey['id']}"
        page = await visitor.client.get(place, headers={"Accept-Language": language, "Accept": "text/html"})
        assert (200, True) == (page.status_code, 'name="password"' in page.text)
        said.add(lead in page.text)
    (only,) = said
    return only


async def at_the_password(town: Town, visitor: Visitor) -> None:
    """By the code, though the device would do."""
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer("choose", way="phone_code")
    await coded(town.bank, visitor, LI.phone)
    assert "password" == (await visitor.look()).step


async def test_aut_14_a_doubted_code_confirmed_no_phone(town: Town) -> None:
    """On a remembered device the password is asked for all the same; the page does not say that the code did it."""
    visitor = town.bank.visitor()
    await town.bank.remember(visitor, LI)
    await visitor.start("sign-in", "phone", phone=LI.phone)
    assert not await says_confirmed(visitor)  # nobody took a code: the device does
    town.bank.clock.turn(limits.RESEND_SECONDS)
    await at_the_password(town, visitor)
    assert await says_confirmed(visitor)
    town.bank.clock.turn(limits.RESEND_SECONDS)
    town.swap(LI.phone)
    other = town.bank.visitor()
    await town.bank.remember(other, LI)
    await at_the_password(town, other)
    assert not await says_confirmed(other)


@pytest.mark.parametrize("mishap", [Busy("just now"), RuntimeError("the node dies")], ids=["busy", "dead"])
@pytest.mark.parametrize("is_swapped", [True, False])
async def test_aut_14_a_text_whose_question_was_not_answered(town: Town, mishap: Exception, is_swapped: bool) -> None:
    """The text is spent and nobody said yet whether it counts: who says again that it was sent goes on from there."""
    if is_swapped:
        town.swap(LI.phone)
    visitor = town.bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    town.asked.fails = [mishap]
    assert (await text_us(town.bank, visitor, LI.phone)).status >= 500
    assert "phone_code" == (await visitor.look()).step

    again = await visitor.answer("text-us")

    assert (CAUSE if is_swapped else None, None if is_swapped else "password") == (again.cause, again.step)
    assert [LI.phone] * 2 == town.asked.phones
