"""The keys: a file outside the database, so that neither a stolen database nor a stolen file is enough.

Rules
  1. Every key has 32 random bytes and one purpose; what is used is derived from it by HKDF-SHA-256 (RFC 5869).
  2. A sealed value names its key. The current key seals, every key in the file opens: to rotate, add one, make it
     current, and keep the old one until nothing names it.
  3. [index] and [audit] keys have no successor in place: what they made is looked up or verified by equality.

Theory of operation
  AES-GCM breaks when a nonce comes twice under one key, and random 96-bit nonces may be used for 2^32 messages
  only. A bank seals as many journeys in a year. So each message gets a key of its own, derived from 16 random
  bytes, beside its 12 random bytes of nonce: 224 bits that would have to meet.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
_MAKE_ONE: Final = "Make one with: foregate keys FILE"
_KEY_ID: Final = re.compile(r"[a-z0-9-]{1,16}")
# Fewer different bytes than this among 32 random ones comes up less than once in 2^100 files.
DISTINCT_BYTES_MIN: Final = 12


class WeakKeys(Exception):
    """The key file may not be used; the message says what to do."""


class Keys:
    """A `ports.Keyring` over keys in memory, with what the audit chain needs beside it."""

    def __init__(self, current: str, sealing: Mapping[str, bytes], index: bytes, audit: bytes) -> None:
        self._current = current
        self._sealing = {key_id: _derived(key, "seal") for key_id, key in sealing.items()}
        self._index, self._audit = index, audit
        self._subkeys: dict[str, bytes] = {}
        self._head = bytes([len(current)]) + current.encode()
        self._stand_in = self.encrypt(b"nobody's", "stand-in")

    def encrypt(self, plain: bytes, place: str) -> bytes:
        """AES-256-GCM under the current key; `place` (table.column:id) is associated data. Output names its key."""
        salt = os.urandom(SALT_BYTES + NONCE_BYTES)
        cipher = self._cipher(self._current, salt)
        return self._head + salt + cipher.encrypt(salt[SALT_BYTES:], plain, place.encode())

    def decrypt(self, sealed: bytes, place: str) -> bytes:
        """Undo `encrypt`. Raises ValueError when the text, its key or its place is not the one it was made with."""
        key_id, start = _key_id_of(sealed)
        if key_id not in self._sealing:
            raise ValueError(f"sealed with key {key_id!r}, which is not in the key file")
        salt = sealed[start : start + SALT_BYTES + NONCE_BYTES]
        try:
            text = sealed[start + len(salt) :]
            return self._cipher(key_id, salt).decrypt(salt[SALT_BYTES:], text, place.encode())
        except InvalidTag:
            raise ValueError(f"{place.partition(':')[0]}: altered, or moved from another row") from None

    def spend(self, values: int) -> None:
        """Open a stand-in that many times: a look-up that finds nobody takes as long as one that finds somebody."""
        for _ in range(values):
            self.decrypt(self._stand_in, "stand-in")

    def digest(self, purpose: str, value: str) -> bytes:
        """HMAC-SHA-256, 32 bytes: to look a value up without keeping it."""
        return hmac.digest(self._subkey(self._index, "digest:" + purpose), value.encode(), "sha256")

    def derive(self, purpose: str, data: bytes) -> bytes:
        """HMAC-SHA-256 as a pseudo-random function, 32 bytes: codes, tokens, decoys."""
        return hmac.digest(self._subkey(self._index, "derive:" + purpose), data, "sha256")

    def audit_mac(self, purpose: str, data: bytes) -> bytes:
        """HMAC-SHA-256 under the audit key: nobody without it can write an event that verifies."""
        return hmac.digest(self._subkey(self._audit, "audit:" + purpose), data, "sha256")

    def _cipher(self, key_id: str, salt: bytes) -> AESGCM:
        return AESGCM(hmac.digest(self._sealing[key_id], salt[:SALT_BYTES], "sha256"))

    def _subkey(self, key: bytes, purpose: str) -> bytes:
        # Purposes are constants of the code, so this stays small. They say which key they belong to.
        found = self._subkeys.get(purpose)
        if found is None:
            found = self._subkeys[purpose] = _derived(key, purpose)
        return found

    def __repr__(self) -> str:
        return f"Keys(current={self._current!r}, known={sorted(self._sealing)})"


def _key_id_of(sealed: bytes) -> tuple[str, int]:
    """Return the key's id and where the rest begins."""
    start = 1 + sealed[0] if sealed else 0
    if len(sealed) < start + SALT_BYTES + NONCE_BYTES or start < 2:
        raise ValueError("not a sealed value")
    return sealed[1:start].decode("ascii", "replace"), start


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"foregate/{purpose}".encode()).derive(key)


def generate_keys(key_id: str = "") -> str:
    """Return a new key file as TOML text. `key_id` names the sealing key: today's date unless given."""
    key_id = key_id or f"k{datetime.now(UTC):%Y%m%d}"
    return f"""\
# Foregate's keys. Whoever has this file and the database has everything: keep it apart from the database and from
# its backups, readable by Foregate's user alone (chmod 600), with a copy in a safe. Without it nothing can be read.
#
# To rotate: add a line under [keys], name it in `current`, restart.
# With several nodes add the line everywhere first, then name it. Keep the old line.

current = "{key_id}"

[keys]
{key_id} = "{_new_key()}"

[index]  # look-ups, codes and passwords depend on it: it stays for ever
digest = "{_new_key()}"

[audit]  # the record is verified with it: it stays as long as the record
seal = "{_new_key()}"
"""


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def load_keys(path: Path) -> Keys:
    """Read the key file. Raises WeakKeys when it is missing, open to others, or holds a key that is none."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise WeakKeys(f"The key file {path} is open to other users (mode {mode:o}). Run: chmod 600 {path}")
            content = tomllib.load(file)
    except FileNotFoundError:
        raise WeakKeys(f"There is no key file at {path}. {_MAKE_ONE}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WeakKeys(f"The key file {path} is not valid TOML: {error}") from None
    return parse_keys(content)


def parse_keys(content: Mapping[str, Any]) -> Keys:
    """Return the keys in a parsed key file. Raises WeakKeys, naming the entry and never its value."""
    sealing = content.get("keys")
    if not isinstance(sealing, dict) or not sealing:
        raise WeakKeys(f"The key file has no [keys]. {_MAKE_ONE}")
    current = content.get("current")
    if not isinstance(current, str) or current not in sealing:
        raise WeakKeys("In the key file `current` has to name one of the entries under [keys].")
    keys = {f"keys.{key_id}": value for key_id, value in sealing.items()}
    for section, entry in (("index", "digest"), ("audit", "seal")):
        table = content.get(section)
        keys[f"{section}.{entry}"] = table.get(entry) if isinstance(table, dict) else None
    checked = {name: _checked(name, value) for name, value in keys.items()}
    _refuse_shared(checked)
    return Keys(
        current,
        {key_id: checked[f"keys.{key_id}"] for key_id in sealing},
        checked["index.digest"],
        checked["audit.seal"],
    )


def _checked(name: str, value: object) -> bytes:
    key_id = name.partition(".")[2]
    if not _KEY_ID.fullmatch(key_id):
        raise WeakKeys(f"The key name {key_id!r} has to be 1 to 16 of a-z, 0-9 and -.")
    try:
        key = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise WeakKeys(f"{name} in the key file has to be {KEY_BYTES} bytes in base64. {_MAKE_ONE}")
    is_text = all(0x20 <= byte < 0x7F for byte in key)
    if len(set(key)) < DISTINCT_BYTES_MIN or is_text:
        raise WeakKeys(f"{name} in the key file is not random. {_MAKE_ONE}")
    return key


def _refuse_shared(keys: Mapping[str, bytes]) -> None:
    if len(set(keys.values())) != len(keys):
        raise WeakKeys("Two entries of the key file hold the same key; each needs its own.")


def write_keys(path: Path) -> None:
    """Make a key file that its owner alone can read. Raises FileExistsError rather than overwrite one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(generate_keys())
