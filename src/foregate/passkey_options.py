"""What an authenticator is asked, as browsers and phones read it (WebAuthn level 3, 5.10), and whose answer it is.

Written out here: asking needs no cryptography, and the library behind `passkey_wire` takes a fifth of a second to load.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from foregate.passkey_site import Site
from foregate.rules import limits

# ES256, EdDSA, RS256: what phones, computers and security keys sign with, by their COSE numbers.
ALGORITHMS: Final = (-7, -8, -257)


class Owner(msgspec.Struct, frozen=True):
    """For whom a passkey is made. `handle` comes back with every use; the names are what its owner sees."""

    handle: bytes
    name: str
    display_name: str


def b64(value: bytes) -> str:
    """Return base64url without padding, as WebAuthn writes bytes."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def to_sign_in(site: Site, challenge: bytes, known: Sequence[bytes] = ()) -> str:
    """Return, as JSON, what asks a browser for any passkey it has for us, or for one of those `known`."""
    return _json(
        {
            "challenge": b64(challenge),
            "timeout": limits.CHALLENGE_SECONDS * 1000,
            "rpId": site.id,
            "allowCredentials": _listed(known),
            "userVerification": "required",
        }
    )


def to_enrol(site: Site, owner: Owner, challenge: bytes, known: Sequence[bytes]) -> str:
    """Return, as JSON, what asks an authenticator for a new passkey that names its owner by itself."""
    return _json(
        {
            "rp": {"id": site.id, "name": site.name},
            "user": {"id": b64(owner.handle), "name": owner.name, "displayName": owner.display_name},
            "challenge": b64(challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
            "timeout": limits.CHALLENGE_SECONDS * 1000,
            "excludeCredentials": _listed(known),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
        }
    )


def credential_id_of(credential: str) -> bytes | None:
    """Return which credential an answer says it is of, or None when that cannot be read."""
    try:
        answer = msgspec.json.decode(credential, type=_Named)
        return base64.urlsafe_b64decode(answer.id + "=" * (-len(answer.id) % 4)) or None
    except (msgspec.MsgspecError, ValueError):
        return None


class _Named(msgspec.Struct):
    id: str


def _json(options: dict[str, Any]) -> str:
    return msgspec.json.encode(options).decode()


def _listed(known: Sequence[bytes]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": b64(credential_id)} for credential_id in known]
