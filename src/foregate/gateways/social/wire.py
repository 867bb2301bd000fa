"""What the clients share: one pooled connection, bounded answers, and a rest for a provider that is down.

Retries with care: a request that carries a code is sent again only when it never left the house, because a code is
spent even when the call fails. What only reads is sent again once.

Secrets travel in WeChat's addresses, so nothing here writes an address down, and the library's own lines that would
are turned off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx2
import structlog

from foregate.gateways.bounded import body_of
from foregate.gateways.rest import Rest
from foregate.ports.social import ProviderDown
from foregate.rules import limits
from foregate.rules.social import Provider

log = structlog.get_logger("foregate.social")
logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs whole addresses at INFO
logging.getLogger("httpcore2").setLevel(logging.WARNING)

T = TypeVar("T")
NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class Wire:
    """The way to one provider. `transport` replaces the network in tests."""

    def __init__(self, provider: Provider, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._provider = provider
        self._client = httpx2.AsyncClient(
            timeout=float(limits.SOCIAL_SECONDS), follow_redirects=False, transport=transport, trust_env=False
        )
        self.rest = Rest(limits.SOCIAL_FAILURES, limits.SOCIAL_REST_SECONDS, answer_seconds=2 * limits.SOCIAL_SECONDS)

    async def get(self, url: str, params: Mapping[str, str], read: Callable[[bytes], T], *, spends: bool) -> T:
        """Ask by GET. `read` raises ProviderDown for what is no answer; `spends`: the request uses a code up."""
        return await self._send("GET", url, params, None, read, spends=spends)

    async def post(
        self, url: str, params: Mapping[str, str], form: Mapping[str, str], read: Callable[[bytes], T], *, spends: bool
    ) -> T:
        """Ask by POST, `params` in the address and `form` in the body."""
        return await self._send("POST", url, params, form, read, spends=spends)

    async def _send(
        self, method: str, url: str, params: Mapping[str, str], form: Mapping[str, str] | None,
        read: Callable[[bytes], T], *, spends: bool,
    ) -> T:  # fmt: skip
        if not self.rest.may_ask():
            raise ProviderDown("rests")
        try:
            async with asyncio.timeout(2 * limits.SOCIAL_SECONDS):
                found = read(await self._twice(method, url, params, form, spends=spends))
        except (ProviderDown, TimeoutError, httpx2.HTTPError) as wrong:
            why = str(wrong) if isinstance(wrong, ProviderDown) else type(wrong).__name__
            self.rest.failed()
            log.warning("provider failed", provider=self._provider.value, why=why)
            raise ProviderDown(why) from None
        self.rest.succeeded()
        return found

    async def _twice(
        self, method: str, url: str, params: Mapping[str, str], form: Mapping[str, str] | None, *, spends: bool
    ) -> bytes:
        try:
            return await self._once(method, url, params, form)
        except NEVER_LEFT:
            return await self._once(method, url, params, form)
        except (httpx2.HTTPError, ProviderDown):
            if spends:
                raise
            return await self._once(method, url, params, form)

    async def _once(self, method: str, url: str, params: Mapping[str, str], form: Mapping[str, str] | None) -> bytes:
        async with self._client.stream(method, url, params=params, data=form) as answer:
            if answer.status_code != 200:
                raise ProviderDown(f"status {answer.status_code}")
            return await body_of(answer, limits.SOCIAL_ANSWER_BYTES)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
