"""A rest for a service that fails: after some failures in a row nobody is kept waiting for it for a while."""

from __future__ import annotations

import asyncio


class Rest:
    """Counts failures in a row; `failures_max` of them begin a rest of `seconds`. Then one tries for everybody.

    One failure is enough then for another rest. Who tries has `answer_seconds`; who breaks off leaves it to the next.
    """

    def __init__(self, failures_max: int, seconds: int, *, answer_seconds: int) -> None:
        self._failures_max, self._seconds, self._answer_seconds = failures_max, seconds, answer_seconds
        self.failures_in_a_row = 0
        self.until = 0.0  # by the loop's clock

    def may_ask(self) -> bool:
        """Say whether the service is asked just now, by whoever wants to know."""
        now = asyncio.get_running_loop().time()
        if now < self.until:
            return False
        if self._is_in_doubt:
            self.until = now + self._answer_seconds
        return True

    def succeeded(self) -> None:
        """It answered."""
        self.failures_in_a_row, self.until = 0, 0.0

    def failed(self) -> None:
        """It did not."""
        self.failures_in_a_row += 1
        if self._is_in_doubt:
            self.until = asyncio.get_running_loop().time() + self._seconds

    @property
    def _is_in_doubt(self) -> bool:
        return self.failures_in_a_row >= self._failures_max
