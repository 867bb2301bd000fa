"""The record, read back: one chain, the newest event first or from the beginning, a page at a time."""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import bindparam, select

from foregate.ports.counter import TrailEntry
from foregate.rules import limits
from foregate.store.statements import Connection, Row, Statement, number, text_of, time_of
from foregate.store.tables import audit_event

_e = audit_event.c
# No chain is longer; a page that begins at the end begins here.
_END: Final = 2**62
KINDS_MAX: Final = 48

_page = (
    select(audit_event)
    .where(_e.chain == text_of("of_chain"), _e.seq < time_of("before"))
    .order_by(_e.seq.desc())
    .limit(number(limits.TRAIL_LISTED))
)
_OF: Final = Statement(_page)
_ONWARDS: Final = Statement(
    select(audit_event)
    .where(_e.chain == text_of("of_chain"), _e.seq > time_of("after"))
    .order_by(_e.seq)
    .limit(number(limits.TRAIL_LISTED))
)
_names: Final = tuple(f"kind_{place}" for place in range(KINDS_MAX))
_OF_KINDS: Final = Statement(_page.where(_e.kind.in_([bindparam(name, type_=_e.kind.type) for name in _names])))


class TrailIn:
    """`ports.counter.Trail` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, chain: str, *, kinds: tuple[str, ...] = (), before: int | None = None) -> tuple[TrailEntry, ...]:
        """At most TRAIL_LISTED events of one chain, the newest first; `before` is a sequence number."""
        first = _END if before is None else before
        if not kinds:
            rows = await self._connection.all(_OF, of_chain=chain, before=first)
        else:
            # A statement has one text: a list that is shorter is filled up with its last entry.
            asked = {name: kinds[min(place, len(kinds) - 1)] for place, name in enumerate(_names)}
            rows = await self._connection.all(_OF_KINDS, of_chain=chain, before=first, **asked)
        return tuple(_entry(row) for row in rows)

    async def onwards(self, chain: str, *, after: int) -> tuple[TrailEntry, ...]:
        """At most TRAIL_LISTED events of one chain behind the sequence number `after`, the oldest first."""
        return tuple(_entry(row) for row in await self._connection.all(_ONWARDS, of_chain=chain, after=after))


def _entry(row: Row) -> TrailEntry:
    return TrailEntry(
        chain=row["chain"],
        seq=row["seq"],
        at=row["at"],
        kind=row["kind"],
        journey_id=row["journey_id"],
        actor=row["actor"],
        source=row["source"],
        details=json.loads(row["details"]),
    )
