"""How we show the networks' token endpoint who we are: by a signed assertion, or by a secret.

CAMARA's security profile asks for `private_key_jwt` (OpenID Connect Core 9, RFC 7523): a JWT, signed with a key whose
public half the operator has, good for one endpoint and for a minute. Operators that are older than the profile take a
secret as HTTP Basic authentication (RFC 6749, 2.3.1).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import quote_plus

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS: Final = 60  # the profile allows 300 at most
RSA_BITS_MIN: Final = 2048
_COORDINATE_BYTES: Final = 32

SigningKey = RSAPrivateKey | EllipticCurvePrivateKey


class Credentials(Protocol):
    """Who we are at the token endpoint."""

    def of_request(self, token_url: str, now: int) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return what goes into the form, and into the headers."""


class ByAssertion:
    """`private_key_jwt`: RS256 for an RSA key, ES256 for one on P-256."""

    def __init__(self, client_id: str, key: SigningKey, key_id: str = "") -> None:
        self._client_id, self._key, self._key_id = client_id, key, key_id

    def of_request(self, token_url: str, now: int) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """A new assertion for every request: `jti` is never used twice."""
        claims: dict[str, str | int] = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": token_url,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._signed(claims)}
        return form, {}

    def _signed(self, claims: Mapping[str, str | int]) -> str:
        is_rsa = isinstance(self._key, RSAPrivateKey)
        header = {"typ": "JWT", "alg": "RS256" if is_rsa else "ES256"} | ({"kid": self._key_id} if self._key_id else {})
        signed = f"{_url64(msgspec.json.encode(header))}.{_url64(msgspec.json.encode(claims))}"
        return f"{signed}.{_url64(_signature(self._key, signed.encode('ascii')))}"


class BySecret:
    """`client_secret_basic`: id and secret are form-encoded before they are joined."""

    def __init__(self, client_id: str, secret: str) -> None:
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
        self._basic = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")

    def of_request(self, token_url: str, now: int) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The same for every request."""
        return {}, {"Authorization": self._basic}


def signing_key(pem: bytes) -> SigningKey:
    """Read our private key, PEM without a passphrase. Raises ValueError."""
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:  # it has a passphrase
        raise ValueError("it has a passphrase, which nobody could type at a start") from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= RSA_BITS_MIN:
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError(f"an RSA key of at least {RSA_BITS_MIN} bits is needed, or one on P-256")


def _signature(key: SigningKey, what: bytes) -> bytes:
    if isinstance(key, RSAPrivateKey):
        return key.sign(what, PKCS1v15(), SHA256())
    # JWS wants both numbers side by side, not the DER that the library makes (RFC 7518, 3.4).
    numbers = decode_dss_signature(key.sign(what, ECDSA(SHA256())))
    return b"".join(number.to_bytes(_COORDINATE_BYTES) for number in numbers)


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
