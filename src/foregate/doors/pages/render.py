"""From a template and facts to a response: words in the visitor's language, small, with the right cache headers.

Rules
  1. Every value is escaped; no template marks anything as safe but the style and the gate, which are ours.
  2. A page that anybody gets alike carries no token: it may be kept and is asked for again by its validator. All
     others are `no-store`, which the edge sets where a response says nothing.
  3. Compression of a page that mirrors input beside a secret would let the lengths tell the secret (BREACH). No
     page carries one: sessions live in cookies, journeys by an id that is no secret, keys are drawn per rendering.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import brotli
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from foregate.desk.sessions import idle_seconds
from foregate.desk.view import Reply
from foregate.doors.compression import coding_of, squeezed
from foregate.doors.pages import assets
from foregate.doors.requests import care_of, language_of, with_cookies
from foregate.doors.text import catalog
from foregate.passkey_site import Site
from foregate.ports import SessionRow
from foregate.rules import limits

TEMPLATES: Final = Path(__file__).parent / "templates"

MINUTE: Final = 60
UNITS: Final = (("days", 86_400), ("hours", 3600), ("minutes", 60))

Say = Callable[..., str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page says about itself.

    `back` is where the visitor is, for the switches of language and care; `keeps_typed`: they are buttons of the
    page's main form, so that what was typed comes along. `session` makes the idle warning run. `sheets` are the CSS
    files of its subject, which its style holds after every page's.
    """

    template: str
    back: str
    status: int = 200
    keeps_typed: bool = False
    has_problem: bool = False
    is_public: bool = False
    session: SessionRow | None = None
    sheets: tuple[str, ...] = ()


@cache
def environment() -> Environment:
    """Return the one environment of all templates."""
    return Environment(
        loader=FileSystemLoader([TEMPLATES]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )


def add_templates(folder: Path) -> None:
    """Look for templates in `folder` too (the demo has some of its own)."""
    loader = environment().loader
    if isinstance(loader, FileSystemLoader) and str(folder) not in loader.searchpath:
        loader.searchpath.append(str(folder))


def sayer(language: str) -> Say:
    """Return what says a key in `language`."""

    def say(key: str, /, **facts: object) -> str:
        return catalog.text(language, key, **facts)

    return say


def duration(language: str, seconds: int, *, is_past: bool = False) -> str:
    """Return a length of time as people say it: rounded up where one waits for it, down where it is past."""
    for unit, length in UNITS:
        # Waiting 90 seconds is said in seconds; what was 90 seconds ago was a minute ago.
        if seconds >= (length if is_past else 2 * length):
            count = seconds // length if is_past else -(-seconds // length)
            return catalog.text(language, f"page.{unit}", count=count)
    return catalog.text(language, "page.seconds", count=max(1, seconds))


def since(language: str, key: str, seconds_ago: int) -> str:
    """Say `key` with how long ago something was; below a minute it was just now."""
    if seconds_ago < MINUTE:
        return catalog.text(language, f"{key}-now")
    return catalog.text(language, key, time=duration(language, seconds_ago, is_past=True))


def html(page: Page, request: Request, **facts: Any) -> str:
    """Return the page as text."""
    language, care = language_of(request), care_of(request)
    settings = request.app.state.settings
    shown = {
        "t": sayer(language),
        "duration": partial(duration, language),
        "page": page,
        "language": language,
        "lang": catalog.tag(language),
        "dir": catalog.direction(language),
        "tongues": tongues(language),
        "care": bool(care),
        "is_care_open": care is None,
        "settings": settings,
        "style": assets.style(*page.sheets),
        "script": assets.script().path,
        "link_script": assets.link(language).path,
        "icon": assets.icon().path,
        "passkeys": assets.passkeys().path,
        "site": Site.of(settings),
        "idle": int(idle_seconds(page.session)) if page.session else None,
        "idle_warning": int(limits.IDLE_WARNING_CARE_SECONDS if care else limits.IDLE_WARNING_SECONDS),
        "pending": None,
    }
    return environment().get_template(page.template).render(shown | facts)


def tongues(language: str) -> list[tuple[str, str, str]]:
    """Return the other languages: code, what each calls itself, and its BCP 47 tag."""
    others = [code for code in catalog.languages() if code != language]
    return [(code, catalog.text(code, "language.name"), catalog.tag(code)) for code in others]


def look_of(request: Request) -> str:
    """Return in which of its looks a page is, for caches that know pages by their address alone."""
    return f"{language_of(request)}{' care' if care_of(request) else ''}"


def respond(page: Page, request: Request, reply: Reply | None = None, **facts: Any) -> Response:
    """Return the page as a response, with the cookies of `reply`.

    A page that says what this browser has not finished (`pending`) is its own, whatever else stands on it.
    """
    is_public = page.is_public and facts.get("pending") is None
    body = html(page, request, **facts).encode()
    headers = {"Content-Language": language_of(request), "Vary": "Accept-Encoding"}
    if page.sheets:  # what is not modified says so too: its headers are taken over with it
        headers["Content-Security-Policy"] = assets.content_security_policy(*page.sheets)
    if is_public and page.status == 200 and request.method in ("GET", "HEAD"):
        validator = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
        is_new = getattr(request.state, "new_visitor", None) is not None
        # What a cache shared by several people keeps must not hold somebody's cookie.
        headers["Cache-Control"] = "private, no-cache" if is_new else "no-cache"
        headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie"
        headers["ETag"] = validator
        headers["Foregate-Look"] = look_of(request)
        if validator in request.headers.get("if-none-match", ""):
            return with_cookies(Response(status_code=304, headers=headers), reply, request)
    if coding := coding_of(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = coding
        body = _smallest(body, coding) if is_public else squeezed(body, coding)
    response = Response(body, page.status, headers, media_type="text/html; charset=utf-8")
    return with_cookies(response, reply, request)


@cache
def _cached(body: bytes, coding: str) -> bytes:
    return bytes(brotli.compress(body, quality=11)) if coding == "br" else gzip.compress(body, 9, mtime=0)


def _smallest(body: bytes, coding: str) -> bytes:
    """Compress with all effort what is the same for everybody. Few pages are, so few are kept."""
    if _cached.cache_info().currsize > 256:  # typed numbers may stand in it; begin anew rather than grow
        _cached.cache_clear()
    return _cached(body, coding)
