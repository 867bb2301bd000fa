"""Request throttles per source, on `limits`: in memory for one node, in Valkey or Redis to share them.

They slow scripts down and decide nothing about a person: when Valkey is away every request passes, and the
counters that matter stand in the database.
"""

from __future__ import annotations

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.storage import storage_from_string

log = structlog.get_logger("foregate.throttle")


class RequestThrottle:
    """Counts requests per key and minute. Fits `ports.Throttle`."""

    def __init__(self, url: str = "") -> None:
        storage = storage_from_string(f"async+{url}", implementation="valkey") if url else MemoryStorage()
        self._limiter = FixedWindowRateLimiter(storage)

    async def hit(self, key: str, per_minute: int) -> int:
        """Count one and return 0, or the seconds to wait. One atomic hit: never looked at first, counted after."""
        try:
            is_within = await self._limiter.hit(RateLimitItemPerMinute(per_minute), key)
        except Exception as wrong:
            log.warning("throttle-away", error=type(wrong).__name__)
            return 0
        return 0 if is_within else 60
