"""Bring the tables to this version, or back. Alembic is imported only when something is to be done.

All of it blocks: in a server that is serving, call it by `asyncio.to_thread`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from foregate.store.sqlite import create_private

if TYPE_CHECKING:
    from alembic.config import Config

T = TypeVar("T")
FOLDER: Final = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database `url` (sqlite:///PATH or postgresql://..) to `revision`; it may be there already."""
    from alembic import command

    with_connection(url, lambda connection: command.upgrade(_config(connection), revision))


def downgrade(url: str, revision: str = "-1") -> None:
    """Take the database back, by one version unless `revision` says otherwise. What only the newer knew is lost."""
    from alembic import command

    with_connection(url, lambda connection: command.downgrade(_config(connection), revision))


def current(url: str) -> str | None:
    """Return the version that the database is at, or None for an empty one."""
    from alembic.migration import MigrationContext

    return with_connection(url, lambda connection: MigrationContext.configure(connection).get_current_revision())


def with_connection(url: str, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction on the database `url`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            create_private(Path(parsed.database))
        engine = create_engine(parsed, poolclass=NullPool)
        with engine.begin() as connection:
            return work(connection)
    # asyncpg needs an event loop, and the caller may have one running: so one of our own, on a thread of its own.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(_with_postgres(url, work))).result()


async def _with_postgres(url: str, work: Callable[[Connection], T]) -> T:
    import asyncpg

    # asyncpg reads the address itself, as the store does: SQLAlchemy would know other options in it.
    async def connect() -> Any:
        return await asyncpg.connect(url)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
