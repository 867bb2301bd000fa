"""One bank per test, over SQLite and over PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import ready, services
from tests.bank import CHEN, LI, WANG, Bank, open_bank


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a fresh, migrated database of each kind: a copy, for migrating takes longer than most tests."""
    yield from each_database(request, tmp_path)


def each_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database of the kind that the request's parameter names."""
    if request.param == "sqlite":
        path = tmp_path / "bank.db"
        path.write_bytes(request.getfixturevalue("migrated_sqlite").read_bytes())
        yield f"sqlite:///{path}"
        return
    server: services.PostgresServer = request.getfixturevalue("postgres_server")
    name, url = ready.copy_of(server, request.getfixturevalue("migrated_postgres"))
    yield url
    server.drop_database(name)


@pytest.fixture
async def bank(database: str) -> AsyncIterator[Bank]:
    """Yield a bank with three customers."""
    bank = await open_bank(database)
    await bank.settle(LI, WANG, CHEN)
    yield bank
    await bank.close()


@pytest.fixture
async def old_bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """Yield a bank that asks for an app of at least 3.2."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'old.db'}", minimum_versions=("app=3.2",))
    await bank.settle(LI)
    yield bank
    await bank.close()
