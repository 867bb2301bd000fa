"""Looks again, while the house is open, whether the database still keeps what it acknowledges.

Somebody may turn `fsync` off by night to make a load quicker. From then on a used code could be good again after a
power cut, so the balancer is told to send nobody here until it is on again.
"""

from __future__ import annotations

import logging

from foregate.rules import limits
from foregate.store.errors import WeakDurability
from foregate.store.loops import Loop
from foregate.store.unit_of_work import SqlStore

_log = logging.getLogger("foregate.store")


class DurabilityWatch(Loop):
    """Checks at every round; `weakness` says what is wrong, as long as it is."""

    def __init__(self, store: SqlStore, pause_seconds: float = limits.DURABILITY_SECONDS) -> None:
        super().__init__(pause_seconds)
        self._store = store
        self.weakness: str | None = None

    async def once(self) -> None:
        """Look once. A database that cannot be asked leaves the verdict as it was."""
        try:
            await self._store.check_durability()
        except WeakDurability as weak:
            self.weakness = str(weak)
            _log.critical("the database may lose what it acknowledges: %s", weak)
        else:
            self.weakness = None
