"""The servers that the tests start are the ones production has."""

import asyncpg
import pytest
from valkey.asyncio import Valkey

from tests.services import PostgresServer

pytestmark = pytest.mark.anyio


async def test_a_database_starts_empty_and_keeps_what_it_confirms(postgres_dsn: str) -> None:
    """A fresh database has no tables, and fsync is on: no test passes on a promise production does not keep."""
    connection = await asyncpg.connect(postgres_dsn)
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        fsync = await connection.fetchval("SHOW fsync")
    finally:
        await connection.close()

    assert (0, "on") == (tables, fsync)


def test_a_database_can_be_copied_from_a_template(postgres_server: PostgresServer) -> None:
    """A migrated database serves as a template, so that not every test migrates anew."""
    template = postgres_server.create_database()
    postgres_server.execute("CREATE TABLE outlet (id int)", template)
    copy = postgres_server.create_database(template)

    tables = postgres_server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", copy)

    assert "outlet" == tables
    postgres_server.drop_database(copy)
    postgres_server.drop_database(template)


async def test_valkey_counts(valkey_url: str) -> None:
    """Valkey answers, and starts without keys."""
    async with Valkey.from_url(valkey_url) as client:
        assert 1 == await client.incr("tries")
