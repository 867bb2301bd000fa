"""The networks' own service: CAMARA's SIM Swap API, as GSMA Open Gateway offers it, version 2.

    POST <token url>      grant_type=client_credentials&scope=dpv:FraudPreventionAndDetection sim-swap:retrieve-date
    POST <api>/retrieve-date
    Authorization: Bearer ...
    {"phoneNumber": "+8613800138000"}

    200 {"latestSimChange": "2027-01-14T08:00:00Z"}
    200 {"latestSimChange": null, "monitoredPeriod": 120}      none within so many days
    404, 422                                                   the number is not known there

Theory of operation
  Of the interface's two questions only `retrieve-date` has an answer that can be held against what the counter saw:
  `check` says yes or no for whole hours before now. A network that offers `check` alone cannot be used.

  A token is for the client, not for a person: one is shared by all questions until shortly before its end, and asked
  for anew once when the service does not take it. After failures in a row nobody is kept waiting for a while.

  `null` alone may mean "none for as long as we look back" and "we may not say"; it is taken as unknown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import httpx2
import msgspec
import structlog

from foregate.gateways.bounded import body_of
from foregate.gateways.numbers.credentials import Credentials
from foregate.gateways.rest import Rest
from foregate.ids import new_id
from foregate.ports import Clock, Unreachable
from foregate.rules import limits
from foregate.rules.numbers import UNKNOWN, LastChange

log = structlog.get_logger("foregate.numbers")
logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs whole addresses at INFO
logging.getLogger("httpcore2").setLevel(logging.WARNING)

SCOPE: Final = "dpv:FraudPreventionAndDetection sim-swap:retrieve-date"
# A token is not used any more this long before its end: it has to live until it arrives.
TOKEN_MARGIN_SECONDS: Final = 10
TOKEN_SECONDS: Final = 60  # where the endpoint does not say how long it lives
NOT_KNOWN: Final = (404, 422)
T = TypeVar("T")


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    expires_in: int = TOKEN_SECONDS


class _Info(msgspec.Struct, frozen=True, rename="camel"):
    latest_sim_change: str | None
    monitored_period: int | None = None


class _NotTaken(Unreachable):
    """The service does not take our token any more."""


class SimSwap:
    """A `ports.numbers.NumberChanges` over HTTPS. `transport` replaces the network in tests."""

    def __init__(
        self, api: str, token_url: str, credentials: Credentials, clock: Clock, *, scope: str = SCOPE,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._question, self._token_url, self._scope = f"{api.rstrip('/')}/retrieve-date", token_url, scope
        self._credentials, self._clock = credentials, clock
        self._client = httpx2.AsyncClient(
            timeout=float(limits.NUMBER_ANSWER_SECONDS), follow_redirects=False, transport=transport, trust_env=False
        )
        self._token, self._token_ends_at, self._fetching = "", 0, asyncio.Lock()
        self.rest = Rest(
            limits.NUMBER_FAILURES, limits.NUMBER_REST_SECONDS, answer_seconds=limits.NUMBER_ANSWER_SECONDS
        )

    async def last_change(self, phone: str) -> LastChange:
        """Ask about one number. Raises Unreachable."""
        if not self.rest.may_ask():
            raise Unreachable("the networks' service rests")
        try:
            async with asyncio.timeout(float(limits.NUMBER_ANSWER_SECONDS)):
                found = await self._asked(phone)
        except (TimeoutError, Unreachable, httpx2.HTTPError) as wrong:
            self.rest.failed()
            raise Unreachable(f"the networks' service: {str(wrong) or type(wrong).__name__}") from None
        self.rest.succeeded()
        return found

    async def _asked(self, phone: str) -> LastChange:
        try:
            return await self._once(phone)
        except _NotTaken:
            self._token = ""  # revoked before its end, or made with a key that they changed
            return await self._once(phone)

    async def _once(self, phone: str) -> LastChange:
        headers = {"Authorization": f"Bearer {await self._bearer()}", "x-correlator": new_id()}
        status, body = await self._post(self._question, headers, content=msgspec.json.encode({"phoneNumber": phone}))
        if status == 401:
            raise _NotTaken("status 401")
        if status in NOT_KNOWN:
            return UNKNOWN
        if status != 200:
            raise Unreachable(f"status {status}")
        return self._read(_decoded(body, _Info))

    def _read(self, info: _Info) -> LastChange:
        if info.latest_sim_change is None:
            looks_back = (info.monitored_period or 0) * limits.DAY >= limits.NUMBER_RECENT_SECONDS
            return LastChange(is_known=True) if looks_back else UNKNOWN
        try:
            at = datetime.fromisoformat(info.latest_sim_change)
        except ValueError:
            raise Unreachable("not a date") from None
        if at.tzinfo is None:
            raise Unreachable("a date without its time zone")
        return LastChange(is_known=True, at=max(0, int(at.timestamp())))

    async def _bearer(self) -> str:
        # One at a time: however many wait for a token, one is fetched.
        async with self._fetching:
            now = self._clock.now()
            if not self._token or now >= self._token_ends_at:
                token = await self._fetched(now)
                self._token, self._token_ends_at = token.access_token, now + token.expires_in - TOKEN_MARGIN_SECONDS
            return self._token

    async def _fetched(self, now: int) -> _Token:
        form, headers = self._credentials.of_request(self._token_url, now)
        wanted = {"grant_type": "client_credentials", "scope": self._scope, **form}
        status, body = await self._post(self._token_url, headers, form=wanted)
        if status != 200:
            raise Unreachable(f"no token, status {status}")
        token = _decoded(body, _Token)
        if token.token_type.lower() != "bearer" or not token.access_token.isascii():
            raise Unreachable("not a bearer token")
        return token

    async def _post(
        self, url: str, headers: Mapping[str, str], *, content: bytes | None = None, form: Any = None
    ) -> tuple[int, bytes]:
        kind = {"Content-Type": "application/json"} if content is not None else {}
        sent = {"Accept": "application/json", **kind, **headers}
        async with self._client.stream("POST", url, headers=sent, content=content, data=form) as answer:
            return answer.status_code, await body_of(answer, limits.NUMBER_ANSWER_BYTES)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unreachable("an answer that is not as agreed") from None
