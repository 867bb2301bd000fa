"""What the checker says: per promise, how much was explored, whether it holds, and if not, how it breaks."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of exploring one promise. `stories` tell how it breaks, the shortest first; none: it holds."""

    states: int
    stories: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """True when nothing was found that breaks the promise."""
        return not self.stories


class Promise(msgspec.Struct, frozen=True):
    """One promise. Exploring is left to the caller, who may time it: rules know no clock."""

    name: str
    meaning: str
    explore: Callable[[], Verdict]


class Report(msgspec.Struct, frozen=True):
    """The four promises over one table in one world."""

    promises: tuple[Promise, ...]

    def verdicts(self) -> dict[str, Verdict]:
        """Explore every promise and return the verdicts by name."""
        return {promise.name: promise.explore() for promise in self.promises}


def shortest_first(stories: list[str], limit: int = 5) -> tuple[str, ...]:
    """Return at most `limit` different stories, in the order found: explorations find the shortest first."""
    return tuple(dict.fromkeys(stories))[:limit]
