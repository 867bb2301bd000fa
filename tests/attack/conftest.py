"""Attacks run against a whole bank, over SQLite and over PostgreSQL. Each test names the bar that it holds."""

from tests.integration.conftest import bank, database

__all__ = ["bank", "database"]
