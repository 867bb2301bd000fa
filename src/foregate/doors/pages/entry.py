"""Where journeys begin: the sign-in page at `/`, and the first step of every other at its own address.

Looking at a first step begins nothing: the page is the same for everybody, may be kept by the browser, and the
journey begins with the first answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.desk.carried import carried
from foregate.desk.identify import CLAIMS
from foregate.desk.social import WHO, who_offered
from foregate.desk.turn import Caller
from foregate.desk.view import Pending, Reply, Told
from foregate.doors import clients
from foregate.doors.pages import forms, signed_in
from foregate.doors.pages.forms import NOTHING, Typed, Widget
from foregate.doors.pages.journey import show, went_well
from foregate.doors.pages.problems import problem_of, refuse
from foregate.doors.pages.render import Page, respond
from foregate.doors.pages.tongue import remember, wished
from foregate.doors.requests import caller_of, language_of, seconds_to_wait
from foregate.rules import engine, limits
from foregate.rules.inputs import fields_of
from foregate.rules.journeys import Journey
from foregate.rules.words import Who

DOOR: Final = "sign-in-basic"
PASSKEY_DOOR: Final = "sign-in"
SOCIAL: Final = "sign-in-social"
ID: Final = re.compile(r"[0-9a-f-]{36}")


async def show_door(request: Request) -> Response:
    """The sign-in page: one number to type, and every other way one tap away."""
    caller = await caller_of(request)
    if caller.session is not None:
        return RedirectResponse("/home", 303)
    if clients.is_too_old(request, DOOR):
        return await refuse(request, "client-too-old")
    return door_page(request, pending=await pending_of(request, caller))


async def change_door_look(request: Request) -> Response:
    """The switches of the sign-in page: the page again, with what was typed."""
    form = await forms.posted(request)
    wish = wished(request, form)
    if wish is None:
        return RedirectResponse("/", 303)
    await caller_of(request)
    return remember(request, door_page(request, Typed(form)), wish)


def door_page(request: Request, typed: Typed = NOTHING, told: Told | None = None, **shown: Any) -> Response:
    """Return the sign-in page. Whoever began a journey sees that first."""
    page = Page(
        template="door.html",
        back="/",
        status=told.status if told else 200,
        keeps_typed=True,
        has_problem=told is not None,
        is_public=typed is NOTHING,
    )
    return _first_step(request, page, request.app.state.desk.house.journeys[DOOR], Who.PHONE, typed, told, **shown)


async def show_entry(request: Request) -> Response:
    """The first step of a journey, before there is one."""
    row = _row(request)
    if row is None:
        return await refuse(request, "journey-not-open")
    if clients.is_too_old(request, row.name):
        return await refuse(request, "client-too-old")
    caller = await caller_of(request)
    if Who.SESSION in row.who and (caller.session is not None or len(row.who) == 1):
        return await signed_in.show_confirmation(request, row, caller)
    return entry_page(row, request, Typed(await _known(request, caller)), pending=await pending_of(request, caller))


async def begin(request: Request) -> Response:
    """Begin a journey with the answer to its first step."""
    row, form = _row(request), await forms.posted(request)
    if row is None:
        return await refuse(request, "journey-not-open")
    if clients.is_too_old(request, row.name):
        return await refuse(request, "client-too-old")
    if (wish := wished(request, form)) is not None:
        await caller_of(request)
        return remember(request, entry_page(row, request, Typed(form)), wish)
    if seconds := await seconds_to_wait(request, "start", limits.STARTS_PER_MINUTE):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    desk = request.app.state.desk
    first, key = forms.beginning(form, row.name, desk.house)
    return await _after(request, row, form, await desk.start(row.name, await caller_of(request), first, key))


async def _after(request: Request, row: Journey, form: Mapping[str, str], reply: Reply) -> Response:
    """Go on to the journey's own page, or say on this one what was wrong."""
    if reply.told is None:
        return went_well(request, reply)
    if reply.view is not None:
        return await show(request, reply, forms.typed_of(form, reply.told.fields))
    if reply.told.cause == "input-invalid":
        typed = forms.typed_of(form, reply.told.fields)
        if row.name == DOOR and form.get("door"):
            return door_page(request, typed, told=reply.told)
        return entry_page(row, request, typed, told=reply.told, way=form.get("step"))
    return await refuse(request, reply.told.cause, retry_in_seconds=reply.told.retry_in_seconds)


def entry_page(
    row: Journey,
    request: Request,
    typed: Typed = NOTHING,
    *,
    told: Told | None = None,
    way: str | None = None,
    **shown: Any,
) -> Response:
    """Return the first step of a journey: one way of saying who one is, the others as tabs."""
    who = _claimable(request, row)
    asked = next((w for w in who if w.value == (way or request.query_params.get("way"))), who[0])
    page = Page(
        template="entry.html",
        back=f"/{row.name}?way={asked.value}" if len(who) > 1 else f"/{row.name}",
        status=told.status if told else 200,
        keeps_typed=True,
        has_problem=told is not None,
        is_public=not typed.values,
    )
    return _first_step(request, page, row, asked, typed, told, **shown)


async def pending_of(request: Request, caller: Caller) -> Pending | None:
    """Return what this browser began and has not ended. One that comes for the first time began nothing."""
    if getattr(request.state, "new_visitor", None) is not None:
        return None
    pending: Pending | None = await request.app.state.desk.pending(caller)
    return pending


def _first_step(
    request: Request, page: Page, row: Journey, asked: Who, typed: Typed, told: Told | None, **shown: Any
) -> Response:
    facts = {
        "journey": row.name,
        "asked": asked.value,
        "tabs": [who.value for who in _claimable(request, row)],
        "widgets": _widgets(language_of(request), asked, typed),
        "providers": [who.value for who in _claimable(request, request.app.state.desk.house.journeys[SOCIAL])],
        "is_elsewhere": asked in WHO,
        "problem": problem_of(told, request) if told else None,
        "takes_passkeys": row.name in (DOOR, PASSKEY_DOOR) and _takes_passkeys(request),
    }
    return respond(page, request, **facts | shown)


def _widgets(language: str, asked: Who, typed: Typed) -> list[Widget]:
    # Whoever comes by WeChat or Alipay types nothing here: they say there who they are.
    return [] if asked in WHO else forms.widgets(language, fields_of(CLAIMS[asked]), typed)


def _claimable(request: Request, row: Journey) -> list[Who]:
    """Return what can be typed. A passkey is no tab: nothing is typed, and a script offers it where it works."""
    offered = who_offered(row, request.app.state.desk.house)
    return [who for who in offered if who in CLAIMS and who is not Who.PASSKEY]


def _takes_passkeys(request: Request) -> bool:
    house = request.app.state.desk.house
    row = house.journeys.get(PASSKEY_DOOR)
    return row is not None and row.is_public and Who.PASSKEY in engine.who_open(row, house.built)


def _row(request: Request) -> Journey | None:
    row: Journey | None = request.app.state.desk.house.journeys.get(request.url.path[1:])
    is_there = row is not None and row.is_public and bool(who_offered(row, request.app.state.desk.house))
    return row if is_there else None


async def _known(request: Request, caller: Caller) -> Mapping[str, str]:
    """Return what the visitor typed in the journey that led here."""
    came_from = request.query_params.get("from", "")
    if not ID.fullmatch(came_from):
        return {}
    return await carried(request.app.state.desk.house.world, came_from, caller)
