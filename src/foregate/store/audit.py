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

import hashlib
import json
from collections.abc import Sequence
from typing import Final, Protocol

from sqlalchemy import bindparam, update

from foregate.ports import Clock, Event
from foregate.rules import limits
from foregate.store.keyring import Keys
from foregate.store.last import Last
from foregate.store.statements import Connection, Database, Row, Statement, Value, insert_into, number, text_of
from foregate.store.tables import audit_event, audit_head

GENESIS: Final = b""
LABEL_CHARS: Final = 200

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
