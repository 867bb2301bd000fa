"""Which version of the tables this code works with. Apart from `migrate`, so that a start needs no Alembic."""

from __future__ import annotations

from typing import Final

from sqlalchemy import column, literal_column, select, table

from foregate.store.errors import WrongSchema
from foregate.store.statements import Database, Dialect, Statement

HEAD: Final = "0016"

_EXISTS: Final = {
    Dialect.SQLITE: Statement(
        select(literal_column("name"))
        .select_from(table("sqlite_master"))
        .where(literal_column("name") == literal_column("'alembic_version'"))
    ),
    Dialect.POSTGRES: Statement(
        select(literal_column("1")).where(literal_column("to_regclass('alembic_version')").is_not(None))
    ),
}
_VERSION: Final = Statement(select(column("version_num")).select_from(table("alembic_version")))


async def check_schema(database: Database) -> None:
    """Raises WrongSchema when the tables are not those of `HEAD`."""
    exists = await database.read_one(_EXISTS[database.dialect])
    row = await database.read_one(_VERSION) if exists else None
    found = row["version_num"] if row else None
    if found != HEAD:
        state = f"at version {found}" if found else "empty"
        raise WrongSchema(f"The database is {state}; this Foregate needs version {HEAD}. Run: foregate migrate")
