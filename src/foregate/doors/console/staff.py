"""Who works here: administrators add, move, reset and let go; supervisors see their outlet and lift holds."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.counter.administration import Enrolled, NewMember
from foregate.counter.guard import Objected
from foregate.counter.sessions import OnDuty
from foregate.counter.views import StaffView
from foregate.doors.console.duty import actor_of, world_of
from foregate.doors.console.refusals import status_of
from foregate.doors.console.render import respond
from foregate.doors.pages import forms
from foregate.rules import limits
from foregate.rules.staff import Role

CORE_REF_CHARS: Final = 40
# An administrator is made by two: first a member like any other, then a proposal.
CREATED: tuple[Role, ...] = (Role.TELLER, Role.SUPERVISOR, Role.AUDITOR)


async def show_staff(request: Request, duty: OnDuty) -> Response:
    """One page of members, and the form for a new one."""
    return await _list_page(request, duty)


async def _list_page(
    request: Request, duty: OnDuty, typed: dict[str, str] | None = None, objected: Objected | None = None
) -> Response:
    after = request.query_params.get("after", "")[:36]
    members = await request.app.state.counter.staff.all(actor_of(request, duty), after)
    facts: dict[str, Any] = {"members": members, "outlets": await _outlets(request, members), "roles": CREATED}
    facts |= {"has_more": len(members) == limits.STAFF_LISTED}
    facts |= {"typed": typed or {}, "wrong": objected.fields if objected else {}, "problem": objected}
    status = status_of(objected.objection) if objected else 200
    return respond(request, duty, "staff.html", tab="staff", status=status, **facts)


async def _outlets(request: Request, members: tuple[StaffView, ...]) -> dict[str, str]:
    """Return the names of the outlets that are mentioned."""
    async with world_of(request).store.begin() as tx:
        found = [await tx.outlets.find(each) for each in sorted({m.outlet_id for m in members if m.outlet_id})]
    return {outlet.outlet_id: outlet.name for outlet in found if outlet is not None}


def _role(form: dict[str, str]) -> Role:
    role = form.get("role", "")
    return Role(role) if role in list(Role) else Role.TELLER


async def add(request: Request, duty: OnDuty) -> Response:
    """A new colleague, and the code to hand over."""
    form = await forms.posted(request)
    new = NewMember(
        user_name=form.get("user_name", ""),
        name=form.get("name", ""),
        role=_role(form),
        outlet_id=form.get("outlet_id", "").strip() or None,
        core_ref=form.get("core_ref", "").strip() or None,
    )
    try:
        enrolled = await request.app.state.counter.staff.create(actor_of(request, duty), new)
    except Objected as objected:
        return await _list_page(request, duty, form, objected)
    return await _member_page(request, duty, enrolled.member, enrolled=enrolled)


async def show_member(request: Request, duty: OnDuty) -> Response:
    """One member, and what may be done."""
    return await _looked_up(request, duty)


async def _looked_up(request: Request, duty: OnDuty, objected: Objected | None = None) -> Response:
    member = await request.app.state.counter.staff.find(actor_of(request, duty), request.path_params["staff_id"])
    return await _member_page(request, duty, member, objected=objected)


async def _member_page(
    request: Request,
    duty: OnDuty,
    member: StaffView,
    *,
    enrolled: Enrolled | None = None,
    objected: Objected | None = None,
) -> Response:
    facts = {"member": member, "outlets": await _outlets(request, (member,)), "enrolled": enrolled}
    facts |= {"problem": objected, "roles": CREATED, "is_self": member.staff_id == duty.member.staff_id}
    status = status_of(objected.objection) if objected else 200
    return respond(request, duty, "member.html", tab="staff", status=status, **facts)


async def change(request: Request, duty: OnDuty) -> Response:
    """Another role, another outlet."""
    form, staff_id = await forms.posted(request), request.path_params["staff_id"]
    outlet_id = form.get("outlet_id", "").strip() or None
    # A form without the field leaves the number as it is; an empty field takes it away.
    core_ref = form["core_ref"].strip()[:CORE_REF_CHARS] if "core_ref" in form else None
    staff = request.app.state.counter.staff
    try:
        await staff.change(actor_of(request, duty), staff_id, _role(form), outlet_id, core_ref)
    except Objected as objected:
        return await _looked_up(request, duty, objected)
    return RedirectResponse(f"/console/staff/{staff_id}", 303)


async def reactivate(request: Request, duty: OnDuty) -> Response:
    """Let somebody come back, and hand over a code as to somebody new."""
    form, staff_id = await forms.posted(request), request.path_params["staff_id"]
    outlet_id, staff = form.get("outlet_id", "").strip() or None, request.app.state.counter.staff
    try:
        enrolled = await staff.reactivate(actor_of(request, duty), staff_id, _role(form), outlet_id)
    except Objected as objected:
        return await _looked_up(request, duty, objected)
    return await _member_page(request, duty, enrolled.member, enrolled=enrolled)


async def deactivate(request: Request, duty: OnDuty) -> Response:
    """Let somebody go."""
    staff_id = request.path_params["staff_id"]
    try:
        await request.app.state.counter.staff.deactivate(actor_of(request, duty), staff_id)
    except Objected as objected:
        return await _looked_up(request, duty, objected)
    return RedirectResponse(f"/console/staff/{staff_id}", 303)


async def reset(request: Request, duty: OnDuty) -> Response:
    """A new enrolment code: what they signed in with works no more."""
    staff_id = request.path_params["staff_id"]
    try:
        enrolled = await request.app.state.counter.staff.reset(actor_of(request, duty), staff_id)
    except Objected as objected:
        return await _looked_up(request, duty, objected)
    return await _member_page(request, duty, enrolled.member, enrolled=enrolled)


async def release(request: Request, duty: OnDuty) -> Response:
    """Lift the hold that a limit put on somebody."""
    staff_id = request.path_params["staff_id"]
    try:
        await request.app.state.counter.staff.release(actor_of(request, duty), staff_id)
    except Objected as objected:
        return await _looked_up(request, duty, objected)
    return RedirectResponse(f"/console/staff/{staff_id}", 303)


async def propose_administrator(request: Request, duty: OnDuty) -> Response:
    """Another administrator consents."""
    return await _propose(request, duty, request.app.state.counter.staff.propose_administrator)


async def propose_reset(request: Request, duty: OnDuty) -> Response:
    """Another administrator consents."""
    return await _propose(request, duty, request.app.state.counter.staff.propose_reset)


async def _propose(request: Request, duty: OnDuty, verb: Any) -> Response:
    try:
        proposal = await verb(actor_of(request, duty), request.path_params["staff_id"])
    except Objected as objected:
        return await _looked_up(request, duty, objected)
    return RedirectResponse(f"/console/proposals/{proposal.proposal_id}", 303)
