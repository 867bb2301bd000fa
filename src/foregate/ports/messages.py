"""How many messages may still go out today, as whoever sends codes sees it."""

from __future__ import annotations

from typing import Final, Protocol


class MessageBudget(Protocol):
    """What is left of the day's messages."""

    @property
    def is_for_holders_only(self) -> bool:
        """Whether what is left is kept for those who hold a device or were let in."""


class Spending(Protocol):
    """What messages cost, in one transaction."""

    async def add(self, sent: int, now: int) -> None:
        """So many messages went out just now."""

    async def of_the_day(self, now: int) -> int:
        """How many went out within the last 24 hours, counted by whole hours."""


class Unbounded:
    """No budget: for what sends no messages."""

    @property
    def is_for_holders_only(self) -> bool:
        return False


UNBOUNDED: Final[MessageBudget] = Unbounded()
