"""Faces, as they are kept: sealed, one for each customer, and every accepted picture's digest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, delete, or_, select

from foregate.ports.face_records import FaceChallengeRow, FaceTemplateRow
from foregate.store.face_tables import face_challenge, face_picture, face_template
from foregate.store.keyring import Keys
from foregate.store.statements import Connection, Statement, insert_into, text_of, time_of

_is_customer: Final = face_template.c.customer_id == text_of("of_customer")
_put: Final = insert_into(face_template)
_put_challenge: Final = insert_into(face_challenge)

_FIND: Final = Statement(select(face_template).where(_is_customer))
_PUT: Final = Statement(
    _put.on_conflict_do_update(
        index_elements=[face_template.c.customer_id],
        set_={name: _put.excluded[name] for name in face_template.columns.keys() if name != "customer_id"},  # noqa: SIM118 -- columns iterate as columns
    )
)
_REMOVE: Final = Statement(delete(face_template).where(_is_customer))
_ENDING: Final = Statement(
    select(face_template.c.expires_at, face_template.c.customer_id)
    .where(
        face_template.c.expires_at.between(time_of("first"), time_of("last")),
        or_(
            face_template.c.expires_at > time_of("after_at"),
            and_(face_template.c.expires_at == time_of("after_at"), face_template.c.customer_id > text_of("after_id")),
        ),
    )
    .order_by(face_template.c.expires_at, face_template.c.customer_id)
    .limit(time_of("most"))
)
_CHALLENGE: Final = Statement(select(face_challenge).where(face_challenge.c.journey_id == text_of("of_journey")))
_PUT_CHALLENGE: Final = Statement(
    _put_challenge.on_conflict_do_update(
        index_elements=[face_challenge.c.journey_id],
        set_={"state": _put_challenge.excluded.state, "expires_at": _put_challenge.excluded.expires_at},
    )
)
_NOTE: Final = Statement(insert_into(face_picture).on_conflict_do_nothing().returning(face_picture.c.expires_at))


class FacesIn:
    """`ports.face_records.Faces` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def find(self, customer_id: str) -> FaceTemplateRow | None:
        """Return the customer's template, opened."""
        row = await self._connection.one(_FIND, of_customer=customer_id)
        if row is None:
            return None
        return FaceTemplateRow(
            customer_id=customer_id,
            template=self._keys.decrypt(row["template_sealed"], _place(customer_id)),
            salt=row["salt"],
            engine_id=row["engine_id"],
            enrolled_at=row["enrolled_at"],
            expires_at=row["expires_at"],
        )

    async def put(self, row: FaceTemplateRow) -> None:
        """Write it in place of the one before."""
        await self._connection.run(
            _PUT,
            customer_id=row.customer_id,
            template_sealed=self._keys.encrypt(row.template, _place(row.customer_id)),
            salt=row.salt,
            engine_id=row.engine_id,
            enrolled_at=row.enrolled_at,
            expires_at=row.expires_at,
        )

    async def remove(self, customer_id: str) -> bool:
        """Destroy template and salt. False: there was none."""
        return await self._connection.run(_REMOVE, of_customer=customer_id) > 0

    async def ending(self, first: int, last: int, after: tuple[int, str], limit: int) -> tuple[tuple[int, str], ...]:
        """Return when whose face ends, of those that end from `first` to `last`, in that order, after the one given."""
        rows = await self._connection.all(
            _ENDING, first=first, last=last, after_at=after[0], after_id=after[1], most=limit
        )
        return tuple((row["expires_at"], row["customer_id"]) for row in rows)

    async def challenge(self, journey_id: str) -> FaceChallengeRow | None:
        """Return the challenge of a journey."""
        row = await self._connection.one(_CHALLENGE, of_journey=journey_id)
        if row is None:
            return None
        return FaceChallengeRow(journey_id=journey_id, state=row["state"], expires_at=row["expires_at"])

    async def put_challenge(self, row: FaceChallengeRow) -> None:
        """Write it in place of the one before."""
        await self._connection.run(
            _PUT_CHALLENGE, journey_id=row.journey_id, state=row.state, expires_at=row.expires_at
        )

    async def note_pictures(self, digests: Sequence[bytes], expires_at: int) -> bool:
        """Remember these pictures until then. False: one of them was accepted before, or came twice."""
        # In one order for everybody: two who send the same pictures wait for each other, and never in a circle.
        for digest in sorted(digests):
            if await self._connection.one(_NOTE, digest=digest, expires_at=expires_at) is None:
                return False
        return True


def _place(customer_id: str) -> str:
    return f"face_template.template:{customer_id}"
