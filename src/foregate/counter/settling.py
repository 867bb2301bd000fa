"""What ends proposals: their time, and a consent where the act is on a member of staff."""

from __future__ import annotations

from typing import Final

from foregate.counter import paper, sign_in_enrol
from foregate.counter.guard import Doing, Objected, chain_of
from foregate.counter.performs import Effect
from foregate.ports import Event
from foregate.ports.counter import ProposalRow
from foregate.rules.staff import COUNTER_ACTS, Role
from foregate.situation import World

SYSTEM: Final = "system"


def chain_about(row: ProposalRow) -> str:
    """Return the chain of whom it is about: a customer's, or a member's."""
    return chain_of(row.subject_id) if COUNTER_ACTS[row.act].is_on_staff else row.subject_id


async def expire(doing: Doing) -> None:
    """End what nobody consented to in time, wherever it was proposed, and write that down."""
    for row in await doing.tx.proposals.expire(doing.now):
        details: dict[str, str | int] = {"act": row.act, "proposal": row.proposal_id}
        event = Event(chain=chain_about(row), kind="proposal-expired", actor=SYSTEM, details=details)
        await doing.tx.audit.record(event, doing.now)


def digest_in(shown: str) -> bytes:
    """Return the digest that a page sent back; anything else is none that was shown."""
    try:
        return bytes.fromhex(shown)
    except ValueError:
        return b""


async def do_to_staff(world: World, doing: Doing, row: ProposalRow) -> Effect:
    """Make an administrator, or let one choose new credentials. Raises Objected."""
    if doing.member.staff_id == row.subject_id:
        raise Objected("own-login")
    member = await doing.tx.staff.hold(row.subject_id)
    if member is None or paper.before_staff_act(world.keyring, member) != paper.payload_of(row).before:
        raise Objected("customer-changed")
    code: str | None = None
    if row.act == "make-administrator":
        await doing.tx.staff.change(row.subject_id, role=Role.ADMINISTRATOR, outlet_id=None)
        await doing.tx.staff_sessions.end_all(row.subject_id)
        await doing.record("staff-changed", subject=chain_of(row.subject_id), role=Role.ADMINISTRATOR.value, outlet="")
    else:
        code = await sign_in_enrol.issue(
            world, doing.tx, row.subject_id, actor=doing.actor.name, source=doing.actor.source
        )
    if not await doing.tx.proposals.finish(row.proposal_id, doing.now):
        raise Objected("proposal-settled")
    return Effect(enrolment_code=code)
