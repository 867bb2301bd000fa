"""To WeChat or Alipay and back: the callback, and the page of linked accounts and of what was agreed to.

A form that were answered with a redirect to another site would break our policy (`form-action 'self'`), rightly: so
the form leads to a page of ours, and from there a link leads out, which the browser follows by itself the first time.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foregate.desk import social
from foregate.desk.answers import Answered
from foregate.desk.linked import AttributeView, ConsentView, LinkedView
from foregate.desk.view import Reply
from foregate.doors.pages import forms
from foregate.doors.pages.journey import ENDS_AT_LINKED, show, went_well
from foregate.doors.pages.problems import problem_page, refuse
from foregate.doors.pages.render import Page, respond, since
from foregate.doors.pages.signed_in import refuse_signed_out
from foregate.doors.requests import caller_of, language_of, seconds_to_wait
from foregate.ports import SessionRow
from foregate.rules import limits
from foregate.rules.consents import Purpose
from foregate.rules.social import ASKED_OF_THE_PERSON, GENDERS, Provider

LINKS_BY: Final = "link-social"
CODES: Final = {Provider.WECHAT: "code", Provider.ALIPAY: "auth_code"}  # what each calls its code


class Told(msgspec.Struct, frozen=True):
    """One attribute as the page says it. `since`: when it was agreed to, or taken back."""

    row: AttributeView | ConsentView
    since: str


class Account(msgspec.Struct, frozen=True):
    """One provider as the page says it."""

    row: LinkedView
    linked: str
    used: str
    attributes: list[Told]


async def come_back(request: Request) -> Response:
    """The provider sent the visitor back. Whose journey it is stands in the state, which only their browser can use."""
    provider = _provider(request)
    if provider is None:
        return await refuse(request, "not-found")
    if seconds := await seconds_to_wait(request, "answer", limits.ANSWERS_PER_MINUTE):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    reply = await _answered(request, provider)
    if reply.told is None:
        return went_well(request, reply)
    # Shown here, where nothing runs by itself: code and state in the address are spent.
    return await (show(request, reply) if reply.view is not None else problem_page(request, reply.told, reply))


async def _answered(request: Request, provider: Provider) -> Reply:
    caller, desk, asked = await caller_of(request), request.app.state.desk, request.query_params
    state, code = asked.get("state", "")[: limits.SOCIAL_CODE_CHARS], asked.get(CODES[provider], "")
    ticket = social.ticket_of(state, caller.visitor_digest, desk.house.world.keyring, ("", LINKS_BY))
    # Each provider has a callback of its own: what one sends is never taken for the other's.
    if ticket is None or ticket.provider is not provider:
        reply: Reply = desk.told_outside("social-state")
    elif not code or len(code) > limits.SOCIAL_CODE_CHARS:
        reply = desk.told_outside("social-refused")
    else:
        key = hashlib.sha256(state.encode()).hexdigest()  # a reload gets the first reply again
        answer = {"auth_code": code, "state": state}
        answered = Answered(version=ticket.version, step=ticket.step, answer=answer, key=key)
        reply = await desk.answer(ticket.journey_id, caller, answered)
    return reply


async def show_linked(request: Request) -> Response:
    """Linked accounts, what is kept of each, and a button to take every yes back."""
    caller = await caller_of(request)
    if caller.session is None:
        return await refuse_signed_out(request)
    shown = await _shown(request, caller.session)
    return respond(Page(template="linked.html", back="/linked", session=caller.session), request, **shown)


async def _shown(request: Request, session: SessionRow) -> dict[str, Any]:
    linked, house, language = request.app.state.linked, request.app.state.desk.house, language_of(request)
    rows, consents = await linked.of(session), await linked.consents(session)
    done = request.query_params.get("done")
    return {
        "accounts": [_account(row, language) for row in rows],
        "done": done if done in ENDS_AT_LINKED else None,
        "genders": GENDERS,
        "own_words": ASKED_OF_THE_PERSON,
        "key": forms.new_key(),
        "face": next((_face(row, language) for row in consents if row.purpose is Purpose.FACE), None),
        "has_faces": house.journeys["renew-face"].is_public,
    }


async def show_picture(request: Request) -> Response:
    """The customer's own picture: ours to serve, so no other site learns who looks."""
    caller, provider = await caller_of(request), _provider(request)
    if caller.session is None or provider is None:
        return await refuse(request, "not-found")
    picture = await request.app.state.linked.picture(caller.session, provider)
    return Response(picture, media_type="image/jpeg") if picture else await refuse(request, "not-found")


def _account(row: LinkedView, language: str) -> Account:
    return Account(
        row,
        since(language, "linked.since", row.linked_seconds_ago or 0),
        since(language, "linked.used", row.used_seconds_ago or 0),
        [Told(each, _since(each, language)) for each in row.attributes],
    )


def _face(row: ConsentView, language: str) -> Told:
    return Told(row, _since(row, language))


def _since(row: AttributeView | ConsentView, language: str) -> str:
    if row.withdrawn_seconds_ago is not None:
        return since(language, "linked.withdrawn", row.withdrawn_seconds_ago)
    return since(language, "linked.given", row.given_seconds_ago) if row.given_seconds_ago is not None else ""


def _provider(request: Request) -> Provider | None:
    word = request.path_params["provider"]
    return Provider(word) if word in set(Provider) else None


def routes() -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [
        Route("/social/{provider}/callback", come_back, methods=["GET"]),
        Route("/linked", show_linked, methods=["GET"]),
        Route("/linked/{provider}/picture", show_picture, methods=["GET"]),
    ]
