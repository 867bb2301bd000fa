"""Bearer tokens of sessions and devices: whose, which, and a 256-bit secret of which only the digest is kept.

The token carries the customer's id so that a look-up goes to one shard and one row by key; the secret alone opens
it, and it is compared in constant time. Nothing in a token is ever taken as proved.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from hmac import compare_digest
from uuid import UUID

import msgspec

_LENGTH = 16 + 16 + 32


class Token(msgspec.Struct, frozen=True):
    """A parsed token. `secret` is 32 bytes."""

    customer_id: str
    id: str
    secret: bytes

    @property
    def digest(self) -> bytes:
        """What the store keeps: SHA-256, enough for a secret of 256 random bits."""
        return hashlib.sha256(self.secret).digest()

    def opens(self, digest: bytes) -> bool:
        """Compare with what the store keeps, in constant time."""
        return compare_digest(self.digest, digest)

    def text(self) -> str:
        """Return the token as it travels in a cookie."""
        raw = UUID(self.customer_id).bytes + UUID(self.id).bytes + self.secret
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def parse(text: str | None) -> Token | None:
    """Return the token, or None for anything that is not one."""
    if not text or len(text) != 86:
        return None
    try:
        # What `base64.urlsafe_b64decode` does, in half the time: every signed-in request does it.
        raw = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "==")
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _LENGTH:
        return None
    return Token(_uuid(raw[:16]), _uuid(raw[16:32]), raw[32:])


def _uuid(raw: bytes) -> str:
    # str(UUID(..)) by way of an object costs four times as much.
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
