"""A customer: found by one box, understood in one sentence, and helped by what the page offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.counter.guard import Objected
from foregate.counter.search import is_misheard
from foregate.counter.sessions import OnDuty
from foregate.counter.views import File, IdCheck
from foregate.doors import network_words
from foregate.doors.console.duty import actor_of, admit
from foregate.doors.console.refusals import status_of
from foregate.doors.console.render import REASONS, may, respond
from foregate.doors.pages import forms
from foregate.doors.pages.render import sayer
from foregate.doors.requests import language_of
from foregate.rules import diagnosis
from foregate.rules.footing import Lost
from foregate.rules.inputs import DocumentType
from foregate.rules.staff import COUNTER_ACTS, CounterAct
from foregate.rules.verdict import Verdict

FILTERS: Final = ("sign-in", "codes", "changes", "statements", "counter")
# The acts that a file offers, and the remedies of a verdict that they are.
ACTS: Final = tuple(act.name for act in COUNTER_ACTS.values() if not act.is_on_staff)
ADDED: Final = (Lost.PASSKEY, Lost.FACE, Lost.SOCIAL)
BY_REMEDY: Final = {
    "replace-phone-at-counter": "replace-phone",
    "unfreeze-at-counter": "unfreeze",
    "correct-document-at-counter": "correct-document",
}


async def show_search(request: Request, duty: OnDuty) -> Response:
    """The box by itself, for whoever came here without a script or by the back button."""
    return _found_page(request, duty, "", None)


async def search(request: Request, duty: OnDuty) -> Response:
    """Who is found; one alone is opened at once."""
    form = await forms.posted(request)
    typed, reason = form.get("query", ""), form.get("reason", "")
    why = reason if reason in REASONS else form.get("why", "")
    try:
        found = await request.app.state.counter.finding.search(actor_of(request, duty), typed, why)
    except Objected as objected:
        return _found_page(request, duty, typed, None, objected)
    if len(found.hits) == 1 and found.diagnosis is None and may(duty, "see-file"):
        return RedirectResponse(f"/console/file/{found.hits[0].ref}", 303)
    return _found_page(request, duty, typed, found)


def _found_page(request: Request, duty: OnDuty, typed: str, found: Any, objected: Objected | None = None) -> Response:
    status = status_of(objected.objection) if objected else 200
    facts: dict[str, Any] = {
        "told": _told(request, found) if found is not None and found.diagnosis is not None else None,
        "misheard": found is not None and is_misheard(typed),
    }
    return respond(request, duty, "found.html", status=status, query=typed, found=found, problem=objected, **facts)


def _told(request: Request, found: Any) -> dict[str, Any]:
    """Return a diagnosis code in words, and the reports that were sent in with it."""
    language = language_of(request)
    return {
        "code": diagnosis.in_groups(found.diagnosis.code),
        "sentence": network_words.spoken(language, found.diagnosis.verdict),
        "lines": network_words.explained(language, found.diagnosis),
        "reports": [(report, network_words.lines_of(language, report.figures)) for report in found.reports],
    }


async def show_file(request: Request, duty: OnDuty) -> Response:
    """Masked facts, the verdict, and what happened."""
    asked = request.query_params
    lost = frozenset(Lost(one) for one in asked.getlist("lost")[: len(Lost)] if one in list(Lost))
    group = asked.get("group") if asked.get("group") in FILTERS else None
    before = int(asked["before"]) if asked.get("before", "").isdecimal() and len(asked["before"]) < 12 else None
    facts = await _looked_at(request, duty, lost, group, before)
    return respond(request, duty, "file.html", lost=lost, group=group, filters=FILTERS, by_remedy=BY_REMEDY, **facts)


async def _looked_at(
    request: Request, duty: OnDuty, lost: frozenset[Lost], group: str | None, before: int | None
) -> dict[str, Any]:
    files, actor, ref = request.app.state.counter.files, actor_of(request, duty), request.path_params["ref"]
    file = await files.file(actor, ref)
    timeline = await files.timeline(actor, ref, (group,) if group else (), before)
    verdict = await files.verdict(actor, ref, lost)
    seen = {"file": file, "timeline": timeline, "verdict": verdict}
    return seen | {"every_lost": _to_lose(verdict), "acts": _offered(duty, file)}


def _to_lose(verdict: Verdict) -> list[Lost]:
    """Return what the customer may say they lost: of what is added later, only what they have."""
    had = {finding.name.partition("-")[0] for finding in verdict.findings if not finding.name.endswith("-none")}
    return [one for one in Lost if one not in ADDED or one.value in had]


def _offered(duty: OnDuty, file: File) -> list[str]:
    fitting = [COUNTER_ACTS[name] for name in ACTS if file.is_registered or not COUNTER_ACTS[name].needs_login]
    return [act.name for act in fitting if may(duty, act.propose.value)]


# ---------------------------------------------------------------- proposing


async def show_act(request: Request, duty: OnDuty) -> Response:
    """The form of one act: the document in the teller's hand, and what is to change."""
    return await _act_page(request, duty, {})


async def _act_page(
    request: Request, duty: OnDuty, typed: dict[str, str], objected: Objected | None = None
) -> Response:
    act, ref = await _act_of(request, duty), request.path_params["ref"]
    file = await request.app.state.counter.files.file(actor_of(request, duty), ref)
    status = status_of(objected.objection) if objected else 200
    options = [(kind.value, sayer(language_of(request))(f"option.{kind}")) for kind in DocumentType]
    facts = {"file": file, "act": act, "typed": typed, "options": options, "problem": objected}
    return respond(request, duty, "act.html", status=status, wrong=objected.fields if objected else {}, **facts)


async def _act_of(request: Request, duty: OnDuty) -> CounterAct:
    if request.path_params["act"] not in ACTS:
        raise Objected("file-closed")
    act = COUNTER_ACTS[request.path_params["act"]]
    await admit(request, duty, act.propose)
    return act


def _seen(form: Mapping[str, str]) -> IdCheck:
    return IdCheck(
        document_type=form.get("document_type", ""),
        number=form.get("number", ""),
        expires_on="" if form.get("long_term") == "yes" else form.get("expires_on", "") or "?",
        issued_on=form.get("issued_on", ""),
    )


async def propose(request: Request, duty: OnDuty) -> Response:
    """Propose it; what one person may do is done."""
    form, act = await forms.posted(request), await _act_of(request, duty)
    seen = _seen(form)
    try:
        done = await request.app.state.counter.proposals.propose(
            actor_of(request, duty), request.path_params["ref"], act.name, id_check=seen, phone=form.get("phone", "")
        )
    except Objected as objected:
        return await _act_page(request, duty, form, objected)
    return RedirectResponse(f"/console/proposals/{done.proposal.proposal_id}", 303)
