"""What passkeys say on the wire (WebAuthn level 3), by way of a library that nothing else here imports.

Loading it takes a fifth of a second, so `sign_in_passkey` imports this where the first passkey is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import webauthn
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from foregate.counter.passkey_site import Site
from foregate.ports.counter import StaffMember
from foregate.ports.credentials import StaffPasskey
from foregate.rules import limits

# What a library says of bytes that are no honest answer: its own word, or that of a decoder below it.
MALFORMED = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, OverflowError)


def options_to_sign_in(site: Site, challenge: bytes) -> str:
    """Return, as JSON, what asks a browser for any passkey it has for us."""
    options = webauthn.generate_authentication_options(
        rp_id=site.id,
        challenge=challenge,
        timeout=limits.CHALLENGE_SECONDS * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def parsed(credential: str) -> AuthenticationCredential | None:
    """Return what an authenticator signed, or None when it cannot be read."""
    try:
        return parse_authentication_credential_json(credential)
    except MALFORMED:
        return None


def counted(site: Site, answer: AuthenticationCredential, challenge: bytes, passkey: StaffPasskey) -> int | None:
    """Return how often the key was used now, or None when anything does not fit."""
    if answer.response.user_handle != UUID(passkey.staff_id).bytes:
        return None
    try:
        return webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        ).new_sign_count
    except MALFORMED:
        return None


def options_to_enrol(site: Site, member: StaffMember, challenge: bytes, known: Sequence[bytes]) -> str:
    """Return, as JSON, what asks an authenticator for a new passkey that names its owner by itself."""
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=site.name,
        user_id=UUID(member.staff_id).bytes,
        user_name=member.user_name,
        user_display_name=member.name,
        challenge=challenge,
        timeout=limits.CHALLENGE_SECONDS * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=credential_id) for credential_id in known],
    )
    return webauthn.options_to_json(options)


def made(site: Site, credential: str, challenge: bytes, staff_id: str, now: int) -> StaffPasskey | None:
    """Return the passkey that an authenticator made, or None when anything about it does not fit."""
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except MALFORMED:
        return None
    return StaffPasskey(
        credential_id=verified.credential_id,
        staff_id=staff_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        is_backed_up=verified.credential_backed_up,
        created_at=now,
        used_at=0,
    )
