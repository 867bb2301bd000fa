"""What a transaction writes last: kept back until nothing is left to read, then sent as one message.

A round trip to the database costs more than most of what happens between two of them. So a write that nobody in the
transaction waits for is kept back, and goes out with the others before the commit; the transaction is one as before.

Rules
  1. A write is kept back only of a row that the transaction holds already, or has just made: those that wait for one
     another wait where they read, in the order of the code, and never here.
  2. Of two writes of one row the later one counts; it says everything that the earlier one said.
  3. Who reads such rows in the same transaction has them written first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from foregate.store.statements import Connection, Statement, Value

# How many go out as one: the text of each combination is made and prepared once, so there should be few of them.
TOGETHER_MAX: Final = 8


class _Kept(msgspec.Struct, frozen=True):
    statement: Statement
    values: Mapping[str, Value]
    must: str | None


class Last:
    """The writes that a transaction keeps back."""

    __slots__ = ("_connection", "_kept")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: dict[tuple[str, str], _Kept] = {}

    def keep(
        self, what: str, row: str, statement: Statement, values: Mapping[str, Value], *, must: str | None = None
    ) -> None:
        """Have `statement` run at the end. `what` and `row` name the row that it writes.

        Args:
            must: what to raise as LookupError when it then writes nothing; None: that is well.
        """
        self._kept[what, row] = _Kept(statement, values, must)

    async def write(self, *, is_last: bool = False) -> None:
        """Write everything that was kept back. Raises LookupError when something had to be written and was not.

        Args:
            is_last: the transaction does nothing after this.
        """
        kept, self._kept = tuple(self._kept.values()), {}
        for first in range(0, len(kept), TOGETHER_MAX):
            await self._write(kept[first : first + TOGETHER_MAX], is_last and len(kept) <= TOGETHER_MAX)

    async def _write(self, kept: tuple[_Kept, ...], is_last: bool) -> None:
        writes = [(each.statement, each.values) for each in kept]
        counts = await self._connection.run_together(writes, is_last=is_last)
        for each, count in zip(kept, counts, strict=True):
            if each.must is not None and count != 1:
                raise LookupError(each.must)
