"""What both doubles keep: codes and tokens with their lives, the mode that a test chose, and the keys of Alipay."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from foregate.demo.providers.accounts import ACCOUNTS, Account

CODE_SECONDS: Final = 600
TOKEN_SECONDS: Final = 7200
REFRESH_SECONDS: Final = 30 * 86400
DEAD_SECONDS: Final = 30

MODES: Final = (
    "fine", "busy", "slow", "dead", "broken", "garbage", "endless", "expired", "used", "token-over", "blank",
    "tampered", "wrong-key", "unsigned", "reordered", "texts", "gbk", "another",
)  # fmt: skip


class Given(msgspec.Struct):
    """A code, or what it became."""

    app_id: str
    account: Account
    allowed: frozenset[str]
    at: float
    scope: str = ""
    is_used: bool = False
    token: str = ""
    refresh: str = ""
    token_until: float = 0
    refresh_until: float = 0


class Counterpart:
    """The memory of one provider's double. `now` may be turned by a test."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.mode = "fine"
        self.codes: dict[str, Given] = {}
        self.asked: list[str] = []  # which services were called, for tests

    def give_code(self, app_id: str, account: str, allowed: frozenset[str], scope: str = "") -> str:
        """The person agreed: a code for this app, good for ten minutes and once."""
        code = secrets.token_hex(16)
        self.codes[code] = Given(app_id, ACCOUNTS[account], allowed, self.now(), scope)
        return code

    def tokens_for(self, given: Given, refresh_seconds: int = REFRESH_SECONDS) -> Given:
        """The code was spent: tokens with their lives."""
        given.is_used = True
        given.token, given.refresh = f"{secrets.token_hex(20)}", f"{secrets.token_hex(20)}"
        given.token_until = self.now() + TOKEN_SECONDS
        given.refresh_until = self.now() + refresh_seconds
        return given

    def by_token(self, token: str) -> Given | None:
        """Return what an access token is worth, over or not."""
        return next((each for each in self.codes.values() if each.token and each.token == token), None)

    def by_refresh(self, token: str) -> Given | None:
        """Return what a refresh token is worth, over or not."""
        return next((each for each in self.codes.values() if each.refresh and each.refresh == token), None)

    async def behave(self, service: str) -> None:
        """Be slow or dead, when that is the mode."""
        self.asked.append(service)
        if self.mode == "slow":
            await asyncio.sleep(4)
        if self.mode == "dead":
            await asyncio.sleep(DEAD_SECONDS)


class Keys(msgspec.Struct, frozen=True):
    """The app's key, which the bank signs with, and Alipay's; `other` belongs to nobody."""

    app: RSAPrivateKey
    alipay: RSAPrivateKey
    other: RSAPrivateKey


def keys_in(folder: Path) -> Keys:
    """Read the keys, or make them; the bank's demo reads them from the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Keys(*(_key(folder / f"{name}.pem") for name in ("app", "alipay", "other")))


def _key(path: Path) -> RSAPrivateKey:
    if not path.exists():
        key = rsa.generate_private_key(65537, 2048)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path.with_suffix(".pub").write_bytes(public)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        path.chmod(0o600)
    read = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(read, RSAPrivateKey):
        raise TypeError(f"{path} holds another kind of key")
    return read
