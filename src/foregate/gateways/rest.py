"""A rest for a service that fails: after some failures in a row nobody is kept waiting for it for a while."""

from __future__ import annotations

import asyncio


class Rest:
    """Counts failures in a row; `failures_max` of them begin a rest of `seconds`. Then one more failure is enough."""

    def __init__(self, failures_max: int, seconds: int) -> None:
        self._failures_max, self._seconds = failures_max, seconds
        self._failures = 0
        self.until = 0.0  # by the loop's clock

    @property
    def is_on(self) -> bool:
        """Whether the service is left alone just now."""
        return asyncio.get_running_loop().time() < self.until

    def succeeded(self) -> None:
        """It answered."""
        self._failures = 0

    def failed(self) -> None:
        """It did not."""
        self._failures += 1
        if self._failures >= self._failures_max:
            self._failures = self._failures_max - 1
            self.until = asyncio.get_running_loop().time() + self._seconds
