"""TEL: tellers, the second pair of eyes, and what happens to those who try to do without it."""

import asyncio
from collections.abc import Awaitable

import pytest
from sqlalchemy import text

from foregate.counter.guard import Objected
from foregate.counter.views import Actor, IdCheck
from foregate.ports.counter import Role
from foregate.rules import limits
from foregate.rules.footing import Lost
from foregate.store.statements import Statement
from tests.bank import LI, WANG, Bank
from tests.office import EAST, NEW, REASON, Office, document, hire, open_office

pytestmark = [pytest.mark.anyio, pytest.mark.attack]
NOTE = "card seen, face fits"


@pytest.fixture
async def office(bank: Bank) -> Office:
    """Return a bank with two outlets and the people in them."""
    return await open_office(bank)


async def refused(work: Awaitable[object]) -> str:
    """Return why it was refused."""
    with pytest.raises(Objected) as objected:
        await work
    return objected.value.objection


async def state_of(office: Office, proposal_id: str) -> str:
    async with office.bank.house.store.begin() as tx:
        row = await tx.proposals.find(proposal_id)
    assert row is not None
    return row.state


async def phone_of(bank: Bank) -> str:
    async with bank.house.store.begin() as tx:
        customer = await tx.customers.find(bank.customer_id(LI))
    assert customer is not None
    return customer.phone


async def sql(bank: Bank, statement: str, **values: str) -> None:
    """Tamper with the tables, past everything."""
    async with bank.house.store.database.transaction() as connection:
        await connection.run(Statement(text(statement)), **values)


async def did(office: Office, actor: Actor, what: str, times: int) -> None:
    """Let somebody have done this so often already."""
    async with office.bank.house.store.begin() as tx:
        for _ in range(times):
            await tx.staff.count(actor.staff_id, what, limits.HOUR, office.bank.clock.now())


# ---------------------------------------------------------------- TEL-01


async def test_tel_01_a_number_is_replaced_by_two_people_and_a_code(office: Office) -> None:
    """Two tellers, the card, a code on the new phone: sessions and journeys end, and both numbers hear of it."""
    bank = office.bank
    phone, half_done = bank.visitor(), bank.visitor()
    await phone.sign_in(LI)
    await half_done.start("sign-in", "phone", phone=LI.phone)
    ready = await office.new_number(office.teller)
    assert ("phone", "138****8000", NEW) == tuple(vars_of(ready.changes[0]))

    done = await office.counter.proposals.consent(office.colleague, ready.proposal_id, ready.digest, NOTE)

    assert done.permit is not None
    assert ("done", "Teller-East", "Colleague-East") == (
        done.proposal.state, done.proposal.maker_name, done.proposal.checker_name
    )  # fmt: skip
    assert NEW == await phone_of(bank)
    assert None is await phone.level()
    assert "journey-ended" == (await half_done.answer("phone_code", code="000000")).cause
    assert {"sms.number-replaced-old", "sms.number-replaced"} <= set(await bank.messages_about(LI))
    events = await bank.events(LI)
    assert ["customer-looked-up", "proposal-made", "code-sent", "code-proved"] == [
        e for e in events if e in {"customer-looked-up", "proposal-made", "code-proved"} or e == "code-sent"
    ][-4:]
    assert {"proposal-consented", "phone-replaced"} <= set(events)
    assert [] == await office.alarms()


def vars_of(change: object) -> tuple[str, ...]:
    return tuple(getattr(change, name) for name in ("field", "before", "after"))


async def test_tel_01_nobody_consents_to_their_own_proposal(office: Office) -> None:
    """Self-consent is refused and alarmed, and so it is when the person has become a supervisor meanwhile."""
    ready = await office.new_number(office.teller)
    consent = office.counter.proposals.consent
    assert "same-person" == await refused(consent(office.teller, ready.proposal_id, ready.digest, NOTE))
    async with office.bank.house.store.begin() as tx:
        await tx.staff.change(office.teller.staff_id, role=Role.SUPERVISOR, outlet_id=EAST)
    assert "same-person" == await refused(consent(office.teller, ready.proposal_id, ready.digest, NOTE))
    assert ["same-person", "same-person"] == await office.alarms()
    assert LI.phone == await phone_of(office.bank)


async def test_tel_01_another_outlets_teller(office: Office) -> None:
    """Who does not stand at the same counter sees nothing of it, and consents to nothing."""
    ready = await office.new_number(office.teller)
    proposals = office.counter.proposals
    assert "other-outlet" == await refused(proposals.consent(office.far, ready.proposal_id, ready.digest, NOTE))
    assert "other-outlet" == await refused(proposals.look(office.far, ready.proposal_id))
    assert "other-outlet" == await refused(proposals.refuse(office.far, ready.proposal_id, NOTE))
    assert "other-outlet" == await refused(proposals.send_code(office.far, ready.proposal_id))
    assert () == await proposals.open(office.far)
    assert ["other-outlet"] * 4 == await office.alarms()
    assert "proposed" == await state_of(office, ready.proposal_id)


async def test_tel_01_what_is_consented_is_what_was_proposed(office: Office) -> None:
    """A page that shows another proposal, and a row that was altered behind our back, are not consented to."""
    bank, consent = office.bank, office.counter.proposals.consent
    ready = await office.new_number(office.teller)
    swapped = "00" * 32
    assert "proposal-swapped" == await refused(consent(office.colleague, ready.proposal_id, swapped, NOTE))
    assert "proposal-swapped" == await refused(consent(office.colleague, ready.proposal_id, "no digest", NOTE))
    await sql(bank, "UPDATE proposal SET maker = :to", to=office.far.staff_id)
    assert "other-outlet" == await refused(consent(office.colleague, ready.proposal_id, ready.digest, NOTE))
    await sql(bank, "UPDATE proposal SET maker = :to", to=office.supervisor.staff_id)
    assert "proposal-swapped" == await refused(consent(office.colleague, ready.proposal_id, ready.digest, NOTE))
    assert ["proposal-swapped", "proposal-swapped", "other-outlet", "proposal-swapped"] == await office.alarms()
    assert LI.phone == await phone_of(bank)


async def test_tel_01_a_consent_counts_once(office: Office) -> None:
    """Replayed, it is refused and alarmed; after a withdrawal and a refusal there is nothing to consent to."""
    proposals = office.counter.proposals
    ready = await office.new_number(office.teller)
    await proposals.consent(office.colleague, ready.proposal_id, ready.digest, NOTE)
    for actor in (office.colleague, office.supervisor):
        assert "proposal-settled" == await refused(proposals.consent(actor, ready.proposal_id, ready.digest, NOTE))
    assert ["proposal-settled", "proposal-settled"] == await office.alarms()

    made = (await office.propose(office.teller, "replace-phone", phone=LI.phone)).proposal
    assert "no-right" == await refused(proposals.withdraw(office.colleague, made.proposal_id))
    assert "withdrawn" == (await proposals.withdraw(office.teller, made.proposal_id)).state
    assert "proposal-settled" == await refused(proposals.consent(office.colleague, made.proposal_id, made.digest, NOTE))
    made = (await office.propose(office.teller, "replace-phone", phone=LI.phone)).proposal
    assert "note-missing" == await refused(proposals.refuse(office.colleague, made.proposal_id, ""))
    assert "refused" == (await proposals.refuse(office.colleague, made.proposal_id, "not the same face")).state


async def test_tel_01_fifty_consents_at_once(office: Office) -> None:
    """Exactly one runs; every other one is refused, and the customer holds one permit."""
    ready = await office.new_number(office.teller)
    checkers = [await hire(office.bank, f"helper-{n}", Role.TELLER, EAST) for n in range(5)]
    consents = (
        office.counter.proposals.consent(checkers[n % 5], ready.proposal_id, ready.digest, NOTE) for n in range(50)
    )
    outcomes = await asyncio.gather(*consents, return_exceptions=True)
    done = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    why = {getattr(outcome, "objection", repr(outcome)) for outcome in outcomes if isinstance(outcome, BaseException)}
    assert (1, {"proposal-settled"}) == (len(done), why)
    assert 1 == (await office.bank.events(LI)).count("phone-replaced")


async def test_tel_01_the_new_number_is_proved_first(office: Office) -> None:
    """Without the code nobody can consent; tries at it are counted, and a code of another number proves nothing."""
    proposals = office.counter.proposals
    made = (await office.propose(office.teller, "replace-phone", phone=NEW)).proposal
    consent = proposals.consent
    assert "number-not-proved" == await refused(consent(office.colleague, made.proposal_id, made.digest, NOTE))
    assert "no-right" == await refused(proposals.send_code(office.colleague, made.proposal_id))
    await proposals.send_code(office.teller, made.proposal_id)
    wrong = await office.bank.wrong_code(NEW)
    for _ in range(limits.CODE_TRIES - 1):
        assert "code-wrong" == await refused(proposals.prove_code(office.teller, made.proposal_id, wrong))
    assert "code-used-up" == await refused(proposals.prove_code(office.teller, made.proposal_id, wrong))
    right = await office.bank.code(NEW)
    assert "code-used-up" == await refused(proposals.prove_code(office.teller, made.proposal_id, right))
    assert "number-not-proved" == await refused(consent(office.colleague, made.proposal_id, made.digest, NOTE))


async def test_tel_01_the_card_decides(office: Office) -> None:
    """Another card, an expired one, one that the bank holds otherwise: refused, each with the remedy that helps."""
    core, proposals = office.bank.house.core, office.counter.proposals
    ref = await office.look_up(office.teller, LI.card)

    async def why(check: IdCheck | None, act: str = "unfreeze") -> str:
        return await refused(proposals.propose(office.teller, ref, act, id_check=check))

    assert "input-invalid" == await why(None)
    assert "document-mismatch" == await why(document(WANG))
    assert "input-invalid" == await why(IdCheck(document_type="RESIDENT_ID", number="1", expires_on="tomorrow"))
    await core.set_document_expiry(LI.core_ref, "2026-12-31")
    assert "document-expired" == await why(document(LI, "2026-12-31"))
    assert "document-outdated" == await why(document(LI, "2046-12-31"))
    assert "document-expired" == await why(document(LI, "2026-12-31"), "correct-document")
    await core.set_document_expiry(LI.core_ref, "2046-12-31")
    assert "document-not-renewed" == await why(document(LI, "2046-12-31"), "correct-document")
    assert "nothing-to-do" == await why(document(LI, "2046-12-31"))


async def test_tel_01_the_document_is_corrected_in_the_core_bank(office: Office) -> None:
    """The consent stands, the core bank is told, and the customer hears of it."""
    await office.bank.house.core.set_document_expiry(LI.core_ref, "2026-12-31")
    made = (
        await office.propose(office.teller, "correct-document", expires_on="2046-12-31", issued_on="2026-12-31")
    ).proposal
    assert [("document_expires_on", "2046-12-31"), ("document_issued_on", "2026-12-31")] == [
        (change.field, change.after) for change in made.changes
    ]
    done = await office.counter.proposals.consent(office.colleague, made.proposal_id, made.digest, NOTE)
    person = await office.bank.house.core.person(LI.core_ref)
    assert ("done", "2046-12-31") == (done.proposal.state, person.document_expires_on if person else None)
    assert "2026-12-31" == (person.document_issued_on if person else None)
    ref = await office.look_up(office.teller, LI.card)
    for act, issued_on, why in (
        ("unfreeze", "2026-12-30", "document-outdated"),  # newer than the bank's record, or of another card
        ("correct-document", "2026-12-31", "document-not-renewed"),
        ("correct-document", "", "document-not-renewed"),
    ):
        seen = document(LI, "2046-12-31", issued_on)
        assert why == await refused(office.counter.proposals.propose(office.teller, ref, act, id_check=seen))
    assert "sms.document-corrected" in await office.bank.messages_about(LI)


# ---------------------------------------------------------------- what changed meanwhile


async def test_a_proposal_that_was_left_alone(office: Office) -> None:
    """It expires: refused a second later, gone from the list, and another one can be made."""
    ready = await office.new_number(office.teller)
    office.bank.clock.turn(int(limits.PROPOSAL_SECONDS))
    consent = office.counter.proposals.consent
    assert "proposal-expired" == await refused(consent(office.colleague, ready.proposal_id, ready.digest, NOTE))
    assert () == await office.counter.proposals.open(office.teller)
    assert "expired" == await state_of(office, ready.proposal_id)
    assert "proposal-expired" in await office.bank.events(LI)
    await office.propose(office.teller, "replace-phone", phone=NEW)


async def test_one_open_proposal_for_a_customer_and_an_act(office: Office) -> None:
    """A second one has to wait; ten at once make one."""
    await office.propose(office.teller, "replace-phone", phone=NEW)
    assert "already-proposed" == await refused(office.propose(office.colleague, "replace-phone", phone=NEW))


async def test_the_customer_changed_meanwhile(office: Office) -> None:
    """Their number was replaced, or their document: what was seen is not what is there, so nothing is done."""
    ready = await office.new_number(office.teller)
    await office.bank.house.core.set_document_expiry(LI.core_ref, "2046-12-31")
    consent = office.counter.proposals.consent
    assert "customer-changed" == await refused(consent(office.colleague, ready.proposal_id, ready.digest, NOTE))
    assert ["customer-changed"] == await office.alarms()
    assert "proposed" == await state_of(office, ready.proposal_id)


async def test_the_maker_was_let_go_meanwhile(office: Office) -> None:
    """What somebody proposed who may not propose any more is not done."""
    ready = await office.new_number(office.teller)
    await office.counter.staff.deactivate(office.administrator, office.teller.staff_id)
    consent = office.counter.proposals.consent
    assert "not-active" == await refused(consent(office.colleague, ready.proposal_id, ready.digest, NOTE))
    assert "not-active" == await refused(office.look_up(office.teller, LI.card))


# ---------------------------------------------------------------- TEL-02


async def test_tel_02_nobody_acts_outside_the_hours(office: Office) -> None:
    """After closing and the margin nothing is searched, proposed or consented to, and somebody is told."""
    ready = await office.new_number(office.teller)
    office.bank.clock.turn(3600 + int(limits.HOURS_MARGIN_SECONDS) - 1)  # 17:29:59: the last customer is served
    await office.look_up(office.teller, LI.card)
    office.bank.clock.turn(2)
    consent = office.counter.proposals.consent
    assert "outside-hours" == await refused(office.look_up(office.teller, LI.card))
    assert "outside-hours" == await refused(consent(office.colleague, ready.proposal_id, ready.digest, NOTE))
    assert "outside-hours" == await refused(office.counter.proposals.open(office.supervisor))
    assert ["outside-hours"] * 3 == await office.alarms()
    await office.look_up(office.auditor, LI.card)  # who stands at no counter has no hours


async def test_tel_02_nobody_acts_on_their_own_login(office: Office) -> None:
    """Neither as maker nor as checker, nor by looking."""
    own = await hire(office.bank, "li-works-here", Role.TELLER, EAST, core_ref=LI.core_ref)
    ref = await office.look_up(own, LI.card)
    assert "own-login" == await refused(office.counter.files.file(own, ref))
    assert "own-login" == await refused(office.counter.files.verdict(own, ref, frozenset()))
    assert "own-login" == await refused(office.propose(own, "replace-phone", phone=NEW))
    ready = await office.new_number(office.teller)
    consent = office.counter.proposals.consent
    assert "own-login" == await refused(consent(own, ready.proposal_id, ready.digest, NOTE))
    assert ["own-login"] * 4 == await office.alarms()


async def test_tel_02_a_file_is_opened_by_whoever_looked_for_it(office: Office) -> None:
    """A reference is of no use to anybody else, nor tomorrow, nor when it was made up."""
    ref = await office.look_up(office.teller, LI.phone)
    files = office.counter.files
    seen = await files.file(office.teller, ref)
    assert ("*小明" if len(LI.name) == 2 else "**明", "138****8000", True) == (
        seen.name,
        seen.phone,
        seen.is_registered,
    )
    assert "file-closed" == await refused(files.file(office.colleague, ref))
    assert "file-closed" == await refused(files.file(office.teller, ref[:-2]))
    assert "file-closed" == await refused(files.file(office.teller, "x" * 2000))
    office.bank.clock.turn(int(limits.FILE_SECONDS))
    assert "file-closed" == await refused(files.file(office.teller, ref))


async def test_tel_02_nothing_in_a_file_is_whole(office: Office) -> None:
    """Neither number, card, document nor name stands in what a teller is shown, and no password or code at all."""
    await office.bank.visitor().sign_in(LI)
    ref = await office.look_up(office.teller, LI.card)
    shown = repr(await office.counter.files.file(office.teller, ref))
    shown += repr(await office.counter.files.timeline(office.teller, ref))
    shown += repr(await office.counter.finding.search(office.teller, LI.name, REASON))
    for secret in (LI.phone, LI.phone[3:], LI.card, LI.document_number, LI.name, LI.password, LI.user_name, LI.pin):
        assert secret not in shown


# ---------------------------------------------------------------- TEL-05


async def test_tel_05_searching_too_much(office: Office) -> None:
    """One search more than SEARCHES_PER_HOUR puts the member on hold until a supervisor of the outlet lifts it."""
    await did(office, office.far, "too-many-searches", limits.SEARCHES_PER_HOUR - 1)
    await office.look_up(office.far, LI.card)
    assert "too-many-searches" == await refused(office.look_up(office.far, LI.card))
    assert "on-hold" == await refused(office.look_up(office.far, LI.card))
    assert ["too-many-searches"] == await office.alarms()
    release = office.counter.staff.release
    assert "other-outlet" == await refused(release(office.supervisor, office.far.staff_id))
    assert "no-right" == await refused(release(office.teller, office.far.staff_id))
    assert "" == (await release(office.administrator, office.far.staff_id)).hold
    await office.look_up(office.far, LI.card)


async def test_tel_05_changing_too_many_numbers(office: Office) -> None:
    """One more than NUMBER_CHANGES_PER_DAY: on hold; even a consent to what was proposed before waits."""
    proposals = office.counter.proposals
    ref = await office.look_up(office.teller, LI.card)
    await did(office, office.teller, "too-many-changes", limits.NUMBER_CHANGES_PER_DAY - 1)
    made = await proposals.propose(office.teller, ref, "replace-phone", id_check=document(LI), phone=NEW)
    await proposals.withdraw(office.teller, made.proposal.proposal_id)
    again = proposals.propose(office.teller, ref, "replace-phone", id_check=document(LI), phone=NEW)
    assert "too-many-changes" == await refused(again)
    assert "on-hold" == await refused(office.look_up(office.teller, LI.card))
    assert "no-right" == await refused(office.counter.staff.release(office.teller, office.teller.staff_id))
    assert "same-person" == await refused(office.counter.staff.release(office.supervisor, office.supervisor.staff_id))
    await office.counter.staff.release(office.supervisor, office.teller.staff_id)
    await office.look_up(office.teller, LI.card)


async def test_tel_05_a_new_device_soon_after_the_change(office: Office) -> None:
    """Whoever signs in whole with the new number while it cools, from a device nobody remembers, is looked at."""
    ready = await office.new_number(office.teller)
    await office.counter.proposals.consent(office.colleague, ready.proposal_id, ready.digest, NOTE)
    office.bank.clock.turn(61)
    for alarms in (["signed-in-after-number-change"], ["signed-in-after-number-change"]):
        visitor = office.bank.visitor()
        await visitor.start("sign-in", "phone", phone=NEW)
        await visitor.answer(code=await office.bank.code(NEW))
        await visitor.answer(password=LI.password)
        assert ("full", alarms) == (await visitor.level(), await office.alarms())
        office.bank.clock.turn(int(limits.COOLING_SECONDS))


# ---------------------------------------------------------------- staff


async def test_tel_03_an_administrator_is_made_and_reset_by_two(office: Office) -> None:
    """Neither creating nor changing makes one; nobody makes themselves one, or resets their own."""
    administration, proposals = office.counter.staff, office.counter.proposals
    a, b = office.administrator, office.second_administrator
    change = administration.change(a, office.auditor.staff_id, Role.ADMINISTRATOR, None)
    assert "needs-two" == await refused(change)
    assert "needs-two" == await refused(administration.reset(a, b.staff_id))
    assert "same-person" == await refused(administration.reset(a, a.staff_id))
    made = await administration.propose_administrator(a, office.auditor.staff_id)
    assert "same-person" == await refused(proposals.consent(a, made.proposal_id, made.digest, NOTE))
    assert "no-right" == await refused(proposals.consent(office.auditor, made.proposal_id, made.digest, NOTE))
    await proposals.consent(b, made.proposal_id, made.digest, NOTE)
    assert Role.ADMINISTRATOR is (await administration.find(a, office.auditor.staff_id)).role
    reset = await administration.propose_reset(a, b.staff_id)
    assert "own-login" == await refused(proposals.consent(b, reset.proposal_id, reset.digest, NOTE))
    done = await proposals.consent(office.auditor, reset.proposal_id, reset.digest, NOTE)
    assert done.enrolment_code


async def test_the_record_of_a_customer_and_of_a_teller(office: Office) -> None:
    """Read back in words, checked while it is shown: whole, and with a finding once a row was altered."""
    bank = office.bank
    await office.new_number(office.teller)
    ref = await office.look_up(office.auditor, LI.card)
    whole = await office.counter.records.customer(office.auditor, ref)
    assert () == whole.findings
    assert "Teller-East" in {line.actor for line in whole.timeline.lines}
    of_teller = await office.counter.records.staff(office.auditor, office.teller.staff_id)
    assert {"customer-searched", "proposal-made", "code-proved"} <= {line.kind for line in of_teller.timeline.lines}
    assert "file-closed" == await refused(office.counter.records.customer(office.teller, ref))
    theirs = await office.look_up(office.teller, LI.card)
    assert "no-right" == await refused(office.counter.records.customer(office.teller, theirs))

    await sql(bank, "UPDATE audit_event SET source = '6.6.6.6' WHERE chain = :of AND seq = 2", of=bank.customer_id(LI))
    assert ("the event was changed, moved, or not written by Foregate",) == (
        await office.counter.records.customer(office.auditor, ref)
    ).findings


async def test_why_they_cannot_get_in(office: Office) -> None:
    """The verdict is the door's own: frozen online, it names `reopen`; the phone gone, the counter."""
    visitor = office.bank.visitor()
    await visitor.start("freeze", "phone", phone=LI.phone)
    await visitor.answer(code=await office.bank.code(LI.phone))
    ref = await office.look_up(office.teller, LI.card)
    verdict = office.counter.files.verdict
    frozen = await verdict(office.teller, ref, frozenset())
    assert ("closed-by-customer", ("reopen", "sign-in")) == (frozen.headline, frozen.alone)
    gone = await verdict(office.teller, ref, frozenset({Lost.PHONE, Lost.PASSWORD, Lost.PIN}))
    assert (None, ("replace-phone-at-counter", "reset-password", "sign-in")) == (gone.alone, gone.at_counter)


async def test_a_member_of_staff_who_is_nobody(office: Office) -> None:
    """A session of somebody who is gone does nothing."""
    nobody = Actor(staff_id="0" * 36)
    assert "not-active" == await refused(office.counter.finding.search(nobody, LI.card, REASON))
