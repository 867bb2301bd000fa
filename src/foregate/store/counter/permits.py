"""Permits and stop links. What is kept of them is a digest; one guarded statement says whether they are good."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, case, func, or_, select, update

from foregate.ports import PermitRow, StopLinkRow
from foregate.rules import limits
from foregate.store.counter.permit_tables import permit, stop_link
from foregate.store.statements import Connection, Statement, insert_into, number, text_of, time_of

_p, _now = permit.c, time_of("now")
_of_customer: Final = _p.customer_id == text_of("of_customer")
_this: Final = and_(_of_customer, _p.digest == bindparam("of_digest"))

_INSERT: Final = Statement(insert_into(permit))
_FIND: Final = Statement(select(permit).where(_this))
_LATEST: Final = Statement(select(func.max(_p.created_at).label("at")).where(_of_customer))
_LEND: Final = Statement(
    update(permit).where(_this, _p.expires_at > _now, _p.lent_until <= _now).values(lent_until=time_of("until"))
)
# Kept for a while, so that its holder hears that it is over, and not that it never was.
_END_ALL: Final = Statement(update(permit).where(_of_customer).values(expires_at=number(0)))

_s = stop_link.c
_INSERT_LINK: Final = Statement(insert_into(stop_link))
_FIND_LINK: Final = Statement(select(_s.customer_id).where(_s.digest == bindparam("of_digest")))
_USE_LINK: Final = Statement(
    update(stop_link)
    .where(
        _s.digest == bindparam("of_digest"),
        _s.expires_at > _now,
        or_(_s.used_at == number(0), _s.used_at > _now - number(limits.REPLAY_SECONDS)),
    )
    .values(used_at=case((_s.used_at == number(0), _now), else_=_s.used_at))
)


class PermitsIn:
    """`ports.Permits` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, row: PermitRow) -> None:
        """Write it; older ones of the customer are no good any more. The caller holds the customer."""
        await self.end_all(row.customer_id)
        await self._connection.run(
            _INSERT,
            customer_id=row.customer_id,
            digest=row.digest,
            created_at=row.created_at,
            expires_at=row.expires_at,
            lent_until=row.lent_until,
        )

    async def find(self, customer_id: str, digest: bytes) -> PermitRow | None:
        """Return the customer's permit, whatever became of it."""
        row = await self._connection.one(_FIND, of_customer=customer_id, of_digest=digest)
        if row is None:
            return None
        return PermitRow(
            customer_id=row["customer_id"],
            digest=row["digest"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            lent_until=row["lent_until"],
        )

    async def lend(self, customer_id: str, digest: bytes, now: int, until: int) -> bool:
        """Give it to one journey. False: expired, gone, or lent already."""
        lent = await self._connection.run(_LEND, of_customer=customer_id, of_digest=digest, now=now, until=until)
        return lent == 1

    async def latest(self, customer_id: str) -> int:
        """Return when the newest that is kept was given; 0: none is."""
        row = await self._connection.one(_LATEST, of_customer=customer_id)
        return (row["at"] if row is not None else None) or 0

    async def end_all(self, customer_id: str) -> None:
        """End every permit of the customer."""
        await self._connection.run(_END_ALL, of_customer=customer_id)


class StopLinksIn:
    """`ports.StopLinks` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, row: StopLinkRow) -> None:
        """Write it."""
        await self._connection.run(
            _INSERT_LINK,
            digest=row.digest,
            customer_id=row.customer_id,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )

    async def find(self, digest: bytes) -> str | None:
        """Return whose login it freezes, whether or not it still does."""
        row = await self._connection.one(_FIND_LINK, of_digest=digest)
        return row["customer_id"] if row else None

    async def use(self, digest: bytes, now: int) -> bool:
        """Use it. False: unknown, expired, used; within REPLAY_SECONDS it is the same tap."""
        return await self._connection.run(_USE_LINK, of_digest=digest, now=now) == 1
