"""From a request to a `Caller`, and from a `Reply` to cookies: the part that API and pages share."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response

from foregate.desk.turn import Caller
from foregate.desk.view import Reply
from foregate.doors.cookies import Cookies, visitor_digest
from foregate.doors.text import catalog
from foregate.ports import SessionRow
from foregate.rules import limits

AGENT_CHARS = 120


async def caller_of(request: Request) -> Caller:
    """Return who is at the door. A visitor without our cookie gets one with the response."""
    cookies: Cookies = request.app.state.cookies
    visitor, is_new = cookies.visitor(request)
    if is_new:
        request.state.new_visitor = visitor
    return Caller(
        visitor_digest=visitor_digest(visitor),
        source=source_of(request),
        agent=agent_of(request),
        language=language_of(request),
        session=await session_of(request),
        device=cookies.read(request, "device"),
    )


async def session_of(request: Request) -> SessionRow | None:
    """Return the live session of this browser."""
    return await request.app.state.sessions.check(request.app.state.cookies.read(request, "session"))  # type: ignore[no-any-return]  # app.state is untyped


def language_of(request: Request) -> str:
    """Return the language chosen, or the browser's."""
    chosen = request.app.state.cookies.read(request, "language")
    return catalog.choose(request.headers.get("accept-language"), chosen)


def agent_of(request: Request) -> str:
    """Return what the browser calls itself, shortened, printable."""
    agent = request.headers.get("user-agent", "")[:AGENT_CHARS]
    return "".join(c for c in agent if c.isprintable())


def source_of(request: Request) -> str:
    """Return the network address of the client: the peer's, or what a configured proxy says of it.

    Nobody else's X-Forwarded-For is read at all.
    """
    peer = request.client.host if request.client else ""
    proxies = request.app.state.proxies
    if not proxies or not _is_in(peer, proxies):
        return peer
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    for hop in reversed(hops):
        if not _is_in(hop, proxies):
            return hop[:45]
    return peer


def _is_in(address: str, networks: tuple[str, ...]) -> bool:
    try:
        return any(ip_address(address) in ip_network(network) for network in networks)
    except ValueError:
        return False


OUTCOMES = Counter("foregate_journeys_total", "Answers of the desk", ("journey", "outcome"))


def count(reply: Reply) -> None:
    """Count what came of an answer: a cause, or where the journey stands."""
    view, told = reply.view, reply.told
    journey = view.journey if view else (told.journey_name if told and told.journey_name else "none")
    OUTCOMES.labels(journey, told.cause if told else view.status if view else "none").inc()


def with_cookies(response: Response, reply: Reply | None, request: Request) -> Response:
    """Set or take back what the reply says, and greet a new visitor."""
    cookies: Cookies = request.app.state.cookies
    if (visitor := getattr(request.state, "new_visitor", None)) is not None:
        cookies.set_visitor(response, visitor)
    if reply is None:
        return response
    count(reply)
    if reply.ends_session:
        cookies.clear(response, "session")
        response.headers["Clear-Site-Data"] = '"storage"'
    if reply.session_token is not None:
        cookies.set(response, "session", reply.session_token)
    if reply.device_token is not None:
        cookies.set(response, "device", reply.device_token, limits.DEVICE_DAYS * 86400)
    return response
