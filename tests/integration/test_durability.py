"""A database that begins to forget while the house is open: the balancer is told, and told again when it is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foregate.store.sqlite import SqliteDatabase
from tests import services
from tests.bank import Bank

pytestmark = pytest.mark.anyio


@pytest.fixture
def switch(database: str, request: pytest.FixtureRequest) -> Iterator[services.PostgresServer | None]:
    """Yield the server whose durability is switched; None for SQLite. It is on again afterwards."""
    if database.startswith("sqlite"):
        yield None
        return
    server: services.PostgresServer = request.getfixturevalue("postgres_server")
    yield server
    turn_postgres(server, "RESET synchronous_commit")


def turn_postgres(server: services.PostgresServer, change: str) -> None:
    server.execute(f"ALTER SYSTEM {change}")
    server.execute("SELECT pg_reload_conf()")


async def turn(bank: Bank, server: services.PostgresServer | None, *, is_safe: bool) -> None:
    """Let the database keep, or not keep, what it acknowledges."""
    if server is not None:
        turn_postgres(server, f"SET synchronous_commit = {'on' if is_safe else 'off'}")
        return
    database = bank.house.store.database
    assert isinstance(database, SqliteDatabase)
    await database._writer.do(lambda raw: raw.execute(f"PRAGMA synchronous = {'FULL' if is_safe else 'OFF'}"))


async def looked(bank: Bank, *, weak: bool) -> None:
    """Look until it is seen: PostgreSQL takes a moment to read its settings anew."""
    for _ in range(200):
        await bank.house.durability.once()
        if weak is (bank.house.durability.weakness is not None):
            return
    raise AssertionError(f"weak={weak} was not seen")


async def test_who_begins_to_forget_gets_no_customers(bank: Bank, switch: services.PostgresServer | None) -> None:
    """503 with the reason while it lasts, and 200 again afterwards."""
    visitor = bank.visitor()
    assert 200 == (await visitor.get("/healthz")).status
    await turn(bank, switch, is_safe=False)
    await looked(bank, weak=True)
    ill = await visitor.get("/healthz")
    await turn(bank, switch, is_safe=True)
    await looked(bank, weak=False)

    assert (503, "weak-durability") == (ill.status, ill.body["status"])
    assert (200, "ok") == ((again := await visitor.get("/healthz")).status, again.body["status"])
