"""Pages of somebody who is signed in: home, what is asked before an act, and the end of a session."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.desk.accounts import Holding
from foregate.desk.sessions import DeviceView, Me, SessionView
from foregate.desk.turn import Caller, House
from foregate.doors.agents import device_name
from foregate.doors.pages import forms
from foregate.doors.pages.forms import Widget
from foregate.doors.pages.journey import ENDS_AT_HOME, GOES_BACK_HOME
from foregate.doors.pages.money import piles, respond_money
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page, respond, since
from foregate.doors.requests import caller_of, language_of
from foregate.ports import AccountsAway, SessionRow
from foregate.rules import engine
from foregate.rules.engine import Progress, Prove
from foregate.rules.inputs import fields_of
from foregate.rules.journeys import Journey
from foregate.rules.words import Level, Who
from foregate.situation import Refused

FINISH: Final = "finish-sign-in"


class Finish(msgspec.Struct, frozen=True):
    """The one proof that is missing, to be given in place."""

    step: str
    widgets: list[Widget]


class Place(msgspec.Struct, frozen=True):
    """A session or a remembered device in the list."""

    id: str
    name: str
    since: str
    is_this: bool


async def show_home(request: Request) -> Response:
    """Greeting, cards, what is missing, and who else is signed in."""
    caller = await caller_of(request)
    me: Me | None = await request.app.state.sessions.me(caller.session) if caller.session else None
    if caller.session is None or me is None:
        return await refuse_signed_out(request)
    done = _done(request)
    facts = await _facts(request, caller.session, me)
    page = Page(template="home.html", back="/home", session=caller.session)
    has_faces = request.app.state.desk.house.world.faces is not None
    show = respond_money if facts["piles"] else respond  # without money on it, it needs none of its style
    return show(page, request, me=me, done=done, key=forms.new_key(), has_faces=has_faces, **facts)


def _done(request: Request) -> str | None:
    done = request.query_params.get("done")
    return done if done in ENDS_AT_HOME | GOES_BACK_HOME else None


async def _facts(request: Request, session: SessionRow, me: Me) -> dict[str, Any]:
    language, sessions = language_of(request), request.app.state.sessions

    def place(row: SessionView | DeviceView, key: str, seconds_ago: int) -> Place:
        return Place(row.id, device_name(language, row.agent), since(language, key, seconds_ago), row.is_this)

    return await _money_facts(request, session, me) | {
        "places": [place(row, "home.since", row.started_seconds_ago) for row in await sessions.sessions_of(session)],
        "remembered": [
            place(row, "home.remembered", row.remembered_seconds_ago) for row in await sessions.devices_of(session)
        ],
    }


async def _money_facts(request: Request, session: SessionRow, me: Me) -> dict[str, Any]:
    """Return the balances of a whole session, or what is missing to make it one."""
    held, is_full = await _held(request, session), me.level is Level.FULL
    return {
        "is_full": is_full,
        "is_away": held is None,
        "piles": piles(request, held) if held else [],
        "finish": None if is_full else missing(request.app.state.desk.house, session, language_of(request)),
    }


async def _held(request: Request, session: SessionRow) -> tuple[Holding, ...] | None:
    """Return the balances, or None where they cannot be had: sign-out, freeze and devices are shown all the same."""
    try:
        held: tuple[Holding, ...] | Refused = await request.app.state.accounts.all(session)
    except AccountsAway:
        return None
    return () if isinstance(held, Refused) else held


def missing(house: House, session: SessionRow, language: str) -> Finish | None:
    """Return the proof that makes a session full, if it can be typed right here."""
    row = house.journeys[FINISH]
    proved = frozenset(proof for proof, _ in session.evidence)
    decision = engine.decide(row, Progress(who=Who.SESSION, proved=proved), house.built)
    if not isinstance(decision, Prove) or decision.proof.is_possession:
        return None  # a code has to be sent first: the button begins that
    name = decision.proof.name
    return Finish(name, forms.widgets(language, fields_of(house.proofs[name].ANSWER)))


async def show_confirmation(request: Request, row: Journey, caller: Caller) -> Response:
    """Ask before an act of somebody signed in: a link alone never does anything."""
    session = caller.session
    if session is None:
        return await refuse_signed_out(request)
    me: Me | None = await request.app.state.sessions.me(session)
    if me is None:
        return await refuse_signed_out(request)
    if row.name == FINISH and me.level is Level.FULL:
        return RedirectResponse("/home", 303)
    finish = missing(request.app.state.desk.house, session, language_of(request)) if row.name == FINISH else None
    page = Page(template="confirm.html", back=f"/{row.name}", session=session)
    return respond(page, request, me=me, journey=row.name, finish=finish, key=forms.new_key())


async def refuse_signed_out(request: Request) -> Response:
    """Tell somebody who was signed in that they are no longer, and anybody else to sign in."""
    was_signed_in = request.app.state.cookies.read(request, "session") is not None
    return await refuse(request, "session-ended" if was_signed_in else "not-signed-in")


async def stay(request: Request) -> Response:
    """One tap to stay: looking the session up is what keeps it. Without a script, home comes again."""
    caller = await caller_of(request)
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/home", 303)
    return Response(status_code=204 if caller.session is not None else 401)


async def show_signed_out(request: Request) -> Response:
    """The end of a session: what happened, and the way back in."""
    caller = await caller_of(request)
    was_idle = request.app.state.cookies.read(request, "session") is not None and caller.session is None
    response = respond(Page(template="signed_out.html", back="/signed-out"), request, was_idle=was_idle)
    if was_idle:
        request.app.state.cookies.clear(response, "session")
    return response
