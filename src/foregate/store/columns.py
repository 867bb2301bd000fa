"""The few kinds of column there are, so that a row means the same in both databases."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
APPEND_ONLY: Final = "Append only: the role that Foregate runs under has neither UPDATE nor DELETE here."
metadata: Final = MetaData(naming_convention=NAMES)


def text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def text_or_none(name: str) -> Column[str]:
    return Column(name, Text, nullable=True)


def raw(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def raw_or_none(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=True)


def time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def key(*columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*columns)


def index_where(name: str, column: str, condition: str) -> Index:
    return Index(name, column, sqlite_where=sqlalchemy.text(condition), postgresql_where=sqlalchemy.text(condition))


def table(name: str, *parts: Any, comment: str | None = None) -> Table:
    return Table(name, metadata, *parts, comment=comment)
