"""The counter's verdict knows what the door takes: passkeys, WeChat and Alipay, and a face whose time is over."""

from __future__ import annotations

import pytest

from foregate.counter.files import Files
from foregate.ports.face_records import FaceTemplateRow
from foregate.proofs import held
from foregate.rules.footing import Lost
from foregate.rules.journeys import BUILT_WITH_FACE, JOURNEYS, with_face
from foregate.rules.limits import DAY
from foregate.rules.verdict import Rules
from tests.bank import LI, Bank
from tests.office import open_office
from tests.passkeys import a_key, add

pytestmark = pytest.mark.anyio

GONE = frozenset({Lost.PHONE, Lost.PASSWORD})


async def test_the_verdict_counts_what_a_customer_added(bank: Bank) -> None:
    """With a passkey nobody is sent to the counter; while it is new that is said; an expired face is told as such."""
    office = await open_office(bank)
    ref = await office.look_up(office.teller, LI.card)
    before = await office.counter.files.verdict(office.teller, ref, GONE)
    assert "replace-phone-at-counter" in (before.at_counter or ())

    await add(bank, LI, a_key())
    customer_id, now = bank.customer_id(LI), bank.clock.now()
    row = FaceTemplateRow(
        customer_id=customer_id, template=b"t" * 8, salt=b"s" * 8, engine_id="any", enrolled_at=now - 9, expires_at=now
    )
    async with bank.house.store.begin() as tx:
        await tx.faces.put(row)
    # A bank whose models are there: the same counter over the tables with face.
    files = Files(office.counter.guard, held.of_customer, Rules(with_face(JOURNEYS), BUILT_WITH_FACE))
    for looked, told in ((office.counter.files, {"passkey-new"}), (files, {"passkey-new", "face-expired"})):
        found = await looked.verdict(office.teller, ref, GONE)
        assert (("sign-in",), None) == (found.alone, found.at_counter)
        assert told == {each.name for each in found.findings if each.name.startswith(("passkey", "face"))}

    bank.clock.turn(3 * DAY)  # Monday: the counter is open, and the passkey is new no more
    ref = await office.look_up(office.teller, LI.card)
    found = await office.counter.files.verdict(office.teller, ref, GONE)
    assert "passkey-held" in {each.name for each in found.findings}
    lost = await office.counter.files.verdict(office.teller, ref, GONE | {Lost.PASSKEY})
    assert "replace-phone-at-counter" in (lost.at_counter or ())
