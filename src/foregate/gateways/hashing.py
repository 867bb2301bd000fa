"""Passwords and PINs: argon2id over a keyed digest, in a pool of its own.

The digest's key is not in the database, so a stolen table cannot be tried offline. The pool has as many threads as
there are processors (argon2 lets go of the interpreter) and a queue with an end: hashing is the most expensive
thing a stranger can ask for, and nothing else may starve by it.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from importlib.metadata import PackageNotFoundError, distribution
from typing import Final

from argon2 import extract_parameters
from argon2.exceptions import Argon2Error, InvalidHash
from argon2.low_level import ARGON2_VERSION, Type, hash_secret, verify_secret

from foregate.gateways.pool import Pool
from foregate.ports import Keyring
from foregate.rules import limits

SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
PEPPER: Final = "password-pepper"
BINDINGS: Final = "argon2-cffi-bindings"


class Argon2Hasher:
    """A `ports.Hasher`. Close it when done."""

    def __init__(self, keyring: Keyring, *, threads: int | None = None, queue: int = limits.HASH_QUEUE) -> None:
        self._keyring = keyring
        # As many as this process may use at once: more would only take turns, each with its 19 MiB.
        self._pool = Pool("password hashing", threads=threads or len(os.sched_getaffinity(0)), queue=queue)
        # Nobody's hash, with today's parameters: comparing with it takes as long as with anybody's.
        self._nobodys = _encoded(secrets.token_bytes(SALT_BYTES), secrets.token_bytes(HASH_BYTES))

    async def hash(self, secret: str) -> str:
        """Return the hash of `secret`. Raises Busy when the queue is full."""
        return await self._pool.run(lambda: self._hash(secret))

    async def verify(self, hashed: str | None, secret: str) -> bool:
        """Compare. None costs the same and is False. Raises Busy when the queue is full."""
        is_equal = await self._pool.run(lambda: self._verify(hashed or self._nobodys, secret))
        return is_equal and hashed is not None

    def needs_rehash(self, hashed: str) -> bool:
        """Say whether `hashed` was made with other parameters than today's."""
        try:
            found = extract_parameters(hashed)
        except InvalidHash:
            return True
        return (found.type, found.version, found.memory_cost, found.time_cost, found.parallelism) != (
            Type.ID, ARGON2_VERSION, limits.HASH_MEMORY_KIB, limits.HASH_PASSES, limits.HASH_LANES,
        )  # fmt: skip

    @property
    def is_full(self) -> bool:
        """Say whether every place in the queue is taken."""
        return self._pool.is_full

    def close(self) -> None:
        """Drop what waits, let what runs end."""
        self._pool.close()

    def _hash(self, secret: str) -> str:
        return hash_secret(
            self._keyed(secret),
            secrets.token_bytes(SALT_BYTES),
            time_cost=limits.HASH_PASSES,
            memory_cost=limits.HASH_MEMORY_KIB,
            parallelism=limits.HASH_LANES,
            hash_len=HASH_BYTES,
            type=Type.ID,
        ).decode()

    def _verify(self, hashed: str, secret: str) -> bool:
        try:
            return verify_secret(hashed.encode(), self._keyed(secret), Type.ID)
        except Argon2Error:
            return False

    def _keyed(self, secret: str) -> bytes:
        return self._keyring.derive(PEPPER, secret.encode())


def _encoded(salt: bytes, digest: bytes) -> str:
    def text(value: bytes) -> str:
        return b64encode(value).decode().rstrip("=")

    cost = f"m={limits.HASH_MEMORY_KIB:d},t={limits.HASH_PASSES:d},p={limits.HASH_LANES:d}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${text(salt)}${text(digest)}"


def which_build() -> str:
    """Return in one line whether the argon2 built for this processor runs, or the wheel for any."""
    try:
        wheel = distribution(BINDINGS).read_text("WHEEL") or ""
    except PackageNotFoundError:
        return "argon2: no bindings are installed"
    tags = [line.removeprefix("Tag:").strip() for line in wheel.splitlines() if line.startswith("Tag:")]
    # PyPI takes Linux wheels under `manylinux` or `musllinux` alone; plain `linux` was built on the spot.
    is_native = any(tag.rpartition("-")[2].startswith("linux_") for tag in tags)
    return (
        "argon2: built for this processor" if is_native else "argon2: stock wheel (script/argon2 builds a quicker one)"
    )
