"""The databases themselves: migrations, rights, durability, and what happens when they are away or full."""

import asyncio
import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, inspect, text

from foregate.ids import new_id
from foregate.ports import Busy, Event
from foregate.store import migrate, schema
from foregate.store.errors import PlainTextLink, WeakDurability, WrongSchema
from foregate.store.every_table import metadata
from foregate.store.grants import app_role_grants
from foregate.store.journeys import JourneysIn
from foregate.store.keyring import Keys
from foregate.store.last import Last
from foregate.store.postgres import open_postgres, refuse_plain_text
from foregate.store.sqlite import SqliteDatabase, open_sqlite
from foregate.store.statements import Statement
from foregate.store.unit_of_work import SqlStore
from tests import services
from tests.contract.samples import NOW, Clock, a_customer, a_journey, at_once, count, in_one, sql

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    return str(request.getfixturevalue("postgres_dsn"))


async def open_any(url: str, keys: Keys, clock: Clock, **options: Any) -> SqlStore:
    if url.startswith("sqlite"):
        return await open_sqlite(Path(url.removeprefix("sqlite:///")), keys, clock, **options)
    return await open_postgres(url, keys, clock, **options)


# ---------------------------------------------------------------- migrations


def differences(connection: Connection) -> list[Any]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def primary_keys(connection: Connection) -> dict[str, list[str]]:
    inspector = inspect(connection)
    return {name: inspector.get_pk_constraint(name)["constrained_columns"] for name in metadata.tables}


def test_up_down_and_up_again(empty_url: str) -> None:
    """The migrations make exactly our tables, take them all away, and make them again."""
    assert None is migrate.current(empty_url)
    migrate.upgrade(empty_url)
    assert schema.HEAD == migrate.current(empty_url)
    assert [] == migrate.with_connection(empty_url, differences)
    expected = {name: [column.name for column in table.primary_key] for name, table in metadata.tables.items()}
    assert expected == migrate.with_connection(empty_url, primary_keys)

    migrate.downgrade(empty_url, "base")
    assert None is migrate.current(empty_url)
    tables = migrate.with_connection(empty_url, lambda connection: inspect(connection).get_table_names())
    assert ["alembic_version"] == tables

    migrate.upgrade(empty_url)
    migrate.upgrade(empty_url)
    assert [] == migrate.with_connection(empty_url, differences)


async def test_tables_of_another_version_are_refused(empty_url: str, keys: Keys, clock: Clock) -> None:
    """An empty database, or one of another version, is refused with the command that helps."""
    with pytest.raises(WrongSchema, match=r"empty.*foregate migrate"):
        await open_any(empty_url, keys, clock)
    await asyncio.to_thread(migrate.upgrade, empty_url)
    store = await open_any(empty_url, keys, clock)
    await sql(store, "UPDATE alembic_version SET version_num = '9999' RETURNING 1")
    await store.close()
    with pytest.raises(WrongSchema, match="9999"):
        await open_any(empty_url, keys, clock)


async def test_nodes_that_migrate_together(postgres_dsn: str) -> None:
    """Nodes that are started together wait for each other, and all find the tables."""
    program = "import sys; from foregate.store import migrate; migrate.upgrade(sys.argv[1])"
    nodes = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, postgres_dsn) for _ in range(4)]
    assert [0] * 4 == [await node.wait() for node in nodes]
    assert schema.HEAD == migrate.current(postgres_dsn)


# ---------------------------------------------------------------- rights


async def test_the_role_of_the_application_cannot_touch_the_record(
    postgres_url: str, postgres_server: services.PostgresServer, keys: Keys, clock: Clock
) -> None:
    """It can do all its work, and neither change nor delete an audit event; nor empty the table."""
    database = postgres_url.rpartition("/")[2]
    role, password = f"app_{new_id()[-12:]}", "app"
    postgres_server.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    try:
        postgres_server.execute(app_role_grants(role), database)
        url = f"postgresql://{role}:{password}@127.0.0.1:{postgres_server.port}/{database}"
        store = await open_postgres(url, keys, clock)
        async with store.begin() as tx:
            await tx.customers.insert(a_customer(), {"phone": b"p"})
            await tx.counters.charge("c", "password", "unknown", NOW)
            await tx.audit.record(Event(chain="c", kind="code-sent"), NOW)
            await tx.audit.record(Event(chain="c", kind="code-sent"), NOW)
        for statement in (
            "UPDATE audit_event SET at = 0 RETURNING 1",
            "DELETE FROM audit_event RETURNING 1",
            "TRUNCATE audit_event",
            "DELETE FROM audit_head RETURNING 1",
            "UPDATE audit_seal SET at = 0 RETURNING 1",
            "DELETE FROM audit_sealed_head RETURNING 1",
            "DROP TABLE audit_event",
        ):
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                await sql(store, statement)
        assert 2 == await count(store, "audit_event")
        await store.close()
    finally:
        postgres_server.execute(f"DROP OWNED BY {role}", database)
        postgres_server.execute(f"DROP ROLE {role}")


# ---------------------------------------------------------------- durability


@pytest.mark.parametrize("setting", ["synchronous_commit"])
async def test_a_forgetful_postgres_is_refused(
    postgres_url: str, postgres_server: services.PostgresServer, keys: Keys, clock: Clock, setting: str
) -> None:
    """A database that may lose what it acknowledged is refused, and the message names the setting."""
    database = postgres_url.rpartition("/")[2]
    postgres_server.execute(f"ALTER DATABASE {database} SET {setting} = off")
    with pytest.raises(WeakDurability, match=f"{setting} = on"):
        await open_postgres(postgres_url, keys, clock)


async def test_sqlite_is_durable(sqlite_path: Path) -> None:
    """WAL and synchronous FULL; a connection that has lost them is refused."""
    database = SqliteDatabase(sqlite_path, wait_seconds=2)
    await database.check_durability()
    await database._writer.do(lambda raw: raw.execute("PRAGMA synchronous = OFF"))
    with pytest.raises(WeakDurability, match="synchronous"):
        await database.check_durability()
    await database.close()


async def test_the_sqlite_file_is_private(sqlite_path: Path, keys: Keys, clock: Clock, tmp_path: Path) -> None:
    """Nobody else on the machine reads the database, its journal or its index."""
    path = tmp_path / "new.sqlite"
    files = [path, path.with_name("new.sqlite-wal"), path.with_name("new.sqlite-shm")]
    await asyncio.to_thread(migrate.upgrade, f"sqlite:///{path}")
    store = await open_sqlite(path, keys, clock)
    await in_one(store, lambda tx: tx.journeys.insert(a_journey()))
    modes = {file.name: os.stat(file).st_mode & 0o777 for file in files}
    await store.close()
    assert {"new.sqlite": 0o600, "new.sqlite-wal": 0o600, "new.sqlite-shm": 0o600} == modes


@pytest.mark.parametrize(
    ("dsn", "is_refused"),
    [
        ("postgresql://foregate@127.0.0.1/bank", False),
        ("postgresql:///bank?host=/run/postgresql", False),
        ("postgresql://foregate@db.bank.example/bank?sslmode=verify-full", False),
        ("postgresql://foregate@db.bank.example/bank", True),
        ("postgresql://foregate@db.bank.example/bank?sslmode=prefer", True),
        ("postgresql://foregate@db.bank.example/bank?sslmode=disable", True),
        ("postgresql:///bank?host=10.0.0.7", True),
    ],
)
def test_a_link_in_clear_to_another_host(dsn: str, is_refused: bool) -> None:
    """What goes over a network is encrypted."""
    if not is_refused:
        refuse_plain_text(dsn)
        return
    with pytest.raises(PlainTextLink, match="sslmode"):
        refuse_plain_text(dsn)


# ---------------------------------------------------------------- away, busy, full


async def seconds_until_busy(work: Callable[[], Any]) -> float:
    begun = time.monotonic()
    with pytest.raises(Busy):
        await work()
    return time.monotonic() - begun


async def begin(store: SqlStore) -> None:
    async with store.begin() as tx:
        await tx.journeys.lock("")


async def test_who_waits_too_long_is_told(empty_url: str, keys: Keys, clock: Clock) -> None:
    """When every connection is in use, the next one is told within the bound, and served when one is free."""
    await asyncio.to_thread(migrate.upgrade, empty_url)
    options = {} if empty_url.startswith("sqlite") else {"pool_size": 1}
    store = await open_any(empty_url, keys, clock, wait_seconds=0.2, **options)
    async with store.begin() as tx:
        await tx.journeys.lock("")
        assert 0.2 == pytest.approx(await seconds_until_busy(lambda: begin(store)), abs=0.15)
    await begin(store)
    await store.close()


async def test_another_process_that_writes_for_long(sqlite_path: Path, keys: Keys, clock: Clock) -> None:
    """A lock that another process holds is waited for as long as our own, then we are busy; then all is well."""
    store = await open_sqlite(sqlite_path, keys, clock, wait_seconds=0.2)
    other = sqlite3.connect(sqlite_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert 1 > await seconds_until_busy(lambda: begin(store))
    other.execute("ROLLBACK")
    other.close()
    await begin(store)
    await store.close()


async def test_a_full_disk(sqlite_path: Path, keys: Keys, clock: Clock) -> None:
    """A disk that is full is a clean refusal; nothing half-done stays, and all works again after."""
    store = await open_sqlite(sqlite_path, keys, clock)
    database = store.database
    assert isinstance(database, SqliteDatabase)
    await database._writer.do(lambda raw: raw.execute("PRAGMA max_page_count = 1"))

    async def fill() -> None:
        async with store.begin() as tx:
            for _ in range(50):
                await tx.journeys.insert(a_journey(state=b"x" * 10_000))

    await seconds_until_busy(fill)
    assert 0 == await count(store, "journey")
    await database._writer.do(lambda raw: raw.execute("PRAGMA max_page_count = 100000"))
    await fill()
    assert 50 == await count(store, "journey")
    await store.close()


async def test_connections_that_are_cut(
    postgres_url: str, postgres_server: services.PostgresServer, keys: Keys, clock: Clock
) -> None:
    """Connections that are cut while idle are replaced unseen; who is in the middle is told to come back."""
    store = await open_postgres(postgres_url, keys, clock)
    database = postgres_url.rpartition("/")[2]
    kill = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}'"

    for _ in range(5):
        await asyncio.gather(*(begin(store) for _ in range(30)))
        await asyncio.to_thread(postgres_server.execute, kill)
        await asyncio.gather(*(begin(store) for _ in range(30)))
        await asyncio.to_thread(postgres_server.execute, kill)
        await asyncio.gather(*(store.session("c", "s") for _ in range(30)))
        async with asyncio.timeout(10):
            with pytest.raises(Busy):
                await cut_in_the_middle(store, postgres_server, kill)
    results = await at_once(store, 30, lambda tx: tx.journeys.lock(""))
    assert [None] * 30 == list(results)
    open_now = postgres_server.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'")
    assert 10 >= int(open_now)
    await store.close()


async def cut_in_the_middle(store: SqlStore, server: services.PostgresServer, kill: str) -> None:
    async with store.begin() as tx:
        await tx.journeys.lock("")
        await asyncio.to_thread(server.execute, kill)
        await tx.journeys.lock("")


async def test_a_database_that_is_away(keys: Keys, clock: Clock) -> None:
    """Nobody waits longer than the bound for a database that does not answer at all."""
    dsn = f"postgresql://foregate:x@127.0.0.1:{services.free_port()}/bank"
    assert 2 > await seconds_until_busy(lambda: open_postgres(dsn, keys, clock))


async def test_an_error_that_was_swallowed(postgres_url: str, keys: Keys, clock: Clock) -> None:
    """A transaction that went on after an error of the database is told that it did not happen."""
    store = await open_postgres(postgres_url, keys, clock)
    journey = a_journey()

    async def swallow() -> None:
        async with store.database.transaction() as connection:
            last = Last(connection)
            await JourneysIn(connection, last).insert(journey)
            await last.write()
            with contextlib.suppress(asyncpg.PostgresError):
                await connection.one(Statement(text("SELECT 1 / 0")))

    await seconds_until_busy(swallow)
    assert None is await in_one(store, lambda tx: tx.journeys.lock(journey.journey_id))
    await store.close()


async def test_a_lock_that_is_held_too_long(postgres_url: str, keys: Keys, clock: Clock) -> None:
    """Who waits for a row longer than the bound is told that we are busy, and the connection stays good."""
    store = await open_postgres(postgres_url, keys, clock, wait_seconds=0.3)
    journey = a_journey()
    await in_one(store, lambda tx: tx.journeys.insert(journey))
    async with store.begin() as tx:
        await tx.journeys.lock(journey.journey_id)
        await seconds_until_busy(lambda: in_one(store, lambda other: other.journeys.lock(journey.journey_id)))
    assert journey == await in_one(store, lambda other: other.journeys.lock(journey.journey_id))
    await store.close()


async def test_after_closing(empty_url: str, keys: Keys, clock: Clock) -> None:
    """What is under way when we stop is finished, nothing new is begun."""
    await asyncio.to_thread(migrate.upgrade, empty_url)
    store = await open_any(empty_url, keys, clock)
    journey = a_journey()

    async def slow() -> None:
        async with store.begin() as tx:
            await tx.journeys.lock("")
            await asyncio.sleep(0.1)
            await tx.journeys.insert(journey)

    under_way = asyncio.create_task(slow())
    await asyncio.sleep(0.05)
    await store.close()
    await under_way
    with pytest.raises(Busy):
        await begin(store)
    again = await open_any(empty_url, keys, clock)
    assert journey == await in_one(again, lambda tx: tx.journeys.lock(journey.journey_id))
    await again.close()
