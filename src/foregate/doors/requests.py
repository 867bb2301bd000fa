"""From a request to a `Caller`, and from a `Reply` to cookies: the part that API and pages share."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

import msgspec
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response

from foregate.desk.turn import Caller
from foregate.desk.view import Reply
from foregate.doors.cookies import Cookies, visitor_digest
from foregate.doors.text import catalog
from foregate.ports import SessionRow, Throttle
from foregate.rules import limits
from foregate.rules.inputs import Kind
from foregate.rules.words import Who

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
    """Return the language chosen, just now or before, or the browser's."""
    wish = getattr(request.state, "wish", None)
    chosen = (wish and wish.language) or request.app.state.cookies.read(request, "language")
    return catalog.choose(request.headers.get("accept-language"), chosen)


def care_of(request: Request) -> bool | None:
    """Return whether care mode was chosen, just now or before; None: nothing was said about it yet."""
    wish = getattr(request.state, "wish", None)
    if wish is not None and wish.care is not None:
        return bool(wish.care)
    return {"1": True, "0": False}.get(request.app.state.cookies.read(request, "care") or "")


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


async def seconds_to_wait(request: Request, what: str, per_minute: int) -> int:
    """Count a request of this kind for where it comes from: 0, or how long to wait when there were too many."""
    throttle: Throttle = request.app.state.throttle
    return await throttle.hit(f"{what}:{_counted(source_of(request))}", int(per_minute))


async def seconds_to_hold(request: Request, step: str | None) -> int:
    """Count a place that is about to be held: they are few, and whoever holds one has shown nothing yet."""
    return await seconds_to_wait(request, "hold", limits.HOLDS_PER_MINUTE) if step == Who.ANYBODY else 0


def having_sent(caller: Caller, request: Request, began: int) -> Caller:
    """Return the caller with how long the body was on its way: `began` by the house's clock, before it was read."""
    now: int = request.app.state.desk.house.world.clock.now()
    return msgspec.structs.replace(caller, sending_seconds=max(0, now - began))


def asks_for_pictures(reply: Reply) -> bool:
    """Say whether the journey stands at a step that pictures answer."""
    step = reply.view.step if reply.view is not None and reply.told is None else None
    return step is not None and any(field.kind is Kind.PICTURES for field in step.fields)


def _counted(source: str) -> str:
    # An IPv6 subscriber has a whole network of addresses; those that stand for IPv4 ones all share another.
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if not isinstance(address, IPv6Address):
        return source
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), int(limits.IPV6_NETWORK_BITS)), strict=False))


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
