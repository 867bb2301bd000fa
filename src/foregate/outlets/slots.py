"""Slots: from the hours of an outlet to the times that may be booked. Pure: callers bring the moment.

Every slot begins on a multiple of SLOT_MINUTES since 1970. All time zones are whole quarters of an hour away from
UTC, so the grid is the same everywhere, on days that clocks change too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from foregate.rules import limits
from foregate.rules.limits import DAY, MINUTE
from foregate.rules.services import Service

STEP_SECONDS: Final = int(limits.SLOT_MINUTES) * MINUTE
NOBODY: Final[frozenset[int]] = frozenset()


class Span(Protocol):
    """From `start` until just before `end`."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def starts(spans: Iterable[Span], service: Service, now: int) -> tuple[int, ...]:
    """Return when `service` may begin: inside the hours to its end, after its lead time, within BOOKING_DAYS."""
    earliest, latest = now + service.lead_seconds, now + limits.BOOKING_DAYS * DAY
    found: list[int] = []
    for span in spans:
        first = -(-max(span.start, earliest) // STEP_SECONDS) * STEP_SECONDS
        last = min(span.end - service.minutes * MINUTE, latest)
        found += range(first, last + 1, STEP_SECONDS)
    return tuple(found)


def covered(start: int, minutes: int) -> tuple[int, ...]:
    """Return the slots that an appointment of `minutes` takes from `start` on."""
    return tuple(range(start, start + minutes * MINUTE, STEP_SECONDS))


def free(
    candidates: Iterable[int], taken: Mapping[int, frozenset[int]], minutes: int, capacity: int
) -> tuple[int, ...]:
    """Return the candidates of which every slot has a unit that nobody took."""
    everybody = frozenset(range(capacity))
    return tuple(
        start for start in candidates if all(everybody - taken.get(slot, NOBODY) for slot in covered(start, minutes))
    )
