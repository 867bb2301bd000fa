"""The network check: a page that is kept and measures, and one that says what the server sees.

`/network` is the same for everybody, sets no cookie and carries no token, so that a browser may keep it and it works
when nothing else does; what it measures and decides is in `network.js`. `/network/server` needs no script, and is asked
by way of an address that sets a cookie, so that it knows whether cookies come back.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from foregate.desk.status import Services
from foregate.doors import network_words
from foregate.doors.api.network import COOKIE, COOKIE_SECONDS, count
from foregate.doors.clients import understood
from foregate.doors.pages import network_script
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page, respond
from foregate.doors.requests import language_of, seconds_to_wait, source_of
from foregate.doors.text import catalog
from foregate.rules import limits
from foregate.rules.diagnosis import in_groups
from foregate.rules.network import Figures, Level

TLS_VERSIONS: Final = {0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
ASKED: Final = "asked"
HOME_ZONE: Final = "Asia/Shanghai"  # where the bank is; a page for everybody knows no nearer one


async def show_network(request: Request) -> Response:
    """The page that measures. No cookie is set and none is read but the language's: it may be kept."""
    language = language_of(request)
    page = Page(template="network.html", back="/network", is_public=True)
    measure = network_script.measure(language).path
    return respond(page, request, measure=measure, report_days=int(limits.NETWORK_REPORT_DAYS))


async def ask_for_cookie(request: Request) -> Response:
    """Set a cookie and go on to where it is looked for."""
    response = RedirectResponse(f"/network/server?{ASKED}=1", 303)
    request.app.state.cookies.set(response, COOKIE, "1", COOKIE_SECONDS)
    return response


async def show_server(request: Request) -> Response:
    """What the server sees, and what follows from that alone."""
    if wait := await seconds_to_wait(request, "network", limits.NETWORK_CHECKS_PER_MINUTE):
        return await refuse(request, "too-many-requests", retry_in_seconds=wait)
    figures = await _seen(request)
    judged = request.app.state.network.judge(figures)
    count(judged)
    language = language_of(request)
    sentence = network_words.sentence_of(language, judged.verdict.name, figures)
    lines = [line for line in network_words.lines_of(language, figures) if line.level is not Level.UNKNOWN]
    facts = _facts(request, language)
    page = Page(template="network_server.html", back=f"/network/server{'?' + ASKED + '=1' if _asked(request) else ''}")
    code = in_groups(judged.code)
    return respond(page, request, verdict=judged.verdict, sentence=sentence, lines=lines, code=code, facts=facts)


def routes() -> list[BaseRoute]:
    """Return the addresses of the network check."""
    return [
        Route("/network", show_network, methods=["GET"]),
        Route("/network/cookies", ask_for_cookie, methods=["GET"]),
        Route("/network/server", show_server, methods=["GET"]),
    ]


def _asked(request: Request) -> bool:
    return ASKED in request.query_params


async def _seen(request: Request) -> Figures:
    """Return what the server knows by itself: that we reach each other, its services, the program, the cookie."""
    asking = understood(request)
    services: Services = await request.app.state.status.look()
    states = {name: getattr(services, name) for name in services.__struct_fields__}
    is_blocked = _asked(request) and not _came(request)
    return Figures(
        is_online=True,
        answered=1,
        altered=0,
        keeps="nothing" if is_blocked else None,
        asks_minimum=asking.asks_minimum,
        is_too_old=asking.is_too_old,
        **states,
    )


def _came(request: Request) -> bool:
    return request.app.state.cookies.read(request, COOKIE) is not None


def _facts(request: Request, language: str) -> list[tuple[str, str]]:
    """Return what is to be said about this connection."""
    now = datetime.fromtimestamp(request.app.state.desk.house.world.clock.now(), ZoneInfo(HOME_ZONE))
    cookie = "cookie-unasked" if not _asked(request) else "cookie-came" if _came(request) else "cookie-lost"
    said = {
        "time": now.strftime("%Y-%m-%d %H:%M:%S"),
        "address": address_kind(request, language),
        "http": f"HTTP/{request.scope.get('http_version', '')}",
        "tls": _tls(request, language),
        "cookie": catalog.text(language, f"network.{cookie}"),
        "client": understood(request).said or catalog.text(language, "network.unknown"),
    }
    return [(catalog.text(language, f"network.server-{name}"), value) for name, value in said.items()]


def address_kind(request: Request, language: str) -> str:
    """Return of which kind the client's address is, never the address itself."""
    source, peer = source_of(request), request.client.host if request.client else ""
    try:
        address = ip_address(source)
    except ValueError:
        return catalog.text(language, "network.unknown")
    kind = catalog.text(language, f"network.address.v{address.version}-{'public' if address.is_global else 'private'}")
    return catalog.text(language, "network.address.proxy", kind=kind) if source != peer else kind


def _tls(request: Request, language: str) -> str:
    """Return whether the connection is encrypted: as the server knows, or as the proxy says that we trust."""
    tls = request.scope.get("extensions", {}).get("tls")
    if tls and tls.get("tls_version") in TLS_VERSIONS:
        return catalog.text(language, "network.tls-version", version=TLS_VERSIONS[tls["tls_version"]])
    peer = request.client.host if request.client else ""
    is_behind = source_of(request) != peer
    scheme = request.headers.get("x-forwarded-proto", "") if is_behind else request.url.scheme
    key = {"https": "tls-yes", "http": "tls-no"}.get(scheme.strip().lower(), "unknown")
    return catalog.text(language, f"network.{key}")
