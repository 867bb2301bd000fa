"""A transaction on PostgreSQL that begins when it has to.

Rules
  1. READ COMMITTED shows each statement the database as of that statement. So what only reads says the same before
     BEGIN as after it, and BEGIN waits for the first statement that locks or writes; who only looks sends neither
     BEGIN nor COMMIT.
  2. A statement is a transaction by itself. So a single write that comes last, after nothing but reads, goes without
     BEGIN too. It is not the first thing on a connection: that may be done twice. Where twice does no
     harm, the transaction says that it `is_single`.
  3. The connection is taken with the first statement and kept to the end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

from foregate.ports import Busy
from foregate.store.postgres_pool import Pool, Wire, rolled_back
from foregate.store.statements import Dialect, Row, Statement, Value

T = TypeVar("T")

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"


class Transaction:
    """One transaction over a connection of `pool`; it speaks the `Connection` Protocol."""

    __slots__ = ("_has_begun", "_is_single", "_pool", "_wire")

    def __init__(self, pool: Pool, *, is_single: bool = False) -> None:
        self._pool, self._is_single = pool, is_single
        self._wire: Wire | None = None
        self._has_begun = False

    async def one(self, statement: Statement, **values: Value) -> Row | None:
        if not statement.text(Dialect.POSTGRES).only_reads:
            await self._begin()
        return await self._do(lambda wire: wire.one(statement, **values))

    async def all(self, statement: Statement, **values: Value) -> Sequence[Row]:
        if not statement.text(Dialect.POSTGRES).only_reads:
            await self._begin()
        return await self._do(lambda wire: wire.all(statement, **values))

    async def run(self, statement: Statement, **values: Value) -> int:
        await self._begin()
        return await self._do(lambda wire: wire.run(statement, **values))

    async def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Value]]) -> None:
        await self._begin()
        await self._do(lambda wire: wire.run_many(statement, rows))

    async def run_together(
        self, writes: Sequence[tuple[Statement, Mapping[str, Value]]], *, is_last: bool = False
    ) -> Sequence[int]:
        # Of several one may find nothing, and then none of them may stay.
        if not is_last or len(writes) > 1 or self._wire is None:
            await self._begin()
        return await self._do(lambda wire: wire.run_together(writes, is_last=is_last))

    async def commit(self) -> None:
        """Raises Busy when it did not happen, or nobody knows."""
        if self._wire is None or not self._has_begun:
            return
        # After an error that somebody caught and went on, PostgreSQL answers COMMIT with ROLLBACK, not an error.
        if (outcome := await self._wire.command("COMMIT")) != "COMMIT":
            raise Busy(f"PostgreSQL: {outcome} in place of a commit")

    async def roll_back(self) -> None:
        """Undo it; whatever was going on must not reach the next task."""
        if self._wire is not None:
            await rolled_back(self._wire)

    def end(self) -> None:
        """Give the connection back."""
        if self._wire is not None:
            self._pool.give_back(self._wire)

    async def _begin(self) -> None:
        if not self._has_begun and not self._is_single:
            await self._do(lambda wire: wire.command(BEGIN))
            self._has_begun = True

    async def _do(self, work: Callable[[Wire], Awaitable[T]]) -> T:
        if self._is_single and self._wire is not None:
            raise RuntimeError("one statement was announced, and here is another")
        if self._wire is None:
            self._wire, done = await self._pool.first(work)
            return done
        return await work(self._wire)
