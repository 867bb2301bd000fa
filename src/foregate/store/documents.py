"""What was told about a document: the row that is inserted once is the message that is sent once."""

from __future__ import annotations

from typing import Final

from foregate.store.document_tables import document_notice
from foregate.store.statements import Connection, Statement, insert_into

_NOTE: Final = Statement(insert_into(document_notice).on_conflict_do_nothing().returning(document_notice.c.customer_id))


class DocumentNoticesIn:
    """`ports.DocumentNotices` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def note(self, customer_id: str, expires_on: str, which: str, now: int) -> bool:
        """Remember that it is told now. False: it was told before, perhaps by another node."""
        row = await self._connection.one(
            _NOTE, customer_id=customer_id, expires_on=expires_on, which=which, told_at=now
        )
        return row is not None
