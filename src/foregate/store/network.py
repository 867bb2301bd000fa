"""Reports of the network check, for as long as somebody may call about them."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import delete, select

from foregate.ports.network import NetworkReport
from foregate.rules import limits
from foregate.rules.network import Figures
from foregate.store.network_tables import network_report
from foregate.store.statements import Connection, Row, Statement, insert_into, number, text_of, time_of

_FIGURES: Final = msgspec.json.Decoder(Figures)
_r = network_report.c
_NEWEST_FIRST: Final = (_r.created_at.desc(), _r.report_id.desc())
_INSERT: Final = Statement(insert_into(network_report))
_DROP_OLDEST: Final = Statement(
    delete(network_report).where(
        _r.report_id.in_(
            select(_r.report_id)
            .order_by(*_NEWEST_FIRST)
            .limit(number(limits.PURGE_BATCH))
            .offset(number(limits.NETWORK_REPORTS_KEPT))
        )
    )
)
_OF_CODE: Final = Statement(
    select(network_report)
    .where(_r.code == text_of("of_code"), _r.expires_at > time_of("now"))
    .order_by(*_NEWEST_FIRST)
    .limit(number(limits.NETWORK_REPORTS_SHOWN))
)


class NetworkReportsIn:
    """`ports.network.NetworkReports` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def insert(self, report: NetworkReport) -> None:
        """Write it down; the oldest makes room."""
        await self._connection.run(
            _INSERT,
            report_id=report.report_id,
            code=report.code,
            figures=msgspec.json.encode(report.figures).decode(),
            client=report.client,
            created_at=report.created_at,
            expires_at=report.expires_at,
        )
        await self._connection.run(_DROP_OLDEST)

    async def of(self, code: str, now: int) -> tuple[NetworkReport, ...]:
        """The newest of this code."""
        return tuple(_report(row) for row in await self._connection.all(_OF_CODE, of_code=code, now=now))


def _report(row: Row) -> NetworkReport:
    return NetworkReport(
        report_id=row["report_id"],
        code=row["code"],
        figures=_FIGURES.decode(row["figures"]),
        client=row["client"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
