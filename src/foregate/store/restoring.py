"""After a restore: end what may have ended since, and write down that a restore it was. `foregate restored` runs this.

Rules
  1. Everything happens in one transaction: what ends, what is closed, the event and the epoch of each anchor.
  2. What ends is said by `after_restore.py`, table by table.
  3. An anchor is forgiven exactly the lines that it has lost by then (`anchors.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from foregate.ports import Event
from foregate.rules.staff import ALARM_CHAIN
from foregate.store import anchors
from foregate.store.after_restore import statements
from foregate.store.statements import Connection
from foregate.store.unit_of_work import SqlStore, Unit

ACTOR: Final = "command-line"
# A bank's sessions are millions of rows, and nobody waits at the door meanwhile.
STATEMENT_SECONDS: Final = 1800


class Gap(msgspec.Struct, frozen=True):
    """How far the database lies behind, as far as anybody can tell. Times are seconds since 1970, 0: unknown."""

    seal: int = 0  # the newest that the database has
    sealed_at: int = 0
    compared: Mapping[Path, anchors.Compared] = {}
    restores: tuple[anchors.Restored, ...] = ()

    @property
    def lost(self) -> Mapping[Path, anchors.Compared]:
        """The anchors that have lost lines."""
        return {path: held for path, held in self.compared.items() if held.lost}

    @property
    def first_seal(self) -> int:
        """The first seal that an anchor knows and the database has not."""
        return min((line.seal for held in self.lost.values() for line in held.lost), default=0)

    @property
    def last_seal(self) -> int:
        """The last of them."""
        return max((line.seal for held in self.lost.values() for line in held.lost), default=0)

    @property
    def from_at(self) -> int:
        """When the newest seal was made that an anchor and the database both have."""
        both = [held.last_common.at for held in self.lost.values() if held.last_common]
        return max(both) if both else 0

    @property
    def until_at(self) -> int:
        """When the newest lost seal was made."""
        return max((line.at for held in self.lost.values() for line in held.lost), default=0)


class Unexplained(Exception):
    """An anchor has lost lines that no restore in the record explains."""


async def look(store: SqlStore, paths: Sequence[Path]) -> Gap:
    """Hold the database against each anchor. Raises FileNotFoundError."""
    async with store.database.snapshot() as connection:
        return await _look(connection, store, paths)


async def _look(connection: Connection, store: SqlStore, paths: Sequence[Path]) -> Gap:
    seal, sealed_at = await anchors.last_seal(connection) or (0, 0)
    compared = {path: await anchors.compare(connection, store.keys, path) for path in paths}
    told = await anchors.known(connection, store.keys)
    return Gap(seal, sealed_at, compared, told.restores)


async def end(store: SqlStore, paths: Sequence[Path], *, closes: bool, forgets: bool) -> dict[str, int]:
    """End what may have ended since the backup, and begin a new epoch of each anchor. Returns how many rows, by table.

    Args:
        closes: close everybody's sign-in, too
        forgets: throw out passwords, passkeys and faces, too
    """
    now = store.clock.now()
    async with store.database.transaction() as connection:
        unit = Unit(connection, store.keys)
        gap = await _look(connection, store, paths)
        rows = {
            name: await connection.run(statement, now=now)
            for name, statement in statements(closes=closes, forgets=forgets).items()
        }
        details: dict[str, str | int] = {
            "seal": gap.seal, "lost_to_seal": gap.last_seal, "closed": int(closes), "forgotten": int(forgets),
            "count": sum(rows.values()),
        }  # fmt: skip
        await unit.audit.record(Event(chain=ALARM_CHAIN, kind="bank-restored", actor=ACTOR, details=details), now)
        await _forgive(unit, gap, now)
        await unit.finish()
    return rows


async def forgive(store: SqlStore, paths: Sequence[Path]) -> Gap:
    """Begin a new epoch of anchors that were not at hand at the restore; end nothing.

    Raises Unexplained when no restore in the record is later than what they lost.
    """
    now = store.clock.now()
    async with store.database.transaction() as connection:
        unit = Unit(connection, store.keys)
        gap = await _look(connection, store, paths)
        latest = max((restore.at for restore in gap.restores), default=-1)
        if gap.lost and gap.until_at > latest:
            raise Unexplained
        await _forgive(unit, gap, now)
        await unit.finish()
    return gap


async def _forgive(unit: Unit, gap: Gap, now: int) -> None:
    for held in gap.lost.values():
        ending = anchors.ending_of(held.lost)
        details: dict[str, str | int] = {
            "first": ending.first, "last": ending.last, "lines": ending.lines, "last_hash": ending.last_hash,
            "digest": ending.digest,
        }  # fmt: skip
        await unit.audit.record(Event(chain=ALARM_CHAIN, kind="anchor-ended", actor=ACTOR, details=details), now)
