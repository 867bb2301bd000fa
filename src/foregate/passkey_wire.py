"""What passkeys say on the wire (WebAuthn level 3), by way of a library that nothing else here imports.

Loading it takes a fifth of a second, so whoever uses passkeys imports this where the first one is used. Staff and
customers share it: what an authenticator may say is one thing, whose it is another.
"""

from __future__ import annotations

import msgspec
import webauthn
from webauthn.helpers import parse_authentication_credential_json, parse_client_data_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    CredentialDeviceType,
)

from foregate.passkey_options import ALGORITHMS
from foregate.passkey_site import Site

# What a library says of bytes that are no honest answer: its own word, or that of a decoder below it.
MALFORMED = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)


class Used(msgspec.Struct, frozen=True):
    """What an authenticator said that fits. `is_synced_kind`: the key may be copied between its owner's devices."""

    sign_count: int  # 0: this authenticator does not count
    is_synced_kind: bool
    is_backed_up: bool


class Made(msgspec.Struct, frozen=True):
    """A new key pair: its public half."""

    credential_id: bytes
    public_key: bytes  # COSE
    sign_count: int
    is_synced_kind: bool
    is_backed_up: bool


def parsed(credential: str) -> AuthenticationCredential | None:
    """Return what an authenticator signed, or None when it cannot be read."""
    try:
        return parse_authentication_credential_json(credential)
    except MALFORMED:
        return None


def used(
    site: Site, answer: AuthenticationCredential, challenge: bytes, handle: bytes, public_key: bytes
) -> Used | None:
    """Return what a use says, or None when anything does not fit. Whether it counted on is the caller's to judge:
    only of a key whose signature is right does a count say anything."""
    if answer.response.user_handle != handle:
        return None
    try:
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=list(site.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        if parse_client_data_json(answer.response.client_data_json).cross_origin:
            return None  # our page in somebody else's frame
    except MALFORMED:
        return None
    return Used(verified.new_sign_count, _is_synced(verified.credential_device_type), verified.credential_backed_up)


def has_counted_on(was: int, now: int) -> bool:
    """Say whether a count that was `was` may be `now`. A key that counts back was copied; many never count."""
    return now > was or now == was == 0


def made(site: Site, credential: str, challenge: bytes) -> Made | None:
    """Return the passkey that an authenticator made, or None when anything about it does not fit."""
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=list(site.origins),
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
        )
    except MALFORMED:
        return None
    return Made(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        is_synced_kind=_is_synced(verified.credential_device_type),
        is_backed_up=verified.credential_backed_up,
    )


def _is_synced(kind: CredentialDeviceType) -> bool:
    return kind is CredentialDeviceType.MULTI_DEVICE
