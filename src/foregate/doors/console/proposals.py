"""A proposal on the screen: the maker's side until the number is proved, the colleague's side until it is settled."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.counter import sessions
from foregate.counter.guard import Objected
from foregate.counter.sessions import OnDuty
from foregate.counter.views import Performed, ProposalView
from foregate.doors.console.duty import actor_of, world_of
from foregate.doors.console.live import state_of
from foregate.doors.console.queue import watch
from foregate.doors.console.refusals import status_of
from foregate.doors.console.render import may, respond
from foregate.doors.pages import forms
from foregate.rules.staff import COUNTER_ACTS


async def show_proposal(request: Request, duty: OnDuty) -> Response:
    """Where it stands, and what I may do about it."""
    return await _page(request, duty)


async def _page(
    request: Request, duty: OnDuty, objected: Objected | None = None, typed: dict[str, str] | None = None
) -> Response:
    view = await request.app.state.counter.proposals.look(actor_of(request, duty), request.path_params["proposal_id"])
    status = status_of(objected.objection) if objected else 200
    return _shown(request, duty, view, status=status, problem=objected, typed=typed or {})


def _shown(request: Request, duty: OnDuty, view: ProposalView, **facts: Any) -> Response:
    act = COUNTER_ACTS[view.act]
    shown: dict[str, Any] = {
        "proposal": view,
        "act": act,
        "step": _step(view, needs_code=act.needs_code),
        "seen": _state(view.state, view.awaits_code),
        "may_consent": not view.is_mine and act.consent is not None and may(duty, act.consent.value),
        "is_fresh": sessions.is_fresh(duty.session, world_of(request).clock.now()),
        "performed": None,
        "typed": {},
        "is_sent": request.query_params.get("sent") == "yes",
    }
    return respond(request, duty, "proposal.html", **(shown | facts))


def _step(view: ProposalView, *, needs_code: bool) -> int:
    """Return how far it is: 1 number, 2 consent, 3 done. The document was checked before it was made."""
    if view.state != "proposed":
        return 3
    return 1 if needs_code and view.awaits_code else 2


def _state(state: str, awaits_code: bool) -> str:
    return state_of((state, awaits_code))


async def watch_proposal(request: Request, duty: OnDuty) -> Response:
    """Say when it moved."""
    world, proposal_id = world_of(request), request.path_params["proposal_id"]
    await request.app.state.counter.proposals.look(actor_of(request, duty), proposal_id)

    async def read() -> str:
        async with world.store.begin() as tx:
            row = await tx.proposals.find(proposal_id)
        is_over = row is not None and row.state == "proposed" and row.expires_at <= world.clock.now()
        return _state("expired" if is_over else row.state if row else "", row.awaits_code if row else False)

    return watch(request, duty, request.app.state.live, f"proposal:{proposal_id}", read)


# ---------------------------------------------------------------- the maker


async def send_code(request: Request, duty: OnDuty) -> Response:
    """Send a code to the new number."""
    proposal_id = request.path_params["proposal_id"]
    try:
        await request.app.state.counter.proposals.send_code(actor_of(request, duty), proposal_id)
    except Objected as objected:
        return await _page(request, duty, objected)
    return RedirectResponse(f"/console/proposals/{proposal_id}?sent=yes", 303)


async def prove_code(request: Request, duty: OnDuty) -> Response:
    """Take the code that the customer reads out."""
    form, proposal_id = await forms.posted(request), request.path_params["proposal_id"]
    try:
        await request.app.state.counter.proposals.prove_code(actor_of(request, duty), proposal_id, form.get("code", ""))
    except Objected as objected:
        return await _page(request, duty, objected)
    return RedirectResponse(f"/console/proposals/{proposal_id}", 303)


async def withdraw(request: Request, duty: OnDuty) -> Response:
    """The maker takes it back."""
    proposal_id = request.path_params["proposal_id"]
    await request.app.state.counter.proposals.withdraw(actor_of(request, duty), proposal_id)
    return RedirectResponse(f"/console/proposals/{proposal_id}", 303)


# ---------------------------------------------------------------- the colleague


async def consent(request: Request, duty: OnDuty) -> Response:
    """Consent to exactly what was shown. The permit is on this page and never again."""
    proposal_id = request.path_params["proposal_id"]
    if not sessions.is_fresh(duty.session, world_of(request).clock.now()):
        return RedirectResponse(f"/console/sign-in?done=again&back=/console/proposals/{proposal_id}", 303)
    form = await forms.posted(request)
    try:
        done: Performed = await request.app.state.counter.proposals.consent(
            actor_of(request, duty), proposal_id, form.get("digest", ""), form.get("note", "")
        )
    except Objected as objected:
        return await _page(request, duty, objected, form)
    return _shown(request, duty, done.proposal, performed=done)


async def refuse(request: Request, duty: OnDuty) -> Response:
    """Refuse it, and say why."""
    form, proposal_id = await forms.posted(request), request.path_params["proposal_id"]
    try:
        await request.app.state.counter.proposals.refuse(actor_of(request, duty), proposal_id, form.get("note", ""))
    except Objected as objected:
        return await _page(request, duty, objected, form)
    return RedirectResponse(f"/console/proposals/{proposal_id}", 303)


async def finish(request: Request, duty: OnDuty) -> Response:
    """The core bank did not answer when this was consented to: do the rest now."""
    proposal_id = request.path_params["proposal_id"]
    try:
        done = await request.app.state.counter.proposals.finish(actor_of(request, duty), proposal_id)
    except Objected as objected:
        return await _page(request, duty, objected)
    return _shown(request, duty, done.proposal, performed=done)
