"""One bank per test, over SQLite and over PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bank import CHEN, LI, WANG, Bank, open_bank


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bank.db'}"
    return str(request.getfixturevalue("postgres_dsn"))


@pytest.fixture
async def bank(database: str) -> AsyncIterator[Bank]:
    """Yield a bank with three customers."""
    bank = await open_bank(database)
    await bank.settle(LI, WANG, CHEN)
    yield bank
    await bank.close()
