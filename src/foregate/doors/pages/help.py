"""Pages that help: what to do when nothing works, at an outlet, or when no code arrives. Public, the same for all."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.doors.pages import assets
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page, respond
from foregate.doors.requests import caller_of
from foregate.rules import limits


async def show_stuck(request: Request) -> Response:
    """Every way back in, one sentence each."""
    await caller_of(request)
    return respond(Page(template="stuck.html", back="/cannot-get-in", is_public=True), request)


async def show_outlet(request: Request) -> Response:
    """What an outlet can do, and what to bring."""
    await caller_of(request)
    return respond(Page(template="help_outlet.html", back="/help/outlet", is_public=True), request)


async def show_code(request: Request) -> Response:
    """Why no code arrives, and what works instead."""
    await caller_of(request)
    return respond(Page(template="help_code.html", back="/help/code", is_public=True), request)


async def show_stop(request: Request) -> Response:
    """The link in the notice to a number that was given up. Looking at it does nothing: the button does."""
    await caller_of(request)
    token = str(request.path_params["token"])[: limits.FIELD_CHARS]
    return respond(Page(template="stop.html", back=f"/stop/{quote(token)}"), request, token=token)


async def change_password(request: Request) -> Response:
    """Where password managers look for the page to change a password (W3C well-known URL)."""
    return RedirectResponse("/reset-password", 303)


async def serve_asset(request: Request) -> Response:
    """The scripts and the icon, by the name of what they hold."""
    map_files = assets.map_files() if request.app.state.settings.map_tiles_url else ()
    for file in (assets.script(), assets.finder(), assets.capture(), assets.icon(), *map_files):
        if file.path == request.url.path:
            return assets.serve(request, file)
    return await refuse(request, "not-found")
