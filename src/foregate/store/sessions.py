"""Sessions and remembered devices. Only digests of their secrets are kept."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import delete, select, update

from foregate.ports import DeviceRow, SessionRow
from foregate.rules import limits
from foregate.rules.words import Level
from foregate.store.last import Last
from foregate.store.statements import Connection, Row, Statement, Value, insert_into, number, text_of, time_of
from foregate.store.tables import device, session

_Evidence = tuple[tuple[str, int], ...]
_EVIDENCE: Final = msgspec.json.Decoder(_Evidence)

_s, _d = session.c, device.c
_of_customer: Final = _s.customer_id == text_of("of_customer")
_this: Final = (_of_customer, _s.session_id == text_of("of_session"))

FIND_SESSION: Final = Statement(select(session).where(*_this))
_INSERT: Final = Statement(insert_into(session))
# Makes room for one.
_TRIM: Final = Statement(
    delete(session).where(
        _of_customer,
        _s.session_id.in_(
            select(_s.session_id)
            .where(_of_customer)
            .order_by(_s.seen_at.desc(), _s.session_id.desc())
            .limit(number(2**31 - 1))
            .offset(number(limits.SESSIONS_PER_CUSTOMER - 1))
        ),
    )
)
# A clock that jumps back must not make a session look unused.
TOUCH_SESSION: Final = Statement(
    update(session).where(*_this, _s.seen_at < time_of("now")).values(seen_at=time_of("now"))
)
_END: Final = Statement(delete(session).where(*_this))
_END_ALL: Final = Statement(delete(session).where(_of_customer, _s.session_id != text_of("but")))
_END_ON_DEVICE: Final = Statement(delete(session).where(_of_customer, _s.device_id == text_of("of_device")))
_OF: Final = Statement(select(session).where(_of_customer).order_by(_s.seen_at.desc(), _s.session_id.desc()))


class SessionsIn:
    """`ports.Sessions` in one transaction."""

    __slots__ = ("_connection", "_last", "ended_of")

    def __init__(self, connection: Connection, last: Last) -> None:
        self._connection, self._last = connection, last
        self.ended_of: set[str] = set()  # whose sessions may have ended, once this is committed

    async def insert(self, row: SessionRow) -> None:
        """At most SESSIONS_PER_CUSTOMER stay; the one unused longest ends. The caller holds the customer.

        Written at the end: first room is made, then the session takes it.
        """
        if row.customer_id in self.ended_of:
            await self._last.write()  # a second one finds the first
        self.ended_of.add(row.customer_id)
        self._last.keep("room", row.customer_id, _TRIM, {"of_customer": row.customer_id})
        values: dict[str, Value] = {
            "customer_id": row.customer_id,
            "session_id": row.session_id,
            "secret_digest": row.secret_digest,
            "level": row.level.value,
            "evidence": msgspec.json.encode(row.evidence).decode(),
            "device_id": row.device_id,
            "agent": row.agent,
            "created_at": row.created_at,
            "seen_at": row.seen_at,
            "expires_at": row.expires_at,
        }
        self._last.keep("session", row.session_id, _INSERT, values)

    async def find(self, customer_id: str, session_id: str) -> SessionRow | None:
        """Return the session unless it ended; whether it expired is the caller's to see."""
        await self._last.write()
        row = await self._connection.one(FIND_SESSION, of_customer=customer_id, of_session=session_id)
        return session_of(row) if row else None

    async def end(self, customer_id: str, session_id: str) -> bool:
        """End one. False: it was not there."""
        await self._last.write()
        self.ended_of.add(customer_id)
        return await self._connection.run(_END, of_customer=customer_id, of_session=session_id) == 1

    async def end_all(self, customer_id: str, but: str | None = None) -> int:
        """End every session of the customer, or every other."""
        await self._last.write()
        self.ended_of.add(customer_id)
        return await self._connection.run(_END_ALL, of_customer=customer_id, but=but or "")

    async def end_on_device(self, customer_id: str, device_id: str) -> int:
        """End the sessions that this remembered device opened."""
        await self._last.write()
        self.ended_of.add(customer_id)
        return await self._connection.run(_END_ON_DEVICE, of_customer=customer_id, of_device=device_id)

    async def of(self, customer_id: str) -> tuple[SessionRow, ...]:
        """Return the customer's sessions, the last used first."""
        await self._last.write()
        return tuple(session_of(row) for row in await self._connection.all(_OF, of_customer=customer_id))


def session_of(row: Row) -> SessionRow:
    """Return a stored session."""
    return SessionRow(
        customer_id=row["customer_id"],
        session_id=row["session_id"],
        secret_digest=row["secret_digest"],
        level=Level(row["level"]),
        evidence=_EVIDENCE.decode(row["evidence"]),
        device_id=row["device_id"],
        agent=row["agent"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
    )


# ---------------------------------------------------------------- devices

_of_owner: Final = _d.customer_id == text_of("of_customer")
_this_device: Final = (_of_owner, _d.device_id == text_of("of_device"))

_INSERT_DEVICE: Final = Statement(insert_into(device))
_TRIM_DEVICES: Final = Statement(
    delete(device).where(
        _of_owner,
        _d.device_id.in_(
            select(_d.device_id)
            .where(_of_owner)
            .order_by((_d.device_id == text_of("newest")).desc(), _d.seen_at.desc(), _d.device_id.desc())
            .limit(number(2**31 - 1))
            .offset(number(limits.DEVICES_PER_CUSTOMER))
        ),
    )
)
_FIND_DEVICE: Final = Statement(select(device).where(*_this_device))
_TOUCH_DEVICE: Final = Statement(
    update(device).where(*_this_device, _d.seen_at < time_of("now")).values(seen_at=time_of("now"))
)
_FORGET: Final = Statement(delete(device).where(*_this_device))
_DEVICES_OF: Final = Statement(select(device).where(_of_owner).order_by(_d.seen_at.desc(), _d.device_id.desc()))


class DevicesIn:
    """`ports.Devices` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, row: DeviceRow) -> None:
        """At most DEVICES_PER_CUSTOMER stay; the one unused longest is forgotten. The caller holds the customer."""
        await self._connection.run(
            _INSERT_DEVICE,
            customer_id=row.customer_id,
            device_id=row.device_id,
            secret_digest=row.secret_digest,
            agent=row.agent,
            created_at=row.created_at,
            seen_at=row.seen_at,
        )
        await self._connection.run(_TRIM_DEVICES, of_customer=row.customer_id, newest=row.device_id)

    async def find(self, customer_id: str, device_id: str) -> DeviceRow | None:
        """Return the device unless it was forgotten."""
        row = await self._connection.one(_FIND_DEVICE, of_customer=customer_id, of_device=device_id)
        return _device(row) if row else None

    async def touch(self, customer_id: str, device_id: str, now: int) -> None:
        """It was used now."""
        await self._connection.run(_TOUCH_DEVICE, of_customer=customer_id, of_device=device_id, now=now)

    async def forget(self, customer_id: str, device_id: str) -> bool:
        """Forget one. False: it was not there."""
        return await self._connection.run(_FORGET, of_customer=customer_id, of_device=device_id) == 1

    async def of(self, customer_id: str) -> tuple[DeviceRow, ...]:
        """Return the customer's devices, the last used first."""
        return tuple(_device(row) for row in await self._connection.all(_DEVICES_OF, of_customer=customer_id))


def _device(row: Row) -> DeviceRow:
    return DeviceRow(
        customer_id=row["customer_id"],
        device_id=row["device_id"],
        secret_digest=row["secret_digest"],
        agent=row["agent"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
    )
