"""Seals over the chains of the audit record, and their lines in the anchor. Why they are made: `audit.py`.

Rules
  1. A seal is committed before its line is appended: a healthy database is never behind its anchor.
  2. An anchor whose newest line the database has lost is left as it is, until `foregate restored` was run: no line of
     the time after covers up that something is missing (`anchors.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import select, update

from foregate.rules import limits
from foregate.store import anchor_file
from foregate.store.anchor_file import Line
from foregate.store.anchors import is_lost
from foregate.store.audit import GENESIS, Record, seal_hash, seal_root
from foregate.store.loops import Loop
from foregate.store.statements import Connection, Row, Statement, Value, insert_into, number, text_of, time_of
from foregate.store.tables import audit_head, audit_seal, audit_sealed_head

# Heads in one seal: few enough to hold their rows for a moment only; more changed heads make more seals.
SEAL_HEADS: Final = 500

_log: Final = logging.getLogger("foregate.store")

_heads = audit_head.c
_of_chain: Final = _heads.chain == text_of("of_chain")
_UNSEALED: Final = Statement(
    select(_heads.chain, _heads.seq, _heads.hash)
    .where(_heads.is_sealed == number(0))
    .order_by(_heads.chain)
    .limit(number(SEAL_HEADS))
)
_LAST_SEAL: Final = Statement(select(audit_seal).order_by(audit_seal.c.seal.desc()).limit(number(1)))
_SEAL: Final = Statement(select(audit_seal).where(audit_seal.c.seal == time_of("of_seal")))
_SEALS_AFTER: Final = Statement(
    select(audit_seal).where(audit_seal.c.seal > time_of("after")).order_by(audit_seal.c.seal).limit(number(SEAL_HEADS))
)
_ADD_SEAL: Final = Statement(insert_into(audit_seal).on_conflict_do_nothing().returning(audit_seal.c.seal))
_ADD_SEALED_HEAD: Final = Statement(insert_into(audit_sealed_head))
# Guarded: a chain that grew meanwhile is left for the next seal.
_MARK_SEALED: Final = Statement(
    update(audit_head).where(_of_chain, _heads.seq == time_of("of_seq")).values(is_sealed=number(1))
)


class Sealer(Loop):
    """Seals the chains at least every SEAL_SECONDS, and appends each seal to the anchor when there is one."""

    def __init__(self, record: Record, anchor: Path | None = None, pause_seconds: float = limits.SEAL_SECONDS) -> None:
        super().__init__(pause_seconds)
        self._record, self._anchor = record, anchor
        self._found: int | None = None  # the newest seal that was there when we first looked

    async def once(self) -> None:
        """Seal until every chain is sealed, and catch up with what other nodes sealed."""
        while await self.seal() == SEAL_HEADS:
            pass

    async def seal(self) -> int:
        """Make one seal over at most SEAL_HEADS chains that grew. Returns how many; 0: none, or another node did."""
        if self._anchor is not None and self._found is None:
            last = await self._record.database.read_one(_LAST_SEAL)
            self._found = last["seal"] if last else 0
        async with self._record.database.transaction() as connection:
            heads = await connection.all(_UNSEALED)
            seal = await self._write(connection, heads) if heads else None
        if self._anchor is not None:
            await self._tell(self._anchor, seal)
        return len(heads) if seal else 0

    async def _tell(self, anchor: Path, own: Row | None) -> None:
        """Append to the anchor what it does not know yet: what other nodes sealed, and what we did.

        Several processes may share a file: then a line may stand in it twice.
        """
        known = await self._known(anchor)
        if known is None:
            _log.error("the database lies behind its audit anchor, which is left alone: see `foregate restored`")
            return
        is_told = own is None
        while True:
            async with self._record.database.snapshot() as connection:
                seals = await connection.all(_SEALS_AFTER, after=known)
            if seals:
                await asyncio.to_thread(anchor_file.append, anchor, [line_of(seal) for seal in seals])
                known = seals[-1]["seal"]
                is_told = is_told or any(own is not None and seal["seal"] == own["seal"] for seal in seals)
            if len(seals) < SEAL_HEADS:
                break
        if own is not None and not is_told:  # another process was quicker with a later one
            await asyncio.to_thread(anchor_file.append, anchor, [line_of(own)])

    async def _known(self, anchor: Path) -> int | None:
        """Return the seal after which the anchor goes on; None: the database has lost what it knows."""
        newest = await asyncio.to_thread(anchor_file.newest, anchor)
        if newest is None:
            return self._found or 0
        stored = await self._record.database.read_one(_SEAL, of_seal=newest.seal)
        if stored is not None and stored["hash"].hex() == newest.hash:
            return newest.seal
        async with self._record.database.snapshot() as connection:
            return None if await is_lost(connection, self._record.keys, newest) else self._found or 0

    async def _write(self, connection: Connection, heads: Sequence[Row]) -> dict[str, Value] | None:
        last = await connection.one(_LAST_SEAL)
        seal: dict[str, Value] = {
            "seal": last["seal"] + 1 if last else 1,
            "at": self._record.clock.now(),
            "heads": len(heads),
            "root": seal_root(heads),
            "prev": last["hash"] if last else GENESIS,
        }
        seal["hash"] = seal_hash(self._record.keys, seal)
        if await connection.one(_ADD_SEAL, **seal) is None:
            return None
        in_order = sorted(heads, key=lambda head: str(head["chain"]))
        await connection.run_many(
            _ADD_SEALED_HEAD, [{"seal": seal["seal"], "chain": h["chain"], "seq": h["seq"]} for h in in_order]
        )
        await connection.run_many(_MARK_SEALED, [{"of_chain": h["chain"], "of_seq": h["seq"]} for h in in_order])
        return seal


def line_of(seal: Row) -> Line:
    """Return what the anchor keeps of a seal."""
    return Line(seal=seal["seal"], at=seal["at"], hash=seal["hash"].hex())
