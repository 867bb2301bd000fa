"""What a watch has told already: the same thing is told again only after a while."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Told(Generic[T]):
    """When each thing was last told by this process. Of several that look at one database each tells for itself."""

    def __init__(self, again_seconds: int) -> None:
        self._again_seconds = again_seconds
        self._at: dict[T, int] = {}

    def is_due(self, what: T, now: int) -> bool:
        """Say whether it was not told for so long."""
        return self._at.get(what, 0) + self._again_seconds <= now

    def note(self, told: Iterable[T], now: int) -> None:
        """These were told, and what told them is committed."""
        self._at |= dict.fromkeys(told, now)
