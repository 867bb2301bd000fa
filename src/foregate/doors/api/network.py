"""The network check over the API, for the page's script and for apps: figures in, verdict and code out.

None of it asks who somebody is, sets the cookie that ties a journey to a browser, or keeps anything, but for the report
that somebody chooses to send.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

import msgspec
import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foregate.desk.network import Judged, NetworkCheck, Nonce, Probe
from foregate.desk.status import Services
from foregate.doors import network_words
from foregate.doors.api.app import body_of, problem, refuse
from foregate.doors.clients import understood
from foregate.doors.requests import language_of, seconds_to_wait
from foregate.rules import limits
from foregate.rules.network import FILLERS, Figures, Level, State

log = structlog.get_logger("foregate.network")
CHECKED = Counter("foregate_network_checks_total", "Network checks by what they found", ("verdict",))
REPORTED = Counter("foregate_network_reports_total", "Reports of network checks that were sent in", ())

COOKIE: Final = "probe"
COOKIE_SECONDS: Final = 60
Handler = Callable[[Request], Awaitable[Response]]


class StatusOut(msgspec.Struct):
    """How our services do (null: not open here, or not known), and how old the program is that asks.

    `asks_minimum` is false where the bank sets no minimum versions: then no program is too old.
    """

    sign_in: State
    sms: State | None
    face: State | None
    core_bank: State
    server_seconds: int
    client: str
    client_least: str
    asks_minimum: bool
    is_too_old: bool | None


class FillerOut(msgspec.Struct):
    """So many bytes, of no meaning, to measure how fast they come."""

    filler: str


class CookieOut(msgspec.Struct):
    """Whether the cookie that the last answer set came back."""

    came: bool


class NetworkFigures(msgspec.Struct, forbid_unknown_fields=True):
    """What was measured. `proof`: one answer to a probe, as it came."""

    figures: Figures
    proof: Probe | None = None


class NetworkReportIn(msgspec.Struct, forbid_unknown_fields=True):
    """A report that somebody chose to send: `agrees` says that they did."""

    figures: Figures
    agrees: Literal[True]


class RowOut(msgspec.Struct):
    """One row. `advice` is empty where nothing is to be done."""

    name: str
    level: Level
    title: str
    value: str
    advice: str


class VerdictOut(msgspec.Struct):
    """The one sentence, what to do, and the code that the hotline understands."""

    verdict: str
    level: Level
    title: str
    advice: str
    code: str
    rows: list[RowOut]


class ReportOut(msgspec.Struct):
    """The report is kept for so long, under the code."""

    code: str
    kept_seconds: int


async def show_status(request: Request) -> Response:
    """How our services do."""
    services: Services = await request.app.state.status.look()
    asking = understood(request)
    now = request.app.state.desk.house.world.clock.now()
    states = {name: getattr(services, name) for name in services.__struct_fields__}
    shown = StatusOut(
        **states,
        server_seconds=now,
        client=asking.said,
        client_least=asking.least,
        asks_minimum=asking.asks_minimum,
        is_too_old=asking.is_too_old,
    )
    return _json(request, shown)


async def show_probe(request: Request) -> Response:
    """Say what was asked again, with our time and our mark. Nobody else can."""
    nonce = request.query_params.get("nonce", "")
    try:
        msgspec.convert(nonce, Nonce)
    except msgspec.ValidationError:
        return _misread(request, "nonce")
    return _json(request, request.app.state.network.probe(nonce))


async def show_filler(request: Request) -> Response:
    """Return bytes that nothing on the way can make fewer."""
    size = request.path_params["size"]
    if size not in map(str, FILLERS):
        return await refuse(request, "not-found")
    room = int(size) - len(msgspec.json.encode(FillerOut("")))
    response = _json(request, FillerOut(base64.b64encode(secrets.token_bytes(room)).decode()[:room]))
    response.headers["Cache-Control"] = "no-store, no-transform"
    return response


async def show_cookie(request: Request) -> Response:
    """Say whether the cookie came, and set it."""
    cookies = request.app.state.cookies
    response = _json(request, CookieOut(cookies.read(request, COOKIE) is not None))
    cookies.set(response, COOKIE, "1", COOKIE_SECONDS)
    return response


async def judge(request: Request) -> Response:
    """Return what follows from figures. Nothing is kept."""
    body = await body_of(request, NetworkFigures)
    if isinstance(body, Response):
        return body
    network: NetworkCheck = request.app.state.network
    judged = network.judge(body.figures, body.proof)
    count(judged)
    return _json(request, verdict_out(language_of(request), judged))


async def take_report(request: Request) -> Response:
    """Keep a report, for whoever calls about it."""
    if await seconds_to_wait(request, "network-report", limits.NETWORK_REPORTS_PER_MINUTE):
        return await refuse(request, "too-many-requests")
    body = await body_of(request, NetworkReportIn)
    if isinstance(body, Response):
        return body
    network: NetworkCheck = request.app.state.network
    judged = network.judge(body.figures)
    await network.keep(judged, understood(request).said)
    REPORTED.inc()
    return _json(request, ReportOut(judged.code, limits.NETWORK_REPORT_DAYS * limits.DAY), 201)


def count(judged: Judged) -> None:
    """Count what a check found, and say it in the log; there is nothing else to say."""
    CHECKED.labels(judged.verdict.name).inc()
    log.info("network-checked", verdict=judged.verdict.name, diagnosis=judged.code)


def verdict_out(language: str, judged: Judged) -> VerdictOut:
    """Add the words to what follows from figures."""
    sentence = network_words.sentence_of(language, judged.verdict.name, judged.figures)
    rows = [
        RowOut(line.name, line.level, line.title, line.value, line.advice)
        for line in network_words.lines_of(language, judged.figures)
    ]
    return VerdictOut(judged.verdict.name, judged.verdict.level, sentence.title, sentence.advice, judged.code, rows)


def limited(what: str, per_minute: int, handler: Handler) -> Handler:
    """Return `handler` behind a limit for each source."""

    async def within(request: Request) -> Response:
        if await seconds_to_wait(request, what, per_minute):
            return await refuse(request, "too-many-requests")
        return await handler(request)

    return within


def routes() -> list[Route]:
    """Return the routes of the network check."""
    small, costly = int(limits.NETWORK_PROBES_PER_MINUTE), int(limits.NETWORK_CHECKS_PER_MINUTE)
    return [
        Route("/status", limited("network", costly, show_status), methods=["GET"]),
        Route("/v1/network/probe", limited("network-probe", small, show_probe), methods=["GET"]),
        Route("/v1/network/filler/{size}", limited("network", costly, show_filler), methods=["GET"]),
        Route("/v1/network/cookie", limited("network-probe", small, show_cookie), methods=["GET"]),
        Route("/v1/network/verdict", limited("network", costly, judge), methods=["POST"]),
        Route("/v1/network/reports", take_report, methods=["POST"]),
    ]


def _misread(request: Request, field: str) -> Response:
    reply = request.app.state.desk.told_outside("input-invalid", fields={field: "shape"})
    return problem(request, reply.told)


def _json(request: Request, value: Any, status: int = 200) -> Response:
    response = Response(msgspec.json.encode(value), status, media_type="application/json")
    response.headers["Content-Language"] = language_of(request)
    return response
