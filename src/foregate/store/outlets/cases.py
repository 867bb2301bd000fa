"""Case files: what somebody tried at the door, under a number that they carry to the counter."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import select

from foregate.ports.outlets import CaseFile
from foregate.rules import limits
from foregate.store.keyring import Keys
from foregate.store.outlets.appointment_tables import case_file
from foregate.store.statements import Connection, Row, Statement, insert_into, text_of, time_of

_FACTS: Final = msgspec.json.Decoder(dict[str, str])
_c = case_file.c
_INSERT: Final = Statement(insert_into(case_file).on_conflict_do_nothing().returning(_c.case_no))
_FIND: Final = Statement(select(case_file).where(_c.case_no == text_of("of_case"), _c.expires_at > time_of("now")))
_OF_JOURNEY: Final = Statement(
    select(case_file).where(_c.journey_id == text_of("of_journey")).order_by(_c.number)
)  # fmt: skip


class CasesIn:
    """`ports.outlets.Cases` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def insert(self, case: CaseFile) -> bool:
        """Write it. False: the number is taken already, or the journey has CASES_PER_JOURNEY."""
        opened = len(await self.of_journey(case.journey_id))
        if opened >= limits.CASES_PER_JOURNEY:
            return False
        row = await self._connection.one(
            _INSERT,
            case_no=case.case_no,
            journey_id=case.journey_id,
            number=opened + 1,
            service=case.service,
            facts_sealed=self._keys.encrypt(msgspec.json.encode(dict(case.facts)), f"case_file.facts:{case.case_no}"),
            created_at=case.created_at,
            expires_at=case.expires_at,
        )
        return row is not None

    async def find(self, case_no: str, now: int) -> CaseFile | None:
        """Read it, until it expires."""
        row = await self._connection.one(_FIND, of_case=case_no, now=now)
        return self._case(row) if row else None

    async def of_journey(self, journey_id: str) -> tuple[CaseFile, ...]:
        """What a journey opened already."""
        return tuple(self._case(row) for row in await self._connection.all(_OF_JOURNEY, of_journey=journey_id))

    def _case(self, row: Row) -> CaseFile:
        return CaseFile(
            case_no=row["case_no"],
            journey_id=row["journey_id"],
            service=row["service"],
            facts=_FACTS.decode(self._keys.decrypt(row["facts_sealed"], f"case_file.facts:{row['case_no']}")),
            created_at=row["created_at"],
            expires_at=row["expires_at"],
        )
