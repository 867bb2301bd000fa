"""The application: routes of API and pages behind one edge."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from foregate.doors import pages
from foregate.doors.api import app as api
from foregate.doors.edge import Edge
from foregate.settings import Settings


def build(
    settings: Settings, state: dict[str, Any], lifespan: Any = None, more: tuple[BaseRoute, ...] = ()
) -> tuple[Starlette, ASGIApp]:
    """Return the inner application, for its state, and the whole behind its edge, to be served."""
    inner = Starlette(
        routes=[*api.routes(), *more, *pages.routes()],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    for name, part in state.items():
        setattr(inner.state, name, part)
    inner.state.settings = settings

    async def refuse_at_edge(request: Request, cause: str) -> Response:
        request.scope["app"] = inner
        return await refuse(request, cause)

    return inner, Edge(inner, settings=settings, refuse=refuse_at_edge, csp=pages.content_security_policy())


async def refuse(request: Request, cause: str) -> Response:
    """Refuse as the client reads: a problem for the API, a page for a person."""
    if request.url.path.startswith(("/v1", "/healthz")):
        return await api.refuse(request, cause)
    reply = request.app.state.desk.told_outside(cause, retry_in_seconds={"busy": 5}.get(cause))
    return await pages.problem_page(request, reply.told, reply)


async def _http_error(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    cause = {404: "not-found", 405: "method-not-allowed"}.get(status, "input-invalid")
    return await refuse(request, cause)
