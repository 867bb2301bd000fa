"""Refusals as people read them: what happened, how long, how many tries, and every remedy as something to tap."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from foregate.desk.view import Reply, StepView, Told, View
from foregate.doors.pages.render import Page, respond, sayer
from foregate.doors.pages.tongue import own_page
from foregate.doors.requests import language_of
from foregate.rules.inputs import Kind

# Said as a line of text, or by the form itself when it stands on the page.
NO_BUTTON: Final = frozenset({"wait"})
STEPS: Final = {"ask-new-code": "resend"}
PLACES: Final = {"another-way": "#ways", "text-us": "#text-us"}
HELP: Final = {"update-client": "/help/update", "check-network": "/network"}
WITH_REFERENCE: Final = frozenset({"internal-error", "busy"})
# What passes by itself: the page asks again (script.js), so many times.
PASSES: Final = frozenset({"busy", "too-many-requests"})


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """A way on: a link, or a step that one button takes at once."""

    title: str
    href: str | None = None
    step: str | None = None


class Fault(msgspec.Struct, frozen=True):
    """One field to correct, as the summary lists it."""

    id: str
    label: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the page says about a refusal."""

    cause: str
    title: str
    detail: str
    faults: tuple[Fault, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    tries_left: int | None = None
    retry_in_seconds: int | None = None
    reference: str | None = None


def problem_of(told: Told, request: Request, view: View | None = None) -> Problem:
    """Return a refusal with its words. `view`: the journey that the page shows, if it shows one."""
    say = sayer(language_of(request))
    faults = tuple(
        Fault(f"f-{name}", say(f"field.{name}.label"), say(f"input.{code}"))
        for name, code in told.fields.items()
        if name not in ("body", "answer")
    )
    return Problem(
        cause=told.cause,
        title=say(f"cause.{told.cause}.title"),
        detail=say(f"cause.{told.cause}.detail"),
        faults=faults,
        # Where fields are to be corrected, the links to them are the way on.
        remedies=() if faults else _remedies(request, told, view, language_of(request)),
        tries_left=told.tries_left,
        retry_in_seconds=told.retry_in_seconds,
        reference=getattr(request.state, "support_ref", None) if told.cause in WITH_REFERENCE else None,
    )


def _remedies(request: Request, told: Told, view: View | None, language: str) -> tuple[Remedy, ...]:
    say = sayer(language)
    has_number = bool(request.app.state.settings.text_us_number)
    names = [n for n in told.remedies if n not in NO_BUTTON and (n != "text-us" or has_number)]
    return tuple(_remedy(name, say(f"remedy.{name}"), told, view) for name in names)


def _remedy(name: str, title: str, told: Told, view: View | None) -> Remedy:
    step = view.step if view is not None and view.status == "open" else None
    if step is not None and name in STEPS:
        return Remedy(title=title, step=STEPS[name])
    if step is not None and name in PLACES:
        return Remedy(title=title, href=PLACES[name])
    if step is not None and name == "try-again":
        return Remedy(title=title, href=_where_to_try(step))
    if name == "visit-outlet":
        # On a journey the outlet is told what happened, so that nobody has to explain it again.
        return Remedy(title=title, href=f"/j/{view.id}/outlet?told={told.cause}" if view else "/help/outlet")
    if name in HELP:
        return Remedy(title=title, href=HELP[name])
    if name == "another-time":
        return Remedy(title=title, href=successor("book-appointment", view))
    journey = told.journey_name if name in ("start-again", "try-again", *STEPS, *PLACES) else name
    return Remedy(title=title, href=successor(journey, view))


def _where_to_try(step: StepView) -> str:
    if any(field.kind is Kind.PICTURES for field in step.fields):
        return "#main-form"
    typed = [field.name for field in step.fields if field.kind is not Kind.CREDENTIAL]
    return f"#f-{typed[0]}" if typed else "#main"


def successor(journey: str | None, view: View | None) -> str:
    """Return where `journey` begins, with what this one knows of the visitor's number already."""
    if journey is None:
        return "/"
    return f"/{journey}?from={view.id}" if view is not None else f"/{journey}"


async def problem_page(request: Request, told: Told, reply: Reply | None = None) -> Response:
    """Return a refusal that stands alone: not found, busy, signed out, a journey that is over."""
    view = reply.view if reply is not None else None
    back = own_page(request.url.path) if request.method == "GET" else "/"
    page = Page(template="problem.html", back=back, status=told.status, has_problem=True)
    problem, waits = problem_of(told, request, view), told.retry_in_seconds if told.cause in PASSES else None
    if waits and request.method != "GET":
        problem, waits = _at_its_own_page(problem, request), None
    return told_when(respond(page, request, reply, problem=problem, retry_seconds=waits, why="full"), told)


def _at_its_own_page(problem: Problem, request: Request) -> Problem:
    """Lead back to the form that was sent, where there is a page of it: nobody looks for it from the sign-in page."""
    here = dict(request.scope, method="GET")
    if not any(isinstance(r, Route) and r.matches(here)[0] is Match.FULL for r in request.app.routes):
        return problem
    again = [msgspec.structs.replace(r, href=request.url.path) if r.href == "/" else r for r in problem.remedies]
    return msgspec.structs.replace(problem, remedies=tuple(again))


def told_when(response: Response, told: Told | None) -> Response:
    """Add when to come back, for those who read headers."""
    if told is not None and told.retry_in_seconds is not None:
        response.headers["Retry-After"] = str(told.retry_in_seconds)
    return response


async def refuse(request: Request, cause: str, *, retry_in_seconds: int | None = None) -> Response:
    """Refuse for a cause that belongs to no journey under way."""
    reply = request.app.state.desk.told_outside(cause, retry_in_seconds=retry_in_seconds)
    return await problem_page(request, reply.told, reply)
