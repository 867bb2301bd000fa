"""TEL-03: every verb of the counter asks for its own right. All verbs, all roles; the table of rights is the data."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from foregate.counter.administration import NewMember
from foregate.counter.guard import Objected
from foregate.counter.views import Actor
from foregate.ports.counter import Role
from foregate.rules.staff import COUNTER_ACTS, WHO_MAY, Right
from tests.bank import LI, open_bank
from tests.office import EAST, REASON, Office, document, open_office

pytestmark = [pytest.mark.anyio, pytest.mark.attack]
NOTE = "card seen"
Verb = Callable[[Office, Actor, str, str], Awaitable[object]]  # office, who, whose file, some member's id


def proposing(act: str) -> Verb:
    return lambda o, who, ref, _: o.counter.proposals.propose(who, ref, act, id_check=document(LI), phone=LI.phone)


async def consenting(office: Office, who: Actor, act: str) -> object:
    """Consent to a proposal that is not there for this act: the right is asked for first."""
    async with office.counter.guard.doing(who, COUNTER_ACTS[act].consent or Right.SEARCH):
        return None


VERBS: dict[Right, Verb] = {
    Right.SEARCH: lambda o, who, _, __: o.counter.finding.search(who, LI.card, REASON),
    Right.SEE_FILE: lambda o, who, ref, _: o.counter.files.file(who, ref),
    Right.SEE_TIMELINE: lambda o, who, ref, _: o.counter.files.timeline(who, ref),
    Right.SEE_VERDICT: lambda o, who, ref, _: o.counter.files.verdict(who, ref, frozenset()),
    Right.SEE_PROPOSALS: lambda o, who, _, __: o.counter.proposals.open(who),
    Right.PROPOSE_REPLACE_PHONE: proposing("replace-phone"),
    Right.PROPOSE_UNFREEZE: proposing("unfreeze"),
    Right.PROPOSE_CORRECT_DOCUMENT: proposing("correct-document"),
    Right.END_SESSIONS: proposing("end-sessions"),
    Right.CONSENT_REPLACE_PHONE: lambda o, who, _, __: consenting(o, who, "replace-phone"),
    Right.CONSENT_UNFREEZE: lambda o, who, _, __: consenting(o, who, "unfreeze"),
    Right.CONSENT_CORRECT_DOCUMENT: lambda o, who, _, __: consenting(o, who, "correct-document"),
    Right.CONSENT_ADMINISTRATOR: lambda o, who, _, __: consenting(o, who, "make-administrator"),
    Right.CONSENT_ADMINISTRATOR_RESET: lambda o, who, _, __: consenting(o, who, "reset-administrator"),
    Right.RELEASE_HOLD: lambda o, who, _, staff_id: o.counter.staff.release(who, staff_id),
    Right.SEE_STAFF: lambda o, who, _, __: o.counter.staff.all(who),
    Right.CREATE_STAFF: lambda o, who, _, __: o.counter.staff.create(
        who, NewMember(user_name="new-one", name="New", role=Role.TELLER, outlet_id=EAST)
    ),
    Right.CHANGE_STAFF: lambda o, who, _, staff_id: o.counter.staff.change(who, staff_id, Role.TELLER, EAST),
    Right.DEACTIVATE_STAFF: lambda o, who, _, staff_id: o.counter.staff.deactivate(who, staff_id),
    Right.REACTIVATE_STAFF: lambda o, who, _, staff_id: o.counter.staff.reactivate(who, staff_id, Role.TELLER, EAST),
    Right.RESET_CREDENTIALS: lambda o, who, _, staff_id: o.counter.staff.reset(who, staff_id),
    Right.PROPOSE_ADMINISTRATOR: lambda o, who, _, staff_id: o.counter.staff.propose_administrator(who, staff_id),
    Right.PROPOSE_ADMINISTRATOR_RESET: lambda o, who, _, staff_id: o.counter.staff.propose_reset(who, staff_id),
    Right.AUDIT_CUSTOMER: lambda o, who, ref, _: o.counter.records.customer(who, ref),
    Right.AUDIT_STAFF: lambda o, who, _, staff_id: o.counter.records.staff(who, staff_id),
    Right.EXPORT_AUDIT: lambda o, who, ref, _: o.counter.records.csv_of_customer(who, ref),
}
# Verbs of other rooms, which ask `guard.authorise`.
ELSEWHERE = {
    Right.HAND_OVER_APPOINTMENT, Right.RUN_QUEUE, Right.MANAGE_OUTLETS, Right.MANAGE_SERVICES, Right.MANAGE_HOURS,
}  # fmt: skip
VERBS |= {right: lambda o, who, _, __, right=right: o.counter.guard.authorise(who, right) for right in ELSEWHERE}  # type: ignore[misc]  # the loop's own right


async def test_tel_03_every_verb_asks_for_its_own_right(tmp_path: Path) -> None:
    """Whoever has the right gets past it, whoever has not is stopped by it, and every such try raises an alarm."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    office = await open_office(bank)
    people = {
        Role.TELLER: office.teller, Role.SUPERVISOR: office.supervisor, Role.AUDITOR: office.auditor,
        Role.ADMINISTRATOR: office.administrator,
    }  # fmt: skip
    refs = {role: await office.look_up(actor, LI.card) for role, actor in people.items()}
    stopped: dict[Right, set[Role]] = {}
    for right, verb in VERBS.items():
        for role, actor in people.items():
            try:
                await verb(office, actor, refs[role], office.colleague.staff_id)
            except Objected as objected:
                if objected.objection == "no-right":
                    stopped.setdefault(right, set()).add(role)
    await bank.house.store.close()
    assert set(Right) == set(VERBS), "a right that no verb asks for, or a verb that is not tried"
    assert {right: set(Role) - set(WHO_MAY[right]) for right in Right if set(Role) - set(WHO_MAY[right])} == stopped
