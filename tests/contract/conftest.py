"""One store over SQLite and one over PostgreSQL; whoever asks for `store` is tested on both."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from foregate.store.keyring import Keys
from foregate.store.postgres import open_postgres
from foregate.store.sqlite import open_sqlite
from foregate.store.unit_of_work import SqlStore
from tests import ready, services
from tests.contract import samples

# A thousand tasks at once are meant to queue here, not to be turned away.
WAIT_SECONDS = 60


@pytest.fixture
def clock() -> samples.Clock:
    return samples.Clock()


@pytest.fixture(scope="session")
def keys() -> Keys:
    return samples.new_keys()


@pytest.fixture
def sqlite_path(migrated_sqlite: Path, tmp_path: Path) -> Path:
    """Return a fresh, migrated database file."""
    path = tmp_path / "store.sqlite"
    path.write_bytes(migrated_sqlite.read_bytes())
    return path


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the address of a fresh, migrated database."""
    server: services.PostgresServer = request.getfixturevalue("postgres_server")
    name, url = ready.copy_of(server, request.getfixturevalue("migrated_postgres"))
    yield url
    server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
async def store(
    request: pytest.FixtureRequest, anyio_backend: str, keys: Keys, clock: samples.Clock
) -> AsyncIterator[SqlStore]:
    """Yield an empty store over each database."""
    if request.param == "sqlite":
        path = request.getfixturevalue("sqlite_path")
        opened = await open_sqlite(path, keys, clock, wait_seconds=WAIT_SECONDS)
    else:
        url = request.getfixturevalue("postgres_url")
        opened = await open_postgres(url, keys, clock, wait_seconds=WAIT_SECONDS)
    yield opened
    await opened.close()
