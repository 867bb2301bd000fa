"""Journeys under way. What the desk keeps in them comes sealed and leaves sealed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, update

from foregate.ports import JourneyRow, Taken
from foregate.store.last import Last
from foregate.store.statements import Connection, Row, Statement, Value, insert_into, number, text_of, time_of, word
from foregate.store.tables import code, journey

_NEVER_CHANGED: Final = ("journey_id", "created_at")
_VERSION: Final = bindparam("version", type_=journey.c.version.type)

_INSERT: Final = Statement(insert_into(journey).on_conflict_do_nothing().returning(journey.c.journey_id))
_LOCK: Final = Statement(select(journey).where(journey.c.journey_id == text_of("journey_id")).with_for_update())
# What was ended from elsewhere stays ended, whatever an answer under way would still like to write.
_SAVE: Final = Statement(
    update(journey)
    .where(
        journey.c.journey_id == text_of("journey_id"),
        journey.c.version.in_((_VERSION, _VERSION - number(1))),
        journey.c.status != word("void"),
    )
    .values({c.name: bindparam(c.name) for c in journey.columns if c.name not in _NEVER_CHANGED})
)
_FIND_RECENT: Final = Statement(
    select(journey)
    .where(
        journey.c.visitor_digest == bindparam("visitor_digest"),
        journey.c.name == bindparam("name"),
        journey.c.claim_digest == bindparam("claim_digest"),
        journey.c.created_at >= bindparam("since"),
        journey.c.status == text_of("is"),
    )
    .order_by(journey.c.created_at.desc(), journey.c.journey_id.desc())
    .limit(number(1))
)
_OPEN_OF: Final = Statement(
    select(journey)
    .where(
        journey.c.visitor_digest == bindparam("visitor_digest"),
        journey.c.status == word("open"),
        journey.c.claim_digest.is_not(None),
        journey.c.expires_at > time_of("now"),
    )
    .order_by(journey.c.created_at.desc(), journey.c.journey_id.desc())
    .limit(number(3))
)
_OTHERS: Final = (
    journey.c.customer_id == text_of("customer_id"),
    journey.c.journey_id != text_of("but"),
    journey.c.status == word("open"),
)
# Held rows are passed over: whoever holds one may be waiting for the customer that we hold.
_FREE_OTHERS: Final = select(journey.c.journey_id).where(*_OTHERS).with_for_update(skip_locked=True)
_VOID_CODES: Final = Statement(update(code).where(code.c.journey_id.in_(_FREE_OTHERS)).values(is_used=number(1)))
_VOID: Final = Statement(update(journey).where(journey.c.journey_id.in_(_FREE_OTHERS)).values(status=word("void")))


class JourneysIn:
    """`ports.Journeys` in one transaction."""

    __slots__ = ("_connection", "_last", "_versions")

    def __init__(self, connection: Connection, last: Last) -> None:
        self._connection, self._last = connection, last
        self._versions: dict[str, int] = {}  # that are kept back

    async def insert(self, row: JourneyRow) -> None:
        """Raises Taken when the id exists: who begins twice at once meets here, before anything else is decided."""
        if await self._connection.one(_INSERT, **_values(row)) is None:
            raise Taken("journey_id")

    async def lock(self, journey_id: str) -> JourneyRow | None:
        """Read a journey and hold it until the transaction ends."""
        await self._last.write()
        row = await self._connection.one(_LOCK, journey_id=journey_id)
        return _journey(row) if row else None

    async def save(self, row: JourneyRow) -> None:
        """Have everything but id and creation written at the end. The caller holds the journey.

        Raises LookupError, here or at the end, when it is void or stands elsewhere than one version before.
        """
        if self._versions.get(row.journey_id, row.version) != row.version:
            await self._last.write()  # each version is written from the one before it
        self._versions[row.journey_id] = row.version
        self._last.keep("journey", row.journey_id, _SAVE, _values(row), must="a journey moved while it was held")

    async def find_recent(
        self, visitor_digest: bytes, name: str, claim_digest: bytes, since: int, status: str = "open"
    ) -> JourneyRow | None:
        """The newest journey of this browser with the same name, claim and status, made at or after `since`."""
        await self._last.write()
        said: dict[str, Value] = {"name": name, "claim_digest": claim_digest, "since": since, "is": status}
        row = await self._connection.one(_FIND_RECENT, visitor_digest=visitor_digest, **said)
        return _journey(row) if row else None

    async def open_of(self, visitor_digest: bytes, now: int) -> tuple[JourneyRow, ...]:
        """What this browser began and has not ended, the newest first."""
        await self._last.write()
        rows = await self._connection.all(_OPEN_OF, visitor_digest=visitor_digest, now=now)
        return tuple(_journey(row) for row in rows)

    async def void_others(self, customer_id: str, but: str) -> int:
        """End every other open journey of the customer, and their codes."""
        await self._last.write()
        await self._connection.run(_VOID_CODES, customer_id=customer_id, but=but)
        return await self._connection.run(_VOID, customer_id=customer_id, but=but)


def _values(row: JourneyRow) -> dict[str, Value]:
    return {
        "journey_id": row.journey_id,
        "name": row.name,
        "version": row.version,
        "status": row.status,
        "visitor_digest": row.visitor_digest,
        "customer_id": row.customer_id,
        "claim_digest": row.claim_digest,
        "state_sealed": row.state,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_key": row.last_key,
        "last_request": row.last_request,
        "last_reply_sealed": row.last_reply,
    }


def _journey(row: Row) -> JourneyRow:
    return JourneyRow(
        journey_id=row["journey_id"],
        name=row["name"],
        version=row["version"],
        status=row["status"],
        visitor_digest=row["visitor_digest"],
        customer_id=row["customer_id"],
        claim_digest=row["claim_digest"],
        state=row["state_sealed"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_key=row["last_key"],
        last_request=row["last_request"],
        last_reply=row["last_reply_sealed"],
    )
