"""My ways in: the page on which somebody signed in sees what they get in with, and what would help."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.desk.ways import WaysView, WayView
from foregate.doors.agents import device_name
from foregate.doors.pages import forms
from foregate.doors.pages.journey import ENDS_AT_WAYS
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page, Say, duration, respond, sayer, since
from foregate.doors.pages.signed_in import refuse_signed_out
from foregate.doors.requests import caller_of, language_of
from foregate.rules.holdings import State
from foregate.rules.journeys import Table
from foregate.rules.ways import Still
from foregate.rules.words import Level

# What renews a proof whose time is over.
RENEWS: Final = {"face": "renew-face"}
# One thing that bears no name of its own is called by what it is.
BY_AGENT: Final = frozenset({"device", "passkey"})


class Shown(msgspec.Struct, frozen=True):
    """One thing, in words."""

    id: str
    name: str
    lines: tuple[str, ...]
    renews: str = ""  # the journey that renews what is over


class Group(msgspec.Struct, frozen=True):
    """Everything of one proof."""

    proof: str
    held: tuple[Shown, ...]


class Lost(msgspec.Struct, frozen=True):
    """What a loss would mean, in words."""

    title: str
    text: str


async def show_ways(request: Request) -> Response:
    """What somebody gets in with. Whoever came by their number alone finishes signing in first."""
    session = (await caller_of(request)).session
    if session is None:
        return await refuse_signed_out(request)
    done = _done(request)
    if session.level is not Level.FULL:
        # What was done is done, and said on the page that this session may see.
        return RedirectResponse(f"/home?done={done}", 303) if done else await refuse(request, "needs-full-session")
    view: WaysView | None = await request.app.state.ways.of(session)
    if view is None:
        return await refuse_signed_out(request)
    shown = in_words(view, request.app.state.desk.house.journeys, language_of(request))
    page = Page(template="ways.html", back="/ways", session=session)
    return respond(page, request, done=done, key=forms.new_key(), **shown)


def _done(request: Request) -> str | None:
    done = request.query_params.get("done")
    return done if done in ENDS_AT_WAYS else None


def in_words(view: WaysView, journeys: Table, language: str) -> dict[str, Any]:
    """Return what the template shows."""
    say = sayer(language)
    by_proof = groupby(view.ways, key=lambda way: way.proof)
    return {
        "groups": [
            Group(proof, tuple(_shown(way, language, say, journeys) for way in ways)) for proof, ways in by_proof
        ],
        "if_lost": [Lost(say(f"ways.loss.{still.loss}"), _after(still, say)) for still in view.if_lost],
        "suggestion": view.suggestion,
        "can_add": journeys["add-passkey"].is_public,
    }


def _shown(way: WayView, language: str, say: Say, journeys: Table) -> Shown:
    own = device_name(language, way.agent or "") if way.proof in BY_AGENT else say(f"ways.proof.{way.proof}")
    ends = duration(language, way.ends_in_seconds) if way.ends_in_seconds is not None else ""
    lines = [say(f"ways.state-{way.state}", time=ends)]
    used = way.used_seconds_ago
    lines.append(say("ways.unused") if used is None else since(language, "ways.used", used))
    if way.added_seconds_ago is not None:
        lines.append(since(language, "ways.since", way.added_seconds_ago))
    if ends and way.state is State.GOOD:
        lines.append(say("ways.ends", time=ends))
    if way.proof == "passkey":
        lines.append(say("ways.synced" if way.is_synced else "ways.bound"))
    if way.proof == "social":
        own = say(f"social.name.{way.id}")
    journey = RENEWS.get(way.proof, "") if way.state is State.EXPIRED else ""
    return Shown(way.id, way.label or own, tuple(lines), journey if journey and journeys[journey].is_public else "")


def _after(still: Still, say: Say) -> str:
    if not still.journeys:
        return say("ways.still.outlet")
    proofs = say("ways.still.and").join(say(f"ways.by.{proof}") for proof in still.proofs)
    steps = [say("ways.still.step", journey=say(f"remedy.{journey}")) for journey in still.journeys[:-1]]
    steps.append(say("ways.still.sign-in", proofs=proofs))
    return say("ways.still.alone", steps=say("ways.still.then").join(steps))
