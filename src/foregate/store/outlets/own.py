"""What the bank says of its outlets at the console: beside the file's own words, and above them.

Theory of operation
  `outlet` is what everybody sees, so that a search needs one table. `outlet_own` has what the console said, column by
  column, and with it the whole outlet as the file has it. Whatever changes, the file or the console's word, what is
  seen is made anew of the two. The digest in `outlet` is of the file alone: it tells an import what is new to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, select, update

from foregate.ports.outlets import Managed, Outlet, Own
from foregate.rules import limits
from foregate.store.outlets import tables
from foregate.store.outlets.outlet_rows import (
    CLOSED,
    GONE,
    LISTED,
    PUT,
    PUT_WORDS,
    digest_of,
    listed,
    opened,
    put_into,
    row_of,
    unlisted,
    words_row,
)  # fmt: skip
from foregate.store.statements import Connection, Row, Statement, number, text_of, time_of

_o, _n, _w = tables.outlet.c, tables.outlet_own.c, tables.outlet_words.c
_FILED: Final = msgspec.json.Decoder(Outlet)
_HOLD: Final = Statement(select(tables.outlet).where(_o.outlet_id == text_of("of_outlet")).with_for_update())
_OWN: Final = Statement(select(tables.outlet_own).where(_n.outlet_id == text_of("of_outlet")))
_OWN_OF_MANY: Final = Statement(
    select(tables.outlet_own).where(_n.outlet_id.in_([text_of(f"own_{place}") for place in range(limits.OUTLET_BATCH)]))
)
_PUT_OWN: Final = put_into(tables.outlet_own, "outlet_id")
_FILE_ANEW: Final = Statement(
    update(tables.outlet_own).where(_n.outlet_id == text_of("of_outlet")).values(filed=text_of("now_filed"))
)
_FORGET_OWN: Final = Statement(delete(tables.outlet_own).where(_n.outlet_id == text_of("of_outlet")))
_FORGET_WORDS: Final = Statement(delete(tables.outlet_words).where(_w.outlet_id == text_of("of_outlet")))
_STAND: Final = Statement(
    update(tables.outlet)
    .where(_o.outlet_id == text_of("of_outlet"), _o.is_retired == time_of("before"))
    .values(is_retired=time_of("after"), changed_at=time_of("now"))
)
_CLOSED: Final = Statement(
    select(tables.outlet).where(_o.is_retired == number(CLOSED)).order_by(_o.outlet_id).limit(bindparam("how_many"))
)
_COUNTRIES: Final = Statement(select(_o.country).distinct().where(_o.is_retired == number(LISTED)).order_by(_o.country))


class OwnOutletsIn:
    """`ports.outlets.OwnOutlets` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, outlet_id: str) -> Managed | None:
        """Read one and hold it until the transaction ends, whether or not it is open to the public."""
        row = await self._connection.one(_HOLD, of_outlet=outlet_id)
        if row is None:
            return None
        said = await self._connection.one(_OWN, of_outlet=outlet_id)
        outlet = opened(row)
        return Managed(
            outlet=outlet,
            filed=_FILED.decode(said["filed"]) if said else outlet,
            own=_own(said) if said else Own(),
            is_closed=row["is_retired"] == CLOSED,
            is_gone=row["is_retired"] == GONE,
        )

    async def say(self, managed: Managed, own: Own, now: int) -> Outlet:
        """Put `own` above the file from now on. Returns the outlet as everybody sees it."""
        outlet, filed = own.above(managed.filed), managed.filed
        if own == Own():
            await self._connection.run(_FORGET_OWN, of_outlet=filed.outlet_id)
        else:
            services = None if own.services is None else listed(own.services)
            said = msgspec.structs.asdict(own) | {"services": services}
            file = msgspec.json.encode(filed).decode()
            await self._connection.run(_PUT_OWN, outlet_id=filed.outlet_id, **said, filed=file, changed_at=now)
        standing = CLOSED if managed.is_closed else GONE if managed.is_gone else LISTED
        await self._connection.run(PUT, **row_of(outlet, digest_of(filed), now, standing))
        if standing == LISTED:
            await self._connection.run(PUT_WORDS, **words_row(outlet))
        return outlet

    async def close(self, outlet_id: str, now: int) -> bool:
        """Take an outlet out of every list, whatever a file says later. False: it was in none."""
        await self._connection.run(_FORGET_WORDS, of_outlet=outlet_id)
        return bool(await self._connection.run(_STAND, of_outlet=outlet_id, before=LISTED, after=CLOSED, now=now))

    async def reopen(self, managed: Managed, now: int) -> bool:
        """Bring back what was closed here. False: it was not."""
        outlet_id = managed.outlet.outlet_id
        if not await self._connection.run(_STAND, of_outlet=outlet_id, before=CLOSED, after=LISTED, now=now):
            return False
        await self._connection.run(PUT_WORDS, **words_row(managed.outlet))
        return True

    async def closed(self, limit: int) -> tuple[Outlet, ...]:
        """Return what was closed here, by number."""
        return tuple(opened(row) for row in await self._connection.all(_CLOSED, how_many=limit))

    async def countries(self) -> tuple[str, ...]:
        """Return the countries that outlets are in."""
        return tuple(row["country"] for row in await self._connection.all(_COUNTRIES))

    async def above(self, filed: Sequence[Outlet]) -> list[Outlet]:
        """For an import: note what the file says now of these, and return them as everybody sees them."""
        ids = [outlet.outlet_id for outlet in filed]
        padded = {f"own_{place}": ids[place] if place < len(ids) else "" for place in range(limits.OUTLET_BATCH)}
        said = {row["outlet_id"]: _own(row) for row in await self._connection.all(_OWN_OF_MANY, **padded)}
        for outlet in filed:
            if outlet.outlet_id in said:
                file = msgspec.json.encode(outlet).decode()
                await self._connection.run(_FILE_ANEW, of_outlet=outlet.outlet_id, now_filed=file)
        return [said.get(outlet.outlet_id, Own()).above(outlet) for outlet in filed]


def _own(row: Row) -> Own:
    return Own(
        name=row["name"],
        address=row["address"],
        phone=row["phone"],
        services=None if row["services"] is None else unlisted(row["services"]),
        wheelchair=row["wheelchair"],
        hours=row["hours"],
    )
