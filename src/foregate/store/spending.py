"""How many messages were sent, hour by hour: one row an hour, written now and then by each process."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from foregate.rules.limits import DAY, HOUR
from foregate.store.statements import Connection, Statement, insert_into, time_of
from foregate.store.tables import message_hour

_m = message_hour.c
_adding = insert_into(message_hour)
_ADD: Final = Statement(
    _adding.on_conflict_do_update(index_elements=[_m.hour_from], set_={"sent": _m.sent + _adding.excluded.sent})
)
_SUM: Final = Statement(select(func.sum(_m.sent).label("sent")).where(_m.hour_from > time_of("since")))


class SpendingIn:
    """`ports.Spending` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, sent: int, now: int) -> None:
        """So many messages went out just now."""
        await self._connection.run(_ADD, hour_from=now - now % HOUR, sent=sent)

    async def of_the_day(self, now: int) -> int:
        """How many went out within the last 24 hours, counted by whole hours."""
        row = await self._connection.one(_SUM, since=now - DAY)
        return int(row["sent"] or 0) if row else 0
