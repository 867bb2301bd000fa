"""When the counter may be worked: within an outlet's hours, and a little before and after. Fits `ports.counter`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from foregate.outlets.hours import status
from foregate.ports import Store


class CounterHours:
    """Asks the outlet's own hours, with holidays and exceptions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def is_open(self, outlet_id: str, now: int, margin_seconds: int) -> bool:
        """Say whether `now` is within the outlet's hours or the margin around them. Unknown hours: not open."""
        today = datetime.fromtimestamp(now, UTC).date()
        first, last = (today + timedelta(days=days) for days in (-2, 3))
        async with self._store.begin() as tx:
            outlet = await tx.outlets.find(outlet_id)
            exceptions = await tx.outlets.exceptions_of(outlet, first, last) if outlet else ()
        if outlet is None:
            return False
        moments = (now, now + margin_seconds, now - margin_seconds)
        return any(status(outlet, exceptions, moment).is_open is True for moment in moments)
