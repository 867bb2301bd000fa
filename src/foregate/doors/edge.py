"""The edge: what every request passes, once, before a handler sees it.

One ASGI middleware, decisions made in `__init__`, early exits in `__call__`: wrong host, too large, a form from
another site. Around the answer it puts the headers that every response carries, makes it small, counts it and writes
one log line.
What goes wrong inside becomes a problem with remedies like any other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import cache
from urllib.parse import urlsplit

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foregate.doors.compression import Squeeze
from foregate.ports import AccountsAway, Busy, Unreachable
from foregate.rules import limits
from foregate.settings import Settings

log = structlog.get_logger("foregate.edge")
SECONDS = Histogram(
    "foregate_request_seconds",
    "Time to answer, by route and status class; its count is the number of requests",
    ("route", "status"),
    buckets=(0.005, 0.02, 0.05, 0.1, 0.3, 1, 3),
)

REFERENCES_AT_ONCE = 200
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Refuser = Callable[[Request, str], Awaitable[Response]]


@cache
def _meter(route: str, status_class: int) -> Histogram:
    # Looking a label up costs as much as counting; there are few of them.
    return SECONDS.labels(route, f"{status_class}xx")


class TooLarge(Exception):
    """The body went over what this route takes."""


class Edge:
    """Wraps the application. `refuse(request, cause)` makes the answer for what is refused here."""

    def __init__(self, app: ASGIApp, *, settings: Settings, refuse: Refuser, csp: str) -> None:
        self._app = app
        self._refuse = refuse
        self._origin = settings.origin
        self._hosts = {settings.host} | (
            {settings.host.replace("127.0.0.1", "localhost")} if settings.is_demo else set()
        )
        self._headers = {
            "Content-Security-Policy": csp,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
        }
        if settings.is_https:
            self._headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        self._raw_headers = {name.lower().encode(): value.encode() for name, value in self._headers.items()}
        self._raw_headers[b"cache-control"] = b"no-store"  # unless a response says otherwise
        self._references = _references()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        reference = next(self._references)
        scope.setdefault("state", {})["support_ref"] = reference
        outcome = _Outcome(send, self._raw_headers)
        await self._answer(scope, receive, outcome)
        self._note(scope, outcome.status, time.perf_counter() - began, reference)

    async def _answer(self, scope: Scope, receive: Receive, outcome: _Outcome) -> None:
        cause = self._objection(scope)
        if cause is None:
            try:
                sent = Squeeze(outcome, scope["headers"])
                await self._app(scope, _bounded(receive, _body_bytes(scope)), sent)
                return
            except TooLarge:
                cause = "too-large"
            except AccountsAway:
                cause = "accounts-away"
            except (Busy, Unreachable):
                cause = "busy"
            except Exception:
                # The whole trace goes to the log under the reference; the visitor gets the reference alone.
                log.exception(
                    "failed",
                    support_ref=scope["state"]["support_ref"],
                    route=getattr(scope.get("route"), "path", "other"),
                )
                cause = "internal-error"
            if outcome.has_begun:
                return
        response = await self._refuse(Request(scope), cause)
        await response(scope, receive, Squeeze(outcome, scope["headers"]))

    def _objection(self, scope: Scope) -> str | None:
        first = dict(reversed(scope["headers"]))  # of two alike the first counts, as for the handlers
        if first.get(b"host", b"").decode("latin-1") not in self._hosts:
            return "misdirected"
        length = first.get(b"content-length", b"0")
        if not length.isdigit() or len(length) > 9 or int(length) > _body_bytes(scope):
            return "too-large"
        if scope["method"] not in SAFE_METHODS and not self._is_from_here(Headers(scope=scope)):
            return "origin-refused"
        return None

    def _is_from_here(self, headers: Headers) -> bool:
        """A browser says where a form came from; one that does not is asked for a referrer; JSON comes from apps."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None:
            return origin in {f"{urlsplit(self._origin).scheme}://{host}" for host in self._hosts}
        if site is not None:
            return site in ("same-origin", "none")
        referrer = headers.get("referer")
        if referrer is not None:
            return urlsplit(referrer).netloc in self._hosts
        return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"

    def _note(self, scope: Scope, status: int, seconds: float, reference: str) -> None:
        route = getattr(scope.get("route"), "path", "other")
        _meter(route, status // 100).observe(seconds)
        log.info(
            "answered",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            support_ref=reference,
        )


class _Outcome:
    """A `send` that adds the headers a response does not set itself, and remembers the status."""

    def __init__(self, send: Send, headers: dict[bytes, bytes]) -> None:
        self._send = send
        self._headers = headers
        self.status = 500
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self._missing_of(message["headers"])]
        await self._send(message)

    def _missing_of(self, own: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
        set_here = [name for name, _ in own if name in self._headers]
        if not set_here:  # as most answers: no copy
            return self._headers.items()
        return [item for item in self._headers.items() if item[0] not in set_here]


def _references() -> Iterator[str]:
    """Yield what a request is found by in the log: 40 random bits. A call to the system for each would be a tenth of
    what a request costs here, so it is asked for many at once."""
    while True:
        digits = os.urandom(5 * REFERENCES_AT_ONCE).hex()
        yield from (digits[at : at + 10] for at in range(0, len(digits), 10))


def _body_bytes(scope: Scope) -> int:
    """Return how much may be sent: pictures of a face have a route of their own, which looks before it reads."""
    return limits.FACE_BODY_BYTES if scope["path"].endswith("/pictures") else limits.BODY_BYTES


def _bounded(receive: Receive, bytes_max: int) -> Receive:
    """Count the body as it arrives: a length header may lie or be missing."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > bytes_max:
                raise TooLarge
        return message

    return bounded
