"""Pages of the console: their own frame, style, script and policy. None is ever kept by a browser."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from foregate.counter.sessions import OnDuty
from foregate.counter.views import TimelineLine
from foregate.doors.pages import assets
from foregate.doors.pages.render import duration, sayer, tongues
from foregate.doors.requests import language_of
from foregate.doors.text import catalog
from foregate.rules import limits
from foregate.rules.staff import OBJECTIONS, WHO_MAY, Right

FOLDER: Final = Path(__file__).parent
HOME_ZONE: Final = "Asia/Shanghai"
# Why a customer is looked for: the search asks for it, and writes it down.
REASONS: Final = ("at-counter", "appointment", "call", "review")
# The tabs, each shown to whoever has the right that its page asks for.
TABS: Final = (
    ("home", "/console", None),
    ("queue", "/console/queue", Right.RUN_QUEUE),
    ("staff", "/console/staff", Right.SEE_STAFF),
    ("outlets", "/console/outlets", Right.MANAGE_OUTLETS),
    ("audit", "/console/audit", Right.AUDIT_STAFF),
)


HEADERS: Final = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}


@cache
def environment() -> Environment:
    """Return the environment of the console's templates."""
    made = Environment(
        loader=FileSystemLoader([FOLDER / "templates"]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    made.globals["may"] = may
    made.globals["remedies_of"] = remedies_of
    made.globals["in_words"] = in_words
    return made


@cache
def style() -> str:
    """Return the style sheet, small."""
    return assets.minified_css((FOLDER / "style.css").read_text("utf-8"))


@cache
def script() -> assets.Asset:
    """Return the console's script."""
    made = assets.asset("c", "js", assets.minified_js((FOLDER / "script.js").read_text("utf-8")))
    return msgspec.structs.replace(made, path=made.path.replace("/s/", "/console/s/"))


@cache
def content_security_policy() -> str:
    """Return the policy of every page here: as the customers' pages have it, with this style's hash."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    changed = {
        "style-src": f"'sha256-{digest}'",
        "worker-src": "'none'",
        "manifest-src": "'none'",
        "trusted-types": "'none'",
    }
    return assets.content_security_policy(changed=changed)


def may(duty: OnDuty | None, right: str) -> bool:
    """Say whether a button is worth showing. It decides nothing: the verb behind it asks again."""
    return duty is not None and duty.member.role in WHO_MAY[Right(right)]


def in_words(line: TimelineLine, t: Callable[[str], str], has: Callable[[str], bool]) -> dict[str, str | int]:
    """Return what an event's sentence mentions, things by what they are called."""
    return line.facts | {name: t(key) for name, key in line.words.items() if has(key)}


def remedies_of(objection: str) -> tuple[str, ...]:
    """Return what works instead."""
    return OBJECTIONS[objection].remedies


def zone_of(request: Request) -> ZoneInfo:
    """Return the time zone of the outlet that the member stands at."""
    outlet = getattr(request.state, "outlet", None)
    return ZoneInfo(outlet.time_zone if outlet is not None else HOME_ZONE)


def clock(zone: ZoneInfo, form: str) -> Callable[[int], str]:
    """Return what writes a time as the clock on the wall shows it."""

    def written(seconds: int) -> str:
        return datetime.fromtimestamp(seconds, zone).strftime(form) if seconds else ""

    return written


def respond(
    request: Request, duty: OnDuty | None, template: str, *, status: int = 200, tab: str = "", **facts: Any
) -> Response:
    """Return a page of the console."""
    shown = _frame(duty, request) | {"tab": tab} | facts
    body = environment().get_template(template).render(shown).encode()
    headers = HEADERS | {"Content-Language": shown["language"], "Content-Security-Policy": content_security_policy()}
    return Response(body, status, headers, media_type="text/html; charset=utf-8")


def _frame(duty: OnDuty | None, request: Request) -> dict[str, Any]:
    """Return what every page is given: words, times, and who is here."""
    language, zone = language_of(request), zone_of(request)
    now = request.app.state.desk.house.world.clock.now()
    return {
        "t": sayer(language),
        "has": partial(catalog.has, language),
        "duration": partial(duration, language),
        "date": clock(zone, "%Y-%m-%d"),
        "clock": clock(zone, "%H:%M"),
        "moment": clock(zone, "%m-%d %H:%M"),
        "language": language,
        "lang": catalog.tag(language),
        "dir": catalog.direction(language),
        "tongues": tongues(language),
        "settings": request.app.state.settings,
        "style": style(),
        "script": script().path,
        "icon": assets.icon().path,
        "duty": duty,
        "outlet": getattr(request.state, "outlet", None),
        "tabs": [(name, path) for name, path, right in TABS if right is None or may(duty, right)],
        "path": request.url.path if request.method == "GET" else "/console",
        "idle": _idle(duty, now),
        "now": now,
        "query": "",
        "reasons": REASONS,
        "problem": None,
    }


def _idle(duty: OnDuty | None, now: int) -> int | None:
    """Return the seconds until the lock. A page that was just asked for has just used the session."""
    if duty is None:
        return None
    return min(int(limits.STAFF_IDLE_SECONDS), duty.session.expires_at - now)
