"""Pictures of faces on their way in: from text to bytes, to the digests they are known by, and a customer's own key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from foregate.ports import Keyring
from foregate.ports.face import BadPicture
from foregate.rules import limits


def decoded(pictures: Sequence[str]) -> list[bytes]:
    """Return the bytes of pictures. Raises BadPicture."""
    if sum(len(text) for text in pictures) > limits.FACE_SET_BYTES * 4 // 3 + 4 * len(pictures):
        raise BadPicture("too large together")
    try:
        return [base64.b64decode(text, validate=True) for text in pictures]
    except (binascii.Error, ValueError):
        raise BadPicture("no base64") from None


def digests(keyring: Keyring, pictures: Sequence[str]) -> tuple[bytes, ...]:
    """Return what pictures are known again by. Nothing of the picture can be had from it."""
    return tuple(keyring.digest("face-picture", text.rstrip("=")) for text in pictures)


def key_of(keyring: Keyring, customer_id: str, salt: bytes) -> bytes:
    """Return the key that a customer's template is turned by: new with every salt, and gone with it."""
    return keyring.derive("face-turn", customer_id.encode() + salt)
