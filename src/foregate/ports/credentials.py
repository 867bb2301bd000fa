"""What members of staff sign in with, as it crosses a port. Secrets are in clear here, sealed in the store."""

from __future__ import annotations

from typing import Protocol

import msgspec

from foregate.ports.counter import StaffSessionRow


class StaffPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """A key pair that an authenticator keeps: the public half, and how often the private one was used."""

    credential_id: bytes
    staff_id: str
    public_key: bytes  # COSE
    sign_count: int  # 0: this authenticator does not count
    is_backed_up: bool  # synced between devices, so not bound to one
    created_at: int
    used_at: int


class StaffSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A password and the secret of the one-time codes. `last_step`: of the newest code that was taken (RFC 6238)."""

    staff_id: str
    password_hash: str
    totp_secret: str  # base32
    last_step: int
    created_at: int


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """Leave to choose credentials, once. `totp_secret` is drawn with it, so that a reload shows the same QR code."""

    staff_id: str
    code_digest: bytes
    totp_secret: str
    expires_at: int


class StaffChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator has to sign. It belongs to one browser, by its cookie, and to one purpose."""

    browser_digest: bytes
    purpose: str  # enrol | sign-in
    challenge: bytes
    expires_at: int


class StaffCredentials(Protocol):
    """Passkeys, passwords with one-time codes, and the leave to choose them."""

    async def put_enrolment(self, enrolment: Enrolment) -> None:
        """At most one for each member: a newer one replaces the older."""

    async def find_enrolment(self, code_digest: bytes, now: int) -> Enrolment | None: ...

    async def use_enrolment(self, code_digest: bytes, now: int) -> Enrolment | None:
        """Use it up, in one guarded statement. None: used, replaced, expired, or never there."""

    async def put_secret(self, secret: StaffSecret) -> None:
        """Insert, or replace."""

    async def secret_of(self, staff_id: str) -> StaffSecret | None: ...

    async def rehash(self, staff_id: str, was: str, password_hash: str) -> None:
        """Store the same password, hashed as today; guarded by the hash it was compared with."""

    async def accept_step(self, staff_id: str, password_hash: str, step: int) -> bool:
        """Take a one-time code, in one guarded statement. False: it or a newer one was taken, or the secret is new."""

    async def insert_passkey(self, passkey: StaffPasskey) -> None:
        """Raises Taken when this credential is known already."""

    async def find_passkey(self, credential_id: bytes) -> StaffPasskey | None: ...

    async def passkeys_of(self, staff_id: str) -> tuple[StaffPasskey, ...]: ...

    async def use_passkey(self, credential_id: bytes, was: int, sign_count: int, now: int) -> bool:
        """Guarded by the count it was compared with. False: it was used meanwhile, or it is gone."""

    async def forget_all(self, staff_id: str) -> None:
        """Drop passkeys, password, one-time codes and any leave to choose new ones."""

    async def put_challenge(self, challenge: StaffChallenge) -> None:
        """At most one for each browser: a newer one replaces the older."""

    async def take_challenge(self, browser_digest: bytes, purpose: str, now: int) -> bytes | None:
        """Use it up, in one guarded statement; None: used, expired, or another purpose."""

    async def charge(self, key: bytes, now: int) -> int | None:
        """Count one try ahead of the comparison, in one guarded statement; every STAFF_TRIES-th in a row locks.

        Returns how many in a row; None: locked now, and nothing was counted.
        """

    async def locked_seconds(self, key: bytes, now: int) -> int:
        """How long the lock lasts still."""

    async def succeed(self, key: bytes) -> None:
        """The comparison was right: forget the tries."""


class StaffSessions(Protocol):
    """Members of staff, signed in."""

    async def insert(self, row: StaffSessionRow) -> None:
        """At most SESSIONS_PER_STAFF stay; the one unused longest ends."""

    async def find(self, staff_id: str, session_id: str) -> StaffSessionRow | None: ...

    async def touch(self, staff_id: str, session_id: str, now: int) -> None: ...

    async def end(self, staff_id: str, session_id: str) -> bool: ...

    async def end_all(self, staff_id: str) -> int: ...
