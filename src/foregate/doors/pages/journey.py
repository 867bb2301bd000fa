"""A journey under way, at `/j/{id}`: what is asked now, what went wrong, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.desk.carried import known_as
from foregate.desk.turn import Caller
from foregate.desk.view import Reply, StepView, Told, View
from foregate.doors.pages import assets, forms
from foregate.doors.pages.forms import NOTHING, Typed
from foregate.doors.pages.problems import problem_of, problem_page, refuse, told_when
from foregate.doors.pages.render import Page, respond
from foregate.doors.pages.tongue import remember, wished
from foregate.doors.requests import (
    asks_for_pictures,
    caller_of,
    having_sent,
    language_of,
    seconds_to_hold,
    seconds_to_wait,
    with_cookies,
)
from foregate.rules import limits
from foregate.rules.gestures import Gesture
from foregate.rules.inputs import Field, Kind
from foregate.rules.social import needs_another_screen
from foregate.rules.words import Who

# After these one was signed in already: the page of one's ways in, or home, says the rest.
ENDS_AT_WAYS: Final = frozenset({"add-passkey", "remove-passkey", "rename-passkey"})
ENDS_AT_HOME: Final = frozenset({"revoke-session", "forget-device", "remember-device", "withdraw-face"}) | ENDS_AT_WAYS
# After these one looks at the accounts that are linked, and at what was agreed to.
ENDS_AT_LINKED: Final = frozenset(
    {"link-social", "unlink-social", "withdraw-consent", "give-consent", "fill-in-profile"}
)
# After these, whoever is signed in goes back to where it was asked for.
GOES_BACK_HOME: Final = frozenset({"renew-document", "renew-face"})

PARTS: Final = ("look-straight", *(gesture.value for gesture in Gesture))


async def show_journey(request: Request) -> Response:
    """Show where a journey stands. Changes nothing."""
    caller = await caller_of(request)
    reply = await request.app.state.desk.look(_id(request), caller)
    if reply.told is None and (home := _home_after(reply.view, caller)) is not None:
        return RedirectResponse(home, 303)
    return await show(request, reply, caller=caller)


async def answer_journey(request: Request) -> Response:
    """Take the answer of a form."""
    form = await forms.posted(request)
    if (wish := wished(request, form)) is not None:
        return remember(request, await _again(request, form), wish)
    answers = await seconds_to_wait(request, "answer", limits.ANSWERS_PER_MINUTE)
    if seconds := answers or await seconds_to_hold(request, form.get("step")):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    caller, desk = await caller_of(request), request.app.state.desk
    reply = await desk.answer(_id(request), caller, forms.answered(form, desk.house))
    if reply.told is None:
        return went_well(request, reply)
    return await show(request, reply, forms.typed_of(form, reply.told.fields), caller)


async def _again(request: Request, form: Mapping[str, str]) -> Response:
    """Return the page as it stands, with what was typed; secrets are typed once more."""
    caller = await caller_of(request)
    reply = await request.app.state.desk.look(_id(request), caller)
    return await show(request, reply, forms.typed_of(form, {}), caller)


async def answer_with_pictures(request: Request) -> Response:
    """Take a form with pictures; they are not even read unless the journey asks for some."""
    if seconds := await seconds_to_wait(request, "answer", limits.ANSWERS_PER_MINUTE):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    caller, desk = await caller_of(request), request.app.state.desk
    began, looked = desk.house.world.clock.now(), await desk.look(_id(request), caller)
    if not asks_for_pictures(looked):
        return await show(request, looked, caller=caller)
    form = await forms.posted_pictures(request)
    reply = await desk.answer(_id(request), having_sent(caller, request, began), forms.answered(form, desk.house))
    return went_well(request, reply) if reply.told is None else await show(request, reply, _wrong(reply), caller)


def _wrong(reply: Reply) -> Typed:
    return Typed(wrong=reply.told.fields if reply.told else {})


def went_well(request: Request, reply: Reply) -> Response:
    """Go on by a navigation, as password managers and the back button expect: home, or the journey's own page."""
    view = reply.view
    if view is None:
        raise LookupError("a reply neither tells nor shows")
    leads_out = view.step is not None and "authorize" in view.step.facts
    place = _elsewhere(view) or f"/j/{view.id}{'?go=1' if leads_out else ''}"
    if view.status == "done" and _ends_at_home(view):
        act = view.outcome.act if view.outcome else ""
        place = f"{_home_of(act)}?done={act}" if act in ENDS_AT_HOME and not reply.ends_session else "/home"
        place = "/signed-out" if reply.ends_session else place
    return with_cookies(RedirectResponse(place, 303), reply, request)


def _elsewhere(view: View) -> str | None:
    """Return the page of its own that a journey goes on at: a visit is chosen on one, and seen on another."""
    if view.step is not None and view.step.name == Who.ANYBODY:
        return "/book-appointment"
    if view.outcome is not None and view.outcome.act in ENDS_AT_LINKED:
        return f"/linked?done={view.outcome.act}"
    booked = view.outcome.facts.get("href") if view.outcome and view.outcome.act == "book-appointment" else None
    return f"{booked}?done=1" if booked else None


def _home_after(view: View | None, caller: Caller) -> str | None:
    if view is None or view.status != "done" or view.outcome is None:
        return None
    if view.outcome.act in GOES_BACK_HOME and caller.session is not None:
        return f"/home?done={view.outcome.act}"
    return _home_of(view.outcome.act) if _ends_at_home(view) else None


def _home_of(act: str) -> str:
    return "/ways" if act in ENDS_AT_WAYS else "/home"


def _ends_at_home(view: View) -> bool:
    outcome = view.outcome
    return outcome is not None and (outcome.session is not None or outcome.act in ENDS_AT_HOME)


async def show(request: Request, reply: Reply, typed: Typed = NOTHING, caller: Caller | None = None) -> Response:
    """Return the page of a reply: the step with what went wrong, the outcome, or a problem that stands alone."""
    view, told = reply.view, reply.told
    if told is not None and (view is None or view.status not in ("open", "done")):
        return await problem_page(request, told, reply)
    if view is None:
        raise LookupError("a reply neither tells nor shows")
    if (elsewhere := _elsewhere(view)) is not None:
        return RedirectResponse(elsewhere, 303)
    if view.status == "done":
        return _outcome(request, view, reply)
    if view.step is None:
        # Refused earlier, and looked at again: the cause was told then, the way on is told now.
        return await problem_page(request, _over(request, view), Reply(view=view))
    return await _step(view, request, reply, typed, caller or await caller_of(request))


def _over(request: Request, view: View) -> Told:
    told: Told = request.app.state.desk.told_outside("journey-ended", journey_name=view.journey).told
    return told


async def _step(view: View, request: Request, reply: Reply, typed: Typed, caller: Caller) -> Response:
    step = _asked(view)
    told = reply.told
    is_face = any(field.kind is Kind.PICTURES for field in step.fields)
    cannot_scan = needs_another_screen(str(step.facts.get("provider")), caller.agent)
    page = Page(
        template="face.html" if is_face else "social.html" if is_social(step) else "journey.html",
        back=f"/j/{view.id}",
        status=told.status if told else 200,
        # On a face's page nothing is typed, and a form with pictures goes nowhere else.
        keeps_typed=not is_face and "authorize" not in step.facts,
        has_problem=told is not None,
        session=caller.session,
        sheets=("face",) if is_face else (),
    )
    response = respond(
        page,
        request,
        reply,
        view=view,
        step=step,
        widgets=forms.widgets(language_of(request), _typed_in(step) if is_face else step.fields, typed, step),
        capture=assets.capture().path,
        gestures=PARTS,
        problem=problem_of(told, request, view) if told else None,
        key=forms.new_key(),
        known_as=await _known_as(request, view, step, caller),
        attributes=[attribute.value for attribute in request.app.state.desk.house.world.attributes],
        cannot_scan=cannot_scan,
        # Only on the way out, so that whoever comes back by the back button is not sent out again.
        goes=told is None and request.query_params.get("go") == "1" and not cannot_scan,
        can_text_us="text-us" in step.actions and bool(request.app.state.settings.text_us_number),
    )
    return told_when(response, told)


async def _known_as(request: Request, view: View, step: StepView, caller: Caller) -> str:
    """Return whose password it is, as this browser typed it, so that a manager fills in and keeps the right one."""
    if not any(field.kind in (Kind.PASSWORD, Kind.NEW_PASSWORD) for field in step.fields):
        return ""
    return await known_as(request.app.state.desk.house.world, view.id, caller)


def _typed_in(step: StepView) -> tuple[Field, ...]:
    """Return the fields that are ticked or typed; the page has its own way to the rest."""
    return tuple(field for field in step.fields if field.kind is Kind.YES_NO)


def is_social(step: StepView) -> bool:
    """Say whether a step leads to WeChat or Alipay, or asks what may be taken along from there."""
    return "authorize" in step.facts or "authorize" in step.actions


def _asked(view: View) -> StepView:
    if view.step is None:
        raise LookupError("an open journey asks something")
    return view.step


def _outcome(request: Request, view: View, reply: Reply) -> Response:
    page = Page(template="outcome.html", back=f"/j/{view.id}")
    return respond(page, request, reply, view=view, act=view.outcome.act if view.outcome else "")


def _id(request: Request) -> str:
    return str(request.path_params["journey_id"])[:64]
