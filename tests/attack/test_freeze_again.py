"""A right code freezes, though the core bank was away just then: nobody who wants to stop a thief is left standing."""

from __future__ import annotations

import pytest

from foregate.gateways.core_bank.embedded import EmbeddedCoreBank
from foregate.ports import Unreachable
from tests.attack.test_messages import text_us
from tests.bank import LI, Bank

pytestmark = [pytest.mark.anyio, pytest.mark.attack]


@pytest.mark.parametrize("error", [Unreachable("away"), RuntimeError("the node dies")], ids=["away", "dead"])
@pytest.mark.parametrize("by", ["code", "text", "key"])
async def test_a_freeze_goes_on_where_the_core_bank_failed(
    bank: Bank, by: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose number it is was not answered: the code is used up, and the same answer, sent again, goes on from there."""

    async def fails(*_: object) -> bool:
        raise error

    visitor = bank.visitor()
    await visitor.start("freeze", "phone", phone=LI.phone)
    code, key = await bank.code(LI.phone), "the-same-key" if by == "key" else None
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedCoreBank, "cards_bound_to", fails)
        failed = await (text_us(bank, visitor, LI.phone) if by == "text" else visitor.answer(key=key, code=code))
        assert failed.status >= 500
    if by != "key":
        assert "phone_code" == (await visitor.look()).step
    elif isinstance(error, RuntimeError):
        key = "another-key"  # the first one is still at work, for all anybody knows
    again = await (visitor.answer("text-us") if by == "text" else visitor.answer("phone_code", key=key, code=code))
    assert "done" == again.journey["status"], again.body
