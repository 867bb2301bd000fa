"""Changes of numbers kept in this process: for the demo, whose networks do not exist. Nothing of it is written down."""

from __future__ import annotations

from foregate.ports import Clock
from foregate.rules import limits
from foregate.rules.numbers import UNKNOWN, LastChange


class EmbeddedNumbers:
    """A `ports.numbers.NumberChanges` that is told what happened. Of a number it never heard of it knows nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed_at: dict[str, int] = {}

    def put(self, phone: str, changed_at: int) -> None:
        """This number (E.164) came to another SIM then, in seconds since 1970."""
        self._changed_at[phone] = changed_at

    async def last_change(self, phone: str) -> LastChange:
        """Return what it was told; a change from before the time that counts is told as none, as networks do."""
        changed_at = self._changed_at.get(phone)
        if changed_at is None:
            return UNKNOWN
        is_recent = changed_at + limits.NUMBER_RECENT_SECONDS > self._clock.now()
        return LastChange(is_known=True, at=changed_at if is_recent else 0)

    async def close(self) -> None:
        """Nothing to close."""
