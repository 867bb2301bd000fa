"""Staff who left come back as somebody new would; whose login is their own can be written down later."""

from __future__ import annotations

import pytest

from foregate.counter.guard import Objected
from foregate.ports.counter import Role
from tests.bank import LI, Bank
from tests.office import EAST, WEST, open_office

pytestmark = pytest.mark.anyio


async def test_somebody_comes_back(bank: Bank) -> None:
    """With a new role and new credentials, once; what they had before opens nothing, and an administrator takes two."""
    office = await open_office(bank)
    staff, chief, who = office.counter.staff, office.administrator, office.teller.staff_id
    with pytest.raises(Objected, match="nothing-to-do"):
        await staff.reactivate(chief, who, Role.TELLER, EAST)
    await staff.deactivate(chief, who)
    for role, outlet_id, objection in (
        (Role.ADMINISTRATOR, None, "needs-two"), (Role.TELLER, None, "outlet-missing"),
        (Role.TELLER, "?", "outlet-missing"),
    ):  # fmt: skip
        with pytest.raises(Objected, match=objection):
            await staff.reactivate(chief, who, role, outlet_id)
    back = await staff.reactivate(chief, who, Role.SUPERVISOR, WEST)
    assert back.code
    assert (True, Role.SUPERVISOR, WEST) == (back.member.is_active, back.member.role, back.member.outlet_id)
    assert back.member == await staff.find(chief, who)
    with pytest.raises(Objected, match="nothing-to-do"):
        await staff.reactivate(chief, who, Role.TELLER, EAST)
    assert "staff-reactivated" in await office.events(f"staff-{who}")


async def test_ones_own_login_is_written_down_later(bank: Bank) -> None:
    """From then on it is closed to them; the number itself is in no record; what is left out stays as it was."""
    office = await open_office(bank)
    staff, chief, who = office.counter.staff, office.administrator, office.teller.staff_id
    ref = await office.look_up(office.teller, LI.card)
    await office.counter.files.file(office.teller, ref)
    await staff.change(chief, who, Role.TELLER, EAST, LI.core_ref)
    with pytest.raises(Objected, match="own-login"):
        await office.counter.files.file(office.teller, ref)
    assert LI.core_ref == (await staff.change(chief, who, Role.TELLER, EAST)).core_ref
    async with bank.house.store.begin() as tx:
        trail = await tx.trail.of(f"staff-{who}", kinds=("staff-changed",))
    assert [None, "set"] == [entry.details.get("own_login") for entry in trail]
    assert LI.core_ref not in str([entry.details for entry in trail])
    assert None is (await staff.change(chief, who, Role.TELLER, EAST, "")).core_ref
    await office.counter.files.file(office.teller, ref)
