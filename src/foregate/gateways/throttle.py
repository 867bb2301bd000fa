"""Request throttles per source, on `limits`: in memory for one node, in Valkey or Redis to share them.

They slow scripts down and decide nothing about a person: when Valkey is away every request passes, and the
counters that matter stand in the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.storage import storage_from_string

if TYPE_CHECKING:
    from valkey.asyncio import BlockingConnectionPool

log = structlog.get_logger("foregate.throttle")

# Valkey answers in less than a millisecond. One that hangs may not hold up everybody who wants to sign in.
ANSWER_SECONDS = 0.25
CONNECTIONS = 32


class RequestThrottle:
    """Counts requests per key and minute. Fits `ports.Throttle`."""

    def __init__(self, url: str = "") -> None:
        self._pool = _pool(url) if url else None
        self._limiter = FixedWindowRateLimiter(_shared(url, self._pool) if self._pool else MemoryStorage())

    async def hit(self, key: str, per_minute: int) -> int:
        """Count one and return 0, or the seconds to wait. One atomic hit: never looked at first, counted after."""
        try:
            is_within = await self._limiter.hit(RateLimitItemPerMinute(per_minute), key)
        except Exception as wrong:
            log.warning("throttle-away", error=type(wrong).__name__)
            return 0
        return 0 if is_within else 60

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.disconnect()


def _pool(url: str) -> BlockingConnectionPool:
    from valkey.asyncio import BlockingConnectionPool  # a tenth of a second, spent only where there is a Valkey

    return BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
    )


def _shared(url: str, pool: BlockingConnectionPool) -> Storage:
    storage = storage_from_string(f"async+{url}", implementation="valkey", connection_pool=pool)  # type: ignore[arg-type]  # handed on to Valkey, as `limits` documents
    assert isinstance(storage, Storage)  # noqa: S101 -- the async scheme asks for it
    return storage
