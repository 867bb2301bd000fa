"""Statements: built once with SQLAlchemy Core, compiled once for each database, run by the raw drivers.

SQLAlchemy checks our columns and speaks both dialects; running through its engine would cost four times the
driver's own price on every call. So a `Statement` is a constant of its module, its text is made at first use, and
what is left at run time is a dictionary look-up and a list of arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Protocol, cast

import sqlalchemy
from sqlalchemy import BigInteger, BindParameter, ColumnElement, Table, bindparam, literal_column
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement, CompilerElement

Value = str | int | bytes | None
_WORD: Final = re.compile(r"[a-z-]*")
_HOLDS: Final = re.compile(r"\bFOR (UPDATE|SHARE)\b")
_ARGUMENT: Final = re.compile(r"\$([0-9]+)")  # no text of ours has another dollar sign: see `word`


class Dialect(StrEnum):
    """The databases we speak to."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


_DIALECTS: Final[Mapping[Dialect, Any]] = {
    Dialect.SQLITE: SQLiteDialect_pysqlite(paramstyle="qmark"),
    Dialect.POSTGRES: PGDialect_asyncpg(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call]  # theirs
}


class Row(Protocol):
    """One row, read by column name."""

    def __getitem__(self, column: str, /) -> Any: ...


class Text:
    """A statement in one dialect: its text, and the order in which the driver wants the arguments."""

    __slots__ = ("_constants", "_names", "only_reads", "sql")

    def __init__(self, clause: CompilerElement, dialect: Dialect) -> None:
        compiled = cast(Any, clause.compile(dialect=_DIALECTS[dialect]))
        self.sql: str = str(compiled)
        # It neither writes nor holds a row. `WITH` may do either; a function of ours does neither in a transaction.
        self.only_reads: bool = self.sql.startswith("SELECT") and not _HOLDS.search(self.sql)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        # What the compiler adds by itself, such as SQLite's OFFSET 0.
        self._constants: dict[str, Value] = {
            name: value for name, value in compiled.params.items() if value is not None and name.startswith("param_")
        }

    @property
    def arguments_count(self) -> int:
        """How many arguments the text takes."""
        return len(self._names)

    def arguments(self, values: Mapping[str, Value]) -> list[Value]:
        """Return `values` in the order of the text. Raises KeyError when one is missing."""
        if self._constants:
            values = {**self._constants, **values}
        return [values[name] for name in self._names]


class Statement:
    """One SQL statement with named parameters (`bindparam`), for both databases."""

    __slots__ = ("_clause", "_texts")

    def __init__(self, clause: Executable) -> None:
        self._clause = cast(ClauseElement, clause)
        self._texts: dict[Dialect, Text] = {}

    def text(self, dialect: Dialect) -> Text:
        """Return the statement in `dialect`, compiled at the first call."""
        found = self._texts.get(dialect)
        if found is None:
            found = self._texts[dialect] = Text(self._clause, dialect)
        return found


class Together:
    """Several writes as one PostgreSQL statement, which says how many rows each of them wrote.

    Its parts see one moment of the database and nothing of each other: they have to be of different rows.
    """

    __slots__ = ("_texts", "sql")

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._texts = [statement.text(Dialect.POSTGRES) for statement in statements]
        parts, counts, arguments = [], [], 0
        for part, text in enumerate(self._texts):
            parts.append(f"part{part} AS ({_renumbered(text.sql, arguments)} RETURNING 1)")
            counts.append(f"(SELECT count(*) FROM part{part})")  # noqa: S608 -- numbered by us, no values
            arguments += text.arguments_count
        self.sql = f"WITH {', '.join(parts)} SELECT {', '.join(counts)}"

    def arguments(self, values: Sequence[Mapping[str, Value]]) -> list[Value]:
        """Return the values of each part in the order of the text."""
        return [value for text, own in zip(self._texts, values, strict=True) for value in text.arguments(own)]


@lru_cache(maxsize=256)
def together(statements: tuple[Statement, ...]) -> Together:
    """Return these writes as one statement, made at the first call."""
    return Together(statements)


def _renumbered(sql: str, by: int) -> str:
    return _ARGUMENT.sub(lambda argument: f"${int(argument[1]) + by}", sql)


@lru_cache(maxsize=256)
def number(value: int) -> ColumnElement[int]:
    """Return a number that is part of the statement's text, such as a limit."""
    return literal_column(str(int(value)), BigInteger)


@lru_cache(maxsize=256)
def word(value: str) -> ColumnElement[str]:
    """Return a word that is part of the statement's text, such as a status: partial indexes are found by it."""
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value!r} is no constant")
    return literal_column(f"'{value}'", sqlalchemy.Text)


def text_of(name: str) -> BindParameter[str]:
    """Return a parameter that is text. Not named like a column that the statement sets."""
    return bindparam(name, type_=sqlalchemy.Text())


def time_of(name: str) -> BindParameter[int]:
    """Return a parameter that is a time or a number."""
    return bindparam(name, type_=BigInteger())


def insert_into(table: Table) -> Insert:
    """Return an INSERT with a parameter for every column, named like the column.

    PostgreSQL's, for its ON CONFLICT: SQLite took that over word for word.
    """
    return insert(table).values({column.name: bindparam(column.name) for column in table.columns})


class Connection(Protocol):
    """What the repositories need of a database: one transaction's worth of it. Errors of capacity raise ports.Busy."""

    async def one(self, statement: Statement, **values: Value) -> Row | None:
        """Run and return the first row, or None."""

    async def all(self, statement: Statement, **values: Value) -> Sequence[Row]:
        """Run and return every row; the statement bounds them."""

    async def run(self, statement: Statement, **values: Value) -> int:
        """Run and return how many rows were written."""

    async def run_many(self, statement: Statement, rows: Sequence[Mapping[str, Value]]) -> None:
        """Run once for each of `rows`."""

    async def run_together(
        self, writes: Sequence[tuple[Statement, Mapping[str, Value]]], *, is_last: bool = False
    ) -> Sequence[int]:
        """Run writes of different rows as one message; return how many rows each of them wrote.

        `is_last`: nothing else follows in this transaction.
        """


class Database(Protocol):
    """A database that is open."""

    @property
    def dialect(self) -> Dialect: ...

    def transaction(self, *, is_single: bool = False) -> AbstractAsyncContextManager[Connection]:
        """Commit at the end, roll back on any exception. Raises ports.Busy when no connection is free in time.

        Args:
            is_single: it is one statement, which may be run twice: at worst something is done later.
        """

    def snapshot(self) -> AbstractAsyncContextManager[Connection]:
        """Read everything as of one moment, without holding up writers."""

    def glance(self) -> AbstractAsyncContextManager[Connection]:
        """Read what is public, apart from what people wait for to be let in. Each statement sees its own moment."""

    async def read_one(self, statement: Statement, **values: Value) -> Row | None:
        """Read one row outside any transaction."""

    async def write_one(self, statement: Statement, **values: Value) -> None:
        """Write in a transaction of this one statement, which may be run twice without harm. Raises ports.Busy."""

    async def check_durability(self) -> None:
        """Raises WeakDurability when what is acknowledged could be lost."""

    async def close(self) -> None: ...
