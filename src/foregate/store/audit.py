"""The audit record: one hash chain for each customer, seals over all chains, and an anchor outside.

Rules
  1. An event is written in the transaction of what it tells about. If it cannot be written, that did not happen.
  2. Each event carries the hash of the one before it in its chain, and a hash (HMAC under the audit key) of itself.
  3. Every minute a seal covers the newest event of each chain that grew; seals form a chain of their own.
  4. Each seal's hash is appended to the anchor, a file that the bank ships to another machine. Of several nodes each
     has an anchor, and writes into it what the others sealed as well: so each knows how far the record goes.

Theory of operation
  Whoever can write to the database but has no audit key cannot make an event that verifies; they can only take
  events away. In the middle that breaks the chain. At its end the seal tells, for it names how long the chain was.
  Who takes the newest seals away as well is told by the anchor; and so is who has even the key and rewrites it all.

  `audit_head` holds the last hash of each chain. The first statement of an append moves it on and thereby holds
  the chain until commit: parallel transactions on one chain queue up, none fails. So events are kept back until
  the transaction is about to commit, and chains are taken in alphabetical order, that nobody waits in a circle.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import bindparam, select, update

from foregate.ports import Clock, Event
from foregate.rules import limits
from foregate.store import anchor_file
from foregate.store.anchor_file import Line
from foregate.store.keyring import Keys
from foregate.store.last import Last
from foregate.store.loops import Loop
from foregate.store.statements import Connection, Database, Row, Statement, Value, insert_into, number, text_of, time_of
from foregate.store.tables import audit_event, audit_head, audit_seal, audit_sealed_head

GENESIS: Final = b""
LABEL_CHARS: Final = 200
# Heads in one seal: few enough to hold their rows for a moment only; more changed heads make more seals.
SEAL_HEADS: Final = 500

_heads = audit_head.c
_of_chain: Final = _heads.chain == text_of("of_chain")
_inserting_head = insert_into(audit_head)
# `hash` stays what it was: RETURNING gives the new number and, still, the hash of the event before.
_ADVANCE: Final = Statement(
    _inserting_head.on_conflict_do_update(
        index_elements=[_heads.chain],
        set_={"seq": _heads.seq + _inserting_head.excluded.seq, "is_sealed": number(0)},
    ).returning(_heads.seq, _heads.hash)
)
_APPEND: Final = Statement(insert_into(audit_event))
_SET_HASH: Final = Statement(update(audit_head).where(_of_chain).values(hash=bindparam("hash")))

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


def canonical(value: Sequence[object] | dict[str, str | int]) -> bytes:
    """Return the one JSON text of `value`: sorted keys, no blanks, ASCII alone, so line breaks stay escaped."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()


def event_hash(keys: Keys, event: Row) -> bytes:
    """Return the hash that an event with these columns has to carry."""
    columns = ("chain", "seq", "at", "kind", "journey_id", "actor", "source", "details")
    return keys.audit_mac("event", canonical([*(event[name] for name in columns), event["prev"].hex()]))


def seal_root(heads: Sequence[Row]) -> bytes:
    """Return the digest over the newest events of the sealed chains."""
    lines = sorted(canonical([head["chain"], head["seq"], head["hash"].hex()]) for head in heads)
    return hashlib.sha256(b"\n".join(lines)).digest()


def seal_hash(keys: Keys, seal: Row) -> bytes:
    """Return the hash that a seal with these columns has to carry."""
    content = [seal["seal"], seal["at"], seal["heads"], seal["root"].hex(), seal["prev"].hex()]
    return keys.audit_mac("seal", canonical(content))


class AuditIn:
    """`ports.Audit` in one transaction. Events are chained by `flush`, right before the commit."""

    __slots__ = ("_connection", "_events", "_keys", "_last")

    def __init__(self, connection: Connection, keys: Keys, last: Last) -> None:
        self._connection, self._keys, self._last = connection, keys, last
        self._events: list[dict[str, Value]] = []

    async def record(self, event: Event, now: int) -> None:
        """Append to the event's chain. Raises ValueError when its details are longer than an event may be."""
        details = canonical(event.details)
        if len(details) > limits.AUDIT_DETAILS_BYTES:
            raise ValueError(f"audit event {event.kind}: details of {len(details)} bytes")
        self._events.append(
            {
                "chain": event.chain,
                "at": now,
                "kind": event.kind,
                "journey_id": event.journey_id,
                "actor": _inert(event.actor),
                "source": _inert(event.source),
                "details": details.decode(),
            }
        )

    async def flush(self) -> None:
        """Chain what was recorded, and have it written last. From here on the chains are held."""
        events, self._events = self._events, []
        for chain in sorted({str(event["chain"]) for event in events}):
            await self._append(chain, [event for event in events if event["chain"] == chain])

    async def _append(self, chain: str, events: list[dict[str, Value]]) -> None:
        head = await self._connection.one(_ADVANCE, chain=chain, seq=len(events), hash=GENESIS, is_sealed=0)
        assert head is not None, "an upsert without a guard returns its row"  # noqa: S101 -- the engine's own claim
        seq, prev = head["seq"] - len(events), head["hash"]
        for event in events:
            seq += 1
            event["seq"], event["prev"] = seq, prev
            event["hash"] = prev = event_hash(self._keys, event)
            self._last.keep("event", f"{chain}/{seq}", _APPEND, event)
        self._last.keep("head", chain, _SET_HASH, {"of_chain": chain, "hash": prev})


def _inert(label: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in label[:LABEL_CHARS])


class Record(Protocol):
    """What sealing and checking need of the store."""

    @property
    def database(self) -> Database: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def clock(self) -> Clock: ...


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

    async def _known(self, anchor: Path) -> int:
        """Return the seal after which the anchor goes on: the newest that it has, or that was there when we came."""
        newest = await asyncio.to_thread(anchor_file.newest, anchor)
        stored = await self._record.database.read_one(_SEAL, of_seal=newest.seal) if newest else None
        fits = newest is not None and stored is not None and stored["hash"].hex() == newest.hash
        return newest.seal if newest is not None and fits else self._found or 0

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
