"""Databases that are made ready once in a run, and copied: migrating takes longer than most tests.

What a copy is of was migrated by `foregate.store.migrate`, so it is what migrating would have made.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from foregate.gateways.hashing import Argon2Hasher
from foregate.store import migrate
from foregate.store.keyring import Keys, generate_keys, parse_keys
from tests import services

# Addresses of copies on PostgreSQL: there is nothing to migrate there.
_copies: set[str] = set()


@cache
def folder() -> Path:
    """Return where this process keeps what it copies from; it goes when the process ends."""
    made = Path(tempfile.mkdtemp(prefix="foregate-ready-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def sqlite_file() -> Path:
    """Return a migrated database file, to be copied."""
    path = folder() / "migrated.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


def make(url: str) -> None:
    """Bring the database `url` to this version. A file that is not there yet is a copy of one that was brought."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        shutil.copy(sqlite_file(), path)
    elif url not in _copies:
        migrate.upgrade(url)


def copy_of(server: services.PostgresServer, template: str) -> tuple[str, str]:
    """Make a copy of a migrated database; return its name and its address."""
    name = server.create_database(template)
    _copies.add(server.dsn(name))
    return name, server.dsn(name)


@cache
def keys() -> Keys:
    """Return the keys of every bank that asks for none of its own, so that a hash made for one is good in the next."""
    return parse_keys(tomllib.loads(generate_keys()))


_hashes: dict[bytes, str] = {}  # by what is hashed, under its bank's keys


@contextmanager
def known_hashes(hasher: Argon2Hasher, keyring: Keys) -> Iterator[None]:
    """Let the hasher remember, while people are settled, what it hashed before with these keys, at full cost."""
    hash_anew: Callable[[str], Awaitable[str]] = hasher.hash

    async def remember(secret: str) -> str:
        at = keyring.digest("known-hash", secret)
        if at not in _hashes:
            _hashes[at] = await hash_anew(secret)
        return _hashes[at]

    hasher.hash = remember  # type: ignore[method-assign]  # this one, for a while
    try:
        yield
    finally:
        del hasher.hash
