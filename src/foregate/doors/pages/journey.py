"""A journey under way, at `/j/{id}`: what is asked now, what went wrong, and what to do instead."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.desk.turn import Caller
from foregate.desk.view import Option, Reply, StepView, View
from foregate.doors.pages import forms
from foregate.doors.pages.agents import device_name
from foregate.doors.pages.forms import NOTHING, Typed
from foregate.doors.pages.problems import problem_of, problem_page, refuse, told_when
from foregate.doors.pages.render import Page, respond
from foregate.doors.pages.tongue import set_language, wanted_language
from foregate.doors.requests import caller_of, language_of, source_of, with_cookies
from foregate.rules import limits

# After these one is signed in, or was already: home says the rest.
ENDS_AT_HOME: Final = frozenset({"revoke-session", "forget-device", "remember-device"})


async def show_journey(request: Request) -> Response:
    """Show where a journey stands. Changes nothing."""
    caller = await caller_of(request)
    reply = await request.app.state.desk.look(_id(request), caller)
    view = reply.view
    if reply.told is None and view is not None and view.status == "done" and _ends_at_home(view):
        return RedirectResponse("/home", 303)
    return await show(request, reply, caller=caller)


async def answer_journey(request: Request) -> Response:
    """Take the answer of a form."""
    form = await forms.posted(request)
    if (language := wanted_language(form)) is not None:
        return set_language(request, RedirectResponse(f"/j/{_id(request)}", 303), language)
    if seconds := await request.app.state.throttle.hit(f"answer:{source_of(request)}", int(limits.ANSWERS_PER_MINUTE)):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    caller, desk = await caller_of(request), request.app.state.desk
    reply = await desk.answer(_id(request), caller, forms.answered(form, desk.house))
    if reply.told is None:
        return went_well(request, reply)
    return await show(request, reply, forms.typed_of(form, reply.told.fields), caller)


def went_well(request: Request, reply: Reply) -> Response:
    """Go on by a navigation, as password managers and the back button expect: home, or the journey's own page."""
    view = reply.view
    if view is None:
        raise LookupError("a reply neither tells nor shows")
    place = f"/j/{view.id}"
    if view.status == "done" and _ends_at_home(view):
        act = view.outcome.act if view.outcome else ""
        place = f"/home?done={act}" if act in ENDS_AT_HOME and not reply.ends_session else "/home"
        place = "/signed-out" if reply.ends_session else place
    return with_cookies(RedirectResponse(place, 303), reply, request)


def _ends_at_home(view: View) -> bool:
    outcome = view.outcome
    return outcome is not None and (outcome.session is not None or outcome.act in ENDS_AT_HOME)


async def show(request: Request, reply: Reply, typed: Typed = NOTHING, caller: Caller | None = None) -> Response:
    """Return the page of a reply: the step with what went wrong, the outcome, or a problem that stands alone."""
    view, told = reply.view, reply.told
    if view is None or (view.status not in ("open", "done") and told is not None):
        if told is None:
            raise LookupError("a reply neither tells nor shows")
        return await problem_page(request, told, reply)
    if view.status == "done":
        return _outcome(request, view, reply)
    if view.step is None:
        # Refused earlier, and looked at again: the cause was told then, the way on is told now.
        over = request.app.state.desk.told_outside("journey-ended", journey_name=view.journey)
        return await problem_page(request, over.told, Reply(view=view))
    return await _step(view, request, reply, typed, caller or await caller_of(request))


async def _step(view: View, request: Request, reply: Reply, typed: Typed, caller: Caller) -> Response:
    step = await _with_options(request, _asked(view), caller)
    told = reply.told
    page = Page(
        template="journey.html",
        back=f"/j/{view.id}",
        status=told.status if told else 200,
        keeps_typed=True,
        has_problem=told is not None,
        session=caller.session,
    )
    response = respond(
        page,
        request,
        reply,
        view=view,
        step=step,
        widgets=forms.widgets(language_of(request), step.fields, typed, step),
        problem=problem_of(told, request, view) if told else None,
        key=forms.new_key(),
        can_text_us="text-us" in step.actions and bool(request.app.state.settings.text_us_number),
    )
    return told_when(response, told)


def _asked(view: View) -> StepView:
    if view.step is None:
        raise LookupError("an open journey asks something")
    return view.step


async def _with_options(request: Request, step: StepView, caller: Caller) -> StepView:
    """Name the sessions or devices to choose from, when the choice was not made on the page before."""
    if step.name not in ("revoke-session", "forget-device") or caller.session is None:
        return step
    sessions, language = request.app.state.sessions, language_of(request)
    look: Any = sessions.sessions_of if step.name == "revoke-session" else sessions.devices_of
    options = tuple(Option(row.id, device_name(language, row.agent)) for row in await look(caller.session))
    return StepView(name=step.name, kind=step.kind, fields=step.fields, actions=step.actions, options=options)


def _outcome(request: Request, view: View, reply: Reply) -> Response:
    page = Page(template="outcome.html", back=f"/j/{view.id}")
    return respond(page, request, reply, view=view, act=view.outcome.act if view.outcome else "")


def _id(request: Request) -> str:
    return str(request.path_params["journey_id"])[:64]
