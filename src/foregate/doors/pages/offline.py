"""For a bad link: the worker with what it may keep, the offline page, and what the home screen needs to know.

Rules
  1. A page is kept on a device when the server marks it as the same for everybody: exactly `no-cache`, with a
     validator, as `render.respond` answers for `Page.is_public`. Nothing else is, whatever it is called.
  2. The worker's address never changes and is asked for anew each time. What it holds of ours has a name that
     follows from the content, so a release replaces it, and a release that changes nothing does nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foregate.desk.wishes import Part
from foregate.doors.pages import assets
from foregate.doors.pages.render import TEMPLATES, Page, respond, sayer
from foregate.doors.requests import caller_of, language_of
from foregate.doors.text import catalog
from foregate.rules import limits
from foregate.rules.services import SERVICES
from foregate.settings import Settings

OFFLINE: Final = "/offline"
PAGES: Final = ("base.html", "link.html", "parts.html", "offline.html")
RETRY_SECONDS: Final = 3
DAY_SECONDS: Final = 86_400


async def show_offline(request: Request) -> Response:
    """What works without a link: shown by the worker in place of a page that does not come."""
    await caller_of(request)
    page = Page(template="offline.html", back=OFFLINE, is_public=True)
    facts: dict[str, Any] = {"services": list(SERVICES), "day_parts": list(Part), "limits": limits}
    scripts: dict[str, Any] = {"outbox": assets.outbox().path, "offline": assets.offline().path}
    return respond(page, request, retry_seconds=RETRY_SECONDS, why="away", **scripts, **facts)


async def serve_worker(request: Request) -> Response:
    """The worker. A browser asks for it with every visit, and is told in a hundred bytes that it has it."""
    body = worker(request.app.state.settings, language_of(request))
    validator = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"Cache-Control": "no-cache", "ETag": validator, "Vary": "Accept-Encoding, Accept-Language, Cookie"}
    if validator in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="text/javascript; charset=utf-8")


async def serve_manifest(request: Request) -> Response:
    """What the home screen shows, in the visitor's language."""
    body = msgspec.json.encode(manifest(request.app.state.settings, language_of(request)))
    headers = {"Cache-Control": f"private, max-age={DAY_SECONDS}", "Content-Language": language_of(request)}
    return Response(body, headers=headers, media_type="application/manifest+json")


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        Route(OFFLINE, show_offline, methods=["GET"]),
        Route("/sw.js", serve_worker, methods=["GET"]),
        Route("/manifest.webmanifest", serve_manifest, methods=["GET"]),
    ]


def worker(settings: Settings, language: str) -> bytes:
    """Return the worker: the names of this release in a language, and the script that goes by them.

    Who changes the language gets another worker, and with it the offline page in that language.
    """
    names = {
        "shell": f"foregate-{_release(settings, language)}",
        "files": [OFFLINE, *(file.path for file in _files(language))],
        "bytes": int(limits.KEPT_BYTES),
        "entries": int(limits.KEPT_PAGES),
        "race": limits.RACE_SECONDS * 1000,
        "patience": limits.LINK_PATIENCE_SECONDS * 1000,
    }
    return b"var C=" + msgspec.json.encode(names) + b";\n" + assets.worker_text().encode()


def manifest(settings: Settings, language: str) -> dict[str, Any]:
    """Return the web app manifest."""
    return {
        "id": "/",
        "name": settings.bank_name,
        "short_name": settings.bank_name,
        "description": sayer(language)("offline.app"),
        "lang": language,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": "#0d5b4a",
        "background_color": "#f4f3ee",
        "icons": [
            {"src": assets.icon().path, "sizes": "any", "type": "image/svg+xml"},
            {"src": assets.maskable().path, "sizes": "any", "type": "image/svg+xml", "purpose": "maskable"},
        ],
    }


def _files(language: str) -> tuple[assets.Asset, ...]:
    return assets.script(), assets.link(language), assets.outbox(), assets.offline(), assets.icon()


def _release(settings: Settings, language: str) -> str:
    """Return a name for all that the offline page is made of."""
    parts = [(TEMPLATES / name).read_text("utf-8") for name in PAGES]
    parts += [f"{key}={said}" for key, said in sorted(catalog.texts(language).items())]
    parts += [assets.style(), *(file.path for file in _files(language)), settings.bank_name, settings.hotline or ""]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
