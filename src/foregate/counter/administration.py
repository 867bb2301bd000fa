"""Who works for the bank: created, changed, deactivated, and let choose new credentials, by administrators.

Rules
  1. Nobody does any of this to themselves.
  2. An administrator is made by two, and reset by two: otherwise one could become the other.
  3. Whoever changes role or outlet, leaves, or is reset is signed out everywhere in the same transaction.
  4. Who comes back comes as somebody new does: with a role that one may give, and with credentials yet to be chosen.
  5. No administrator sees a secret: an enrolment code lets its bearer choose credentials, once, and is handed over.
"""

from __future__ import annotations

import msgspec

from foregate.counter import making, paper, settling, sign_in_enrol
from foregate.counter.guard import Doing, Guard, Objected, chain_of
from foregate.counter.views import Actor, ProposalView, StaffView
from foregate.ids import new_id
from foregate.ports import Event, Taken
from foregate.ports.counter import StaffMember
from foregate.rules import inputs, staff
from foregate.rules.inputs import BadInput
from foregate.rules.staff import AT_AN_OUTLET, COUNTER_ACTS, Right, Role
from foregate.situation import World

NAME_CHARS_MAX = 60


class Enrolled(msgspec.Struct, frozen=True):
    """A member, and the code that lets them choose credentials: told here and never again."""

    member: StaffView
    code: str


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """What is typed of a new colleague. `core_ref`: their own customer number, if they have one."""

    user_name: str
    name: str
    role: Role
    outlet_id: str | None = None
    core_ref: str | None = None


class Administration:
    """Verbs on members of staff."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._world = guard.world

    async def all(self, actor: Actor, after: str = "") -> tuple[StaffView, ...]:
        """Return one page of members; a supervisor sees those of their own outlet. Raises Objected."""
        async with self._guard.doing(actor, Right.SEE_STAFF) as doing:
            members = await doing.tx.staff.all(doing.member.outlet_id, after)
        return tuple(view_of(member) for member in members)

    async def find(self, actor: Actor, staff_id: str) -> StaffView:
        """Return one member. Raises Objected."""
        async with self._guard.doing(actor, Right.SEE_STAFF) as doing:
            member = await self._other(doing, staff_id, may_be_self=True)
            if doing.member.role in AT_AN_OUTLET and member.outlet_id != doing.member.outlet_id:
                raise Objected("other-outlet")
        return view_of(member)

    async def create(self, actor: Actor, new: NewMember) -> Enrolled:
        """Write a new member, and return the code to hand over. Raises Objected."""
        async with self._guard.doing(actor, Right.CREATE_STAFF) as doing:
            member = checked(new, doing.now)
            if member.role is Role.ADMINISTRATOR:
                raise Objected("needs-two")
            await _must_exist(doing, member.outlet_id)
            try:
                await doing.tx.staff.insert(member)
            except Taken:
                raise Objected("user-name-taken") from None
            await doing.record(
                "staff-created",
                subject=chain_of(member.staff_id),
                role=member.role.value,
                outlet=member.outlet_id or "",
            )
            return Enrolled(view_of(member), await self._issue(doing, member.staff_id))

    async def change(
        self, actor: Actor, staff_id: str, role: Role, outlet_id: str | None, core_ref: str | None = None
    ) -> StaffView:
        """Give another role, outlet or customer number; the member is signed out. Raises Objected.

        `core_ref` None: as it is; empty: they do not bank here.
        """
        async with self._guard.doing(actor, Right.CHANGE_STAFF, subject=chain_of(staff_id)) as doing:
            member = await self._other(doing, staff_id)
            if role is Role.ADMINISTRATOR and member.role is not Role.ADMINISTRATOR:
                raise Objected("needs-two")
            outlet = _outlet_for(role, outlet_id)
            await _must_exist(doing, outlet)
            await doing.tx.staff.change(staff_id, role=role, outlet_id=outlet)
            await doing.tx.staff_sessions.end_all(staff_id)
            own = member.core_ref if core_ref is None else _own(core_ref)
            if own != member.core_ref:
                await doing.tx.staff.set_core_ref(staff_id, own)
            # Not the number itself: that the guard against one's own login was moved is what matters.
            said = {} if own == member.core_ref else {"own_login": "removed" if own is None else "set"}
            await doing.record(
                "staff-changed", subject=chain_of(staff_id), role=role.value, outlet=outlet or "", **said
            )
        return view_of(msgspec.structs.replace(member, role=role, outlet_id=outlet, core_ref=own))

    async def reactivate(self, actor: Actor, staff_id: str, role: Role, outlet_id: str | None) -> Enrolled:
        """Let somebody come back, with a role that one may give; return the code to hand over. Raises Objected."""
        async with self._guard.doing(actor, Right.REACTIVATE_STAFF, subject=chain_of(staff_id)) as doing:
            member = await self._other(doing, staff_id)
            if role is Role.ADMINISTRATOR:
                raise Objected("needs-two")
            outlet = _outlet_for(role, outlet_id)
            await _must_exist(doing, outlet)
            if not await doing.tx.staff.reactivate(staff_id):
                raise Objected("nothing-to-do")
            await doing.tx.staff.change(staff_id, role=role, outlet_id=outlet)
            await doing.record("staff-reactivated", subject=chain_of(staff_id), role=role.value, outlet=outlet or "")
            back = msgspec.structs.replace(member, is_active=True, role=role, outlet_id=outlet)
            return Enrolled(view_of(back), await self._issue(doing, staff_id))

    async def deactivate(self, actor: Actor, staff_id: str) -> StaffView:
        """Let somebody go: signed out, and nothing that they have opens anything again. Raises Objected."""
        async with self._guard.doing(actor, Right.DEACTIVATE_STAFF, subject=chain_of(staff_id)) as doing:
            member = await self._other(doing, staff_id)
            if not await doing.tx.staff.deactivate(staff_id):
                raise Objected("nothing-to-do")
            await doing.tx.staff_sessions.end_all(staff_id)
            await doing.tx.staff_credentials.forget_all(staff_id)
            await doing.record("staff-deactivated", subject=chain_of(staff_id))
        return view_of(msgspec.structs.replace(member, is_active=False))

    async def reset(self, actor: Actor, staff_id: str) -> Enrolled:
        """Drop somebody's credentials and return the code to hand over. Raises Objected."""
        async with self._guard.doing(actor, Right.RESET_CREDENTIALS, subject=chain_of(staff_id)) as doing:
            member = await self._other(doing, staff_id)
            if member.role is Role.ADMINISTRATOR:
                raise Objected("needs-two")
            if not member.is_active:
                raise Objected("nothing-to-do")
            return Enrolled(view_of(member), await self._issue(doing, staff_id))

    async def release(self, actor: Actor, staff_id: str) -> StaffView:
        """Lift the hold that a limit put on somebody. Raises Objected: never one's own, nor at another outlet."""
        async with self._guard.doing(actor, Right.RELEASE_HOLD, subject=chain_of(staff_id)) as doing:
            member = await self._other(doing, staff_id)
            objection = staff.may_release(doing.member.standing, member.standing, is_open=doing.is_open)
            if objection is not None:
                raise Objected(objection)
            if not await doing.tx.staff.release(staff_id):
                raise Objected("nothing-to-do")
            await doing.record("hold-released", subject=chain_of(staff_id), objection=member.hold)
        return view_of(msgspec.structs.replace(member, hold=""))

    async def propose_administrator(self, actor: Actor, staff_id: str) -> ProposalView:
        """Propose that somebody becomes an administrator; another administrator consents. Raises Objected."""
        return await self._propose(actor, staff_id, "make-administrator")

    async def propose_reset(self, actor: Actor, staff_id: str) -> ProposalView:
        """Propose that an administrator chooses new credentials; another one consents. Raises Objected."""
        return await self._propose(actor, staff_id, "reset-administrator")

    async def _propose(self, actor: Actor, staff_id: str, act: str) -> ProposalView:
        spec = COUNTER_ACTS[act]
        async with self._guard.doing(actor, spec.propose, subject=chain_of(staff_id)) as doing:
            member = await self._other(doing, staff_id)
            is_administrator = member.role is Role.ADMINISTRATOR
            if not member.is_active or is_administrator is (act == "make-administrator"):
                raise Objected("nothing-to-do")
            payload = making.payload_about_staff(self._world, spec, member)
            row = making.row_of(self._world, doing, spec, staff_id, payload, None)
            await settling.expire(doing)
            if not await doing.tx.proposals.insert(row):
                raise Objected("already-proposed")
            await doing.record("proposal-made", subject=chain_of(staff_id), act=act, proposal=row.proposal_id)
            return paper.view_of(row, actor, {doing.member.staff_id: doing.member.name}, doing.now)

    async def _other(self, doing: Doing, staff_id: str, *, may_be_self: bool = False) -> StaffMember:
        if staff_id == doing.member.staff_id and not may_be_self:
            raise Objected("same-person")
        member = await doing.tx.staff.hold(staff_id)
        if member is None:
            raise Objected("staff-unknown")
        return member

    async def _issue(self, doing: Doing, staff_id: str) -> str:
        return await sign_in_enrol.issue(
            self._world, doing.tx, staff_id, actor=doing.actor.name, source=doing.actor.source
        )


async def hire(world: World, new: NewMember, *, actor: str, source: str = "") -> str:
    """Write a new member of any role, by whoever holds the keys; return their enrolment code. Raises Objected."""
    now = world.clock.now()
    member = checked(new, now)
    async with world.store.begin() as tx:
        if member.outlet_id is not None and await tx.outlets.find(member.outlet_id) is None:
            raise Objected("outlet-missing")
        try:
            await tx.staff.insert(member)
        except Taken:
            raise Objected("user-name-taken") from None
        details: dict[str, str | int] = {"role": member.role.value, "outlet": member.outlet_id or ""}
        event = Event(
            chain=chain_of(member.staff_id), kind="staff-created", actor=actor, source=source, details=details
        )
        await tx.audit.record(event, now)
        return await sign_in_enrol.issue(world, tx, member.staff_id, actor=actor, source=source)


def checked(new: NewMember, now: int) -> StaffMember:
    """Return a new member in normal form. Raises Objected("input-invalid") with all that is wrong at once."""
    wrong: dict[str, str] = {}
    user_name = name = ""
    try:
        user_name = inputs.normal_user_name(new.user_name)
    except BadInput as bad:
        wrong["user_name"] = bad.code
    try:
        name = inputs.plain(new.name)
        inputs.normal_name(name)
    except BadInput as bad:
        wrong["name"] = bad.code
    if wrong:
        raise Objected("input-invalid", fields=wrong)
    return StaffMember(
        staff_id=new_id(),
        user_name=user_name,
        name=name[:NAME_CHARS_MAX],
        role=new.role,
        outlet_id=_outlet_for(new.role, new.outlet_id),
        core_ref=_own(new.core_ref or ""),
        is_active=True,
        created_at=now,
    )


def _own(typed: str) -> str | None:
    return inputs.plain(typed) or None


def _outlet_for(role: Role, outlet_id: str | None) -> str | None:
    if role not in AT_AN_OUTLET:
        return None
    if not outlet_id:
        raise Objected("outlet-missing")
    return outlet_id


async def _must_exist(doing: Doing, outlet_id: str | None) -> None:
    if outlet_id is not None and await doing.tx.outlets.find(outlet_id) is None:
        raise Objected("outlet-missing")


def view_of(member: StaffMember) -> StaffView:
    """Return a member as shown."""
    return StaffView(
        staff_id=member.staff_id,
        user_name=member.user_name,
        name=member.name,
        role=member.role,
        outlet_id=member.outlet_id,
        is_active=member.is_active,
        created_at=member.created_at,
        hold=member.hold,
        core_ref=member.core_ref,
    )
