"""Sessions of staff: a table of their own, so that no cookie of a customer ever finds one."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select, update

from foregate.ports.counter import StaffSessionRow
from foregate.rules import limits
from foregate.store.counter.credential_tables import staff_session
from foregate.store.statements import Connection, Row, Statement, insert_into, number, text_of, time_of

_s = staff_session.c
_of_staff: Final = _s.staff_id == text_of("of_staff")
_this: Final = (_of_staff, _s.session_id == text_of("of_session"))

_INSERT: Final = Statement(insert_into(staff_session))
_TRIM: Final = Statement(
    delete(staff_session).where(
        _of_staff,
        _s.session_id.in_(
            select(_s.session_id)
            .where(_of_staff)
            .order_by((_s.session_id == text_of("newest")).desc(), _s.seen_at.desc(), _s.session_id.desc())
            .limit(number(2**31 - 1))
            .offset(number(limits.SESSIONS_PER_STAFF))
        ),
    )
)
_FIND: Final = Statement(select(staff_session).where(*_this))
_TOUCH: Final = Statement(
    update(staff_session).where(*_this, _s.seen_at < time_of("now")).values(seen_at=time_of("now"))
)
_END: Final = Statement(delete(staff_session).where(*_this))
_END_ALL: Final = Statement(delete(staff_session).where(_of_staff))


class StaffSessionsIn:
    """`ports.StaffSessions` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, row: StaffSessionRow) -> None:
        """At most SESSIONS_PER_STAFF stay; the one unused longest ends."""
        await self._connection.run(
            _INSERT,
            staff_id=row.staff_id,
            session_id=row.session_id,
            secret_digest=row.secret_digest,
            method=row.method,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
        )
        await self._connection.run(_TRIM, of_staff=row.staff_id, newest=row.session_id)

    async def find(self, staff_id: str, session_id: str) -> StaffSessionRow | None:
        """Return the session unless it ended; whether it expired is the caller's to see."""
        row = await self._connection.one(_FIND, of_staff=staff_id, of_session=session_id)
        return _session(row) if row else None

    async def touch(self, staff_id: str, session_id: str, now: int) -> None:
        """It was used now."""
        await self._connection.run(_TOUCH, of_staff=staff_id, of_session=session_id, now=now)

    async def end(self, staff_id: str, session_id: str) -> bool:
        """End one. False: it was not there."""
        return await self._connection.run(_END, of_staff=staff_id, of_session=session_id) == 1

    async def end_all(self, staff_id: str) -> int:
        """End every session of a member."""
        return await self._connection.run(_END_ALL, of_staff=staff_id)


def _session(row: Row) -> StaffSessionRow:
    return StaffSessionRow(
        staff_id=row["staff_id"],
        session_id=row["session_id"],
        secret_digest=row["secret_digest"],
        method=row["method"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
    )
