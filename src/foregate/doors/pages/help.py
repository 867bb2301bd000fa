"""Pages that help: what to do when nothing works, at an outlet, or when no code arrives. Public, the same for all."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from foregate.doors.clients import claimed_agent
from foregate.doors.pages import assets, network_script
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page, respond
from foregate.doors.requests import caller_of
from foregate.passkey_site import Site
from foregate.rules import clients, limits


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


async def passkey_endpoints(request: Request) -> Response:
    """Where password managers lead whoever wants to add or manage a passkey (W3C well-known URL)."""
    row = request.app.state.desk.house.journeys["add-passkey"]
    origin = request.app.state.settings.origin
    places = {"enroll": f"{origin}/{row.name}", "manage": f"{origin}/ways"} if row.is_public else {}
    return JSONResponse(places, headers={"Cache-Control": "public, max-age=3600"})


async def related_origins(request: Request) -> Response:
    """Which of the bank's other sites may use passkeys of this one (WebAuthn level 3, 5.11)."""
    origins = [origin for origin in Site.of(request.app.state.settings).origins if origin.startswith("https://")]
    return JSONResponse({"origins": origins}, headers={"Cache-Control": "public, max-age=3600"})


async def show_update(request: Request) -> Response:
    """How app, WeChat, Alipay and browser are brought up to date."""
    await caller_of(request)
    client = clients.read(claimed_agent(request))
    said = f"{client.name} {client.said}" if client else ""
    return respond(Page(template="update.html", back="/help/update"), request, client=said)


async def serve_asset(request: Request) -> Response:
    """The scripts and the icon, by the name of what they hold."""
    map_files = assets.map_files() if request.app.state.settings.map_tiles_url else ()
    scripts = (
        assets.script(), *assets.links(), assets.passkeys(), assets.finder(), assets.capture(), assets.outbox(),
        assets.offline(), assets.watch(), *network_script.files(),
    )  # fmt: skip
    files = {file.path: file for file in (*scripts, assets.icon(), assets.maskable(), *map_files)}
    if (file := files.get(request.url.path)) is not None:
        return assets.serve(request, file)
    # A page of another release is open somewhere, or a node beside serves it: its script is today's, and not kept.
    if (file := assets.same_stem(request.url.path, files.values())) is not None:
        return assets.serve(request, file, is_kept=False)
    return await refuse(request, "not-found")
