"""RSA2: RSASSA-PKCS1-v1_5 with SHA-256, as Alipay signs what it is asked and what it answers.

A request is signed over its parameters, sorted, raw, joined by `=` and `&`; an answer over the exact bytes of its
node, from `{` to the closing `}`, whatever order and spacing they came in.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

KEY_BITS_MIN: Final = 2048


def private_key(text: str) -> RSAPrivateKey:
    """Read our key: PEM, or the bare base64 that Alipay's tools write. Raises ValueError."""
    key = load_der_private_key(_der(text), None)
    if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS_MIN:
        raise ValueError(f"an RSA key of at least {KEY_BITS_MIN} bits is needed")
    return key


def public_key(text: str) -> RSAPublicKey:
    """Read Alipay's key. Raises ValueError."""
    key = load_der_public_key(_der(text))
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise ValueError(f"an RSA key of at least {KEY_BITS_MIN} bits is needed")
    return key


def signed(params: Mapping[str, str], key: RSAPrivateKey) -> dict[str, str]:
    """Return the parameters with their signature; empty ones go."""
    sent = {name: value for name, value in params.items() if value and name != "sign"}
    return sent | {"sign": base64.b64encode(key.sign(content(sent), PKCS1v15(), SHA256())).decode()}


def content(params: Mapping[str, str]) -> bytes:
    """Return what is signed of a request."""
    kept = sorted((name, value) for name, value in params.items() if value and name != "sign")
    return "&".join(f"{name}={value}" for name, value in kept).encode()


def is_signed(what: bytes, signature: str, key: RSAPublicKey) -> bool:
    """Say whether `signature`, in base64, is the key's over these very bytes."""
    try:
        key.verify(base64.b64decode(signature, validate=True), what, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _der(text: str) -> bytes:
    lines = (line.strip() for line in text.strip().splitlines())
    try:
        return base64.b64decode("".join(line for line in lines if not line.startswith("-----")), validate=True)
    except binascii.Error:
        raise ValueError("neither PEM nor base64") from None
