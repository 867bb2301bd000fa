"""The application: routes of API and pages behind one edge."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp

from foregate.doors import console, pages
from foregate.doors.api import accounts as api_accounts
from foregate.doors.api import app as api
from foregate.doors.api import appointments as api_appointments
from foregate.doors.api import network as api_network
from foregate.doors.api import outlets as api_outlets
from foregate.doors.console.live import Live
from foregate.doors.edge import Edge
from foregate.doors.pages import assets
from foregate.settings import Settings


def build(
    settings: Settings, state: dict[str, Any], lifespan: Any = None, more: tuple[BaseRoute, ...] = ()
) -> tuple[Starlette, ASGIApp]:
    """Return the inner application, for its state, and the whole behind its edge, to be served."""
    inner = Starlette(
        routes=[
            *api.routes(),
            *api_outlets.routes(),
            *api_appointments.routes(),
            *api_accounts.routes(),
            *api_network.routes(),
            *more,
            *console.routes(),
            *pages.routes(),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _let_through},
        lifespan=lifespan,
    )
    for name, part in state.items():
        setattr(inner.state, name, part)
    inner.state.settings = settings
    inner.state.live = Live()
    if settings.map_tiles_url:
        assets.map_files()  # compressing them takes a moment: now, and not while somebody waits

    async def refuse_at_edge(request: Request, cause: str) -> Response:
        request.scope["app"] = inner
        return await refuse(request, cause)

    return inner, Edge(inner, settings=settings, refuse=refuse_at_edge, csp=pages.content_security_policy())


async def refuse(request: Request, cause: str) -> Response:
    """Refuse as the client reads: a problem for the API, a page for a person."""
    if request.url.path.startswith(("/v1", "/healthz", "/status")):
        return await api.refuse(request, cause)
    reply = request.app.state.desk.told_outside(cause, retry_in_seconds={"busy": 5, "accounts-away": 30}.get(cause))
    return await pages.problem_page(request, reply.told, reply)


async def _http_error(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    cause = {404: "not-found", 405: "method-not-allowed"}.get(status, "input-invalid")
    response = await refuse(request, cause)
    if status == 405:
        response.headers["Allow"] = ", ".join(_methods_at(request))
    return response


def _methods_at(request: Request) -> list[str]:
    """Return what may be asked at this address, of every route that has it (RFC 9110, 15.5.6)."""
    here = [r for r in request.app.routes if isinstance(r, Route) and r.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in here for method in route.methods or ()})


async def _let_through(request: Request, error: Exception) -> Response:
    """Leave what went wrong to the edge: Starlette's own answer would have no remedies, and would come first."""
    raise error
