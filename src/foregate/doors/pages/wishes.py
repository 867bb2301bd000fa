"""Where a device sends an appointment that waited on it. The answer is words and links, in the visitor's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foregate.desk.wishes import JOURNEY, Held, Part, Wished, Wishes
from foregate.doors.pages import forms
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import sayer
from foregate.doors.requests import caller_of, language_of, seconds_to_hold, seconds_to_wait, with_cookies
from foregate.doors.text import catalog
from foregate.local_time import say_when
from foregate.rules import inputs, limits
from foregate.rules.words import Who

ADDRESS = f"/{JOURNEY}/wish"


class Way(msgspec.Struct, frozen=True):
    """A way on: what people read, and where it leads."""

    text: str
    href: str


class Answer(msgspec.Struct, frozen=True):
    """What a wish led to. It is kept on the device until somebody followed it, so neither number nor name is in it."""

    text: str
    ways: list[Way]


async def take_wish(request: Request) -> Response:
    """Make a booking of a wish: the nearest place is held, and the code is on its way."""
    form = await forms.posted(request)
    starts = await seconds_to_wait(request, "start", limits.STARTS_PER_MINUTE)
    if seconds := starts or await seconds_to_hold(request, Who.ANYBODY):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    if not 0 < len(key := form.get("key", "")) <= limits.KEY_CHARS:
        return await refuse(request, "input-invalid")
    wishes: Wishes = request.app.state.wishes
    try:
        held = await wishes.take(_wished(form), key, await caller_of(request))
        answer = _answer(request, held) if held is not None else _chosen_again(request, form, "none")
    except inputs.InvalidFields as wrong:
        answer = _chosen_again(request, form, "wrong" if {"phone", "surname"} & set(wrong.fields) else "none")
    return with_cookies(Response(msgspec.json.encode(answer), media_type="application/json"), None, request)


def routes() -> list[BaseRoute]:
    """Return the route of wishes."""
    return [Route(ADDRESS, take_wish, methods=["POST"])]


def _wished(form: Mapping[str, str]) -> Wished:
    """Return the wish; what cannot be read of day and part is left open, for the nearest time fits anybody."""
    try:
        day = date.fromisoformat(form.get("day", ""))
    except ValueError:
        day = None
    part = form.get("part", "")
    said: dict[str, Any] = {name: form.get(name, "") for name in ("outlet", "service", "phone", "surname")}
    return Wished(day=day, part=Part(part) if part in set(Part) else Part.ANY, **said)


def _answer(request: Request, held: Held) -> Answer:
    language = language_of(request)
    say = sayer(language)
    view, other = held.view, Way(say("offline.other-time"), f"/{JOURNEY}?from={held.view.id}")
    when = say_when(catalog.text, language, held.starts_at, held.outlet.time_zone)
    if view.status not in ("open", "done"):
        return Answer(say("offline.over", when=when, outlet=held.outlet.name), [other])
    text = say("offline.held" if held.is_as_wished else "offline.held-nearest", when=when, outlet=held.outlet.name)
    return Answer(text, [Way(say("offline.confirm"), f"/j/{view.id}"), other])


def _chosen_again(request: Request, form: Mapping[str, str], why: str) -> Answer:
    say, chosen = sayer(language_of(request)), {name: form.get(name, "") for name in ("outlet", "service")}
    return Answer(say(f"offline.{why}"), [Way(say("offline.other-time"), f"/{JOURNEY}?{urlencode(chosen)}")])
