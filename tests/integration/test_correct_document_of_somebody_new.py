"""An expired document stands in the way of registering: two people at the counter put it right, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foregate.counter.guard import Objected
from tests.bank import WANG, Bank
from tests.office import NEW, open_office

pytestmark = pytest.mark.anyio

# Known to the bank, with a document that is long over, and never registered for e-banking.
NEWCOMER = replace(
    WANG, core_ref="C777", card="6222020000000000778", phone="+8613700007777", bound="+8613700007777",
    document_number="44030819900101777X", document_expires_on="2020-01-01",
)  # fmt: skip


async def test_the_document_of_somebody_who_never_registered(bank: Bank) -> None:
    """The verdict names it, two consent, the bank's record is right, it is written down, and nobody is texted."""
    await bank.settle(NEWCOMER, registered=False)
    office = await open_office(bank)
    proposals, files = office.counter.proposals, office.counter.files
    ref = await office.look_up(office.teller, NEWCOMER.card)
    verdict = await files.verdict(office.teller, ref, frozenset())
    assert ("not-registered-stuck", ("correct-document-at-counter", "register")) == (
        verdict.headline, verdict.at_counter,
    )  # fmt: skip
    with pytest.raises(Objected, match="not-registered"):
        await office.propose(office.teller, "replace-phone", NEWCOMER, phone=NEW)

    with pytest.raises(Objected) as objected:  # born in 1949: there is a card without an end for her
        await office.propose(
            office.teller, "correct-document", NEWCOMER, expires_on="2040-01-01", issued_on="2020-01-01"
        )
    assert {"issued_on": "issue-term"} == objected.value.fields
    made = await office.propose(office.teller, "correct-document", NEWCOMER, expires_on="2040-01-01")
    with pytest.raises(Objected, match="already-proposed"):
        await office.propose(office.colleague, "correct-document", NEWCOMER, expires_on="2040-01-01")
    with pytest.raises(Objected, match="same-person"):
        await proposals.consent(office.teller, made.proposal.proposal_id, made.proposal.digest, "seen by me")
    done = await proposals.consent(office.colleague, made.proposal.proposal_id, made.proposal.digest, "new card seen")
    assert "done" == done.proposal.state
    person = await bank.house.core.person(NEWCOMER.core_ref)
    assert person is not None
    assert "2040-01-01" == person.document_expires_on
    assert ["proposal-made", "proposal-consented", "document-corrected"] == [
        kind for kind in await bank.events(NEWCOMER) if "refused" not in kind and kind != "alarm"
    ]
    assert [] == await bank.messages_about(NEWCOMER)
    assert ("not-registered", ("register",)) == (
        (after := await files.verdict(office.teller, ref, frozenset())).headline, after.alone,
    )  # fmt: skip


async def test_a_document_that_moved_meanwhile_is_not_consented_to(bank: Bank) -> None:
    """What the bank holds changed after it was proposed: nothing is done, and it is an alarm."""
    await bank.settle(NEWCOMER, registered=False)
    office = await open_office(bank)
    made = await office.propose(office.teller, "correct-document", NEWCOMER, expires_on="2040-01-01")
    await bank.house.core.set_document_expiry(NEWCOMER.core_ref, "2039-12-31")
    with pytest.raises(Objected, match="customer-changed"):
        await office.counter.proposals.consent(
            office.colleague, made.proposal.proposal_id, made.proposal.digest, "new card seen"
        )
    assert "customer-changed" in await office.alarms()
