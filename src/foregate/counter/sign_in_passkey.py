"""Sign-in of staff by passkey: the way that no copied page can fish (WebAuthn, user verification required).

Rules
  1. The challenge is ours: kept on the server, for one browser and one purpose, used once, for CHALLENGE_SECONDS.
  2. Whatever does not fit refuses: origin, site, type, signature, presence, verification, whose key it says it is.
  3. A key that counts its uses and counts back was copied: refused, and written into the record as such.
"""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

import msgspec

from foregate import passkey_options
from foregate.counter import sessions
from foregate.counter.guard import chain_of
from foregate.counter.sessions import Opened
from foregate.counter.sign_in import NOT_RECOGNISED
from foregate.passkey_site import Site
from foregate.ports import Event
from foregate.ports.counter import StaffMember
from foregate.ports.credentials import StaffChallenge, StaffPasskey
from foregate.rules import limits
from foregate.situation import Refused, World

ENROL, SIGN_IN = "enrol", "sign-in"


class Ceremony(msgspec.Struct, frozen=True):
    """What the browser is to do. `browser` goes into its cookie: nobody else may answer."""

    options: str  # JSON
    browser: str


def digest_of(browser: str | None) -> bytes:
    """Return what the store keeps of a ceremony's cookie."""
    return hashlib.sha256((browser or "").encode()).digest()


async def ask(world: World, purpose: str) -> tuple[str, bytes]:
    """Draw a challenge, and return the cookie that it belongs to."""
    browser, challenge = secrets.token_urlsafe(32), secrets.token_bytes(32)
    row = StaffChallenge(
        browser_digest=digest_of(browser),
        purpose=purpose,
        challenge=challenge,
        expires_at=world.clock.now() + limits.CHALLENGE_SECONDS,
    )
    async with world.store.begin() as tx:
        await tx.staff_credentials.put_challenge(row)
    return browser, challenge


async def begin(world: World, site: Site) -> Ceremony:
    """Ask for any passkey that this browser has for us: nobody has to say who they are first."""
    browser, challenge = await ask(world, SIGN_IN)
    return Ceremony(passkey_options.to_sign_in(site, challenge), browser)


async def finish(
    world: World, site: Site, credential: str, *, browser: str | None, source: str, instead_of: str | None = None
) -> Opened | Refused:
    """Check what the authenticator signed, and open a session."""
    from foregate import passkey_wire

    now, answer = world.clock.now(), passkey_wire.parsed(credential)
    async with world.store.begin() as tx:
        challenge = await tx.staff_credentials.take_challenge(digest_of(browser), SIGN_IN, now)
        passkey = await tx.staff_credentials.find_passkey(answer.raw_id) if answer else None
    if answer is None or challenge is None or passkey is None:
        return await _refused(world, passkey, "unknown", source)
    used = passkey_wire.used(site, answer, challenge, UUID(passkey.staff_id).bytes, passkey.public_key)
    if used is None or not passkey_wire.has_counted_on(passkey.sign_count, used.sign_count):
        return await _refused(world, passkey, "does-not-fit" if used is None else "counted-back", source)
    async with world.store.begin() as tx:
        member = await tx.staff.find(passkey.staff_id)
        is_used = await tx.staff_credentials.use_passkey(
            passkey.credential_id, passkey.sign_count, used.sign_count, now
        )
        if member is not None and member.is_active and is_used:
            return await sessions.begin(tx, member, sessions.PASSKEY, source=source, now=now, instead_of=instead_of)
    return await _refused(world, passkey, "inactive", source)


async def _refused(world: World, passkey: StaffPasskey | None, why: str, source: str) -> Refused:
    details: dict[str, str | int] = {"method": sessions.PASSKEY, "why": why}
    event = Event(chain="stranger-0", kind="staff-sign-in-refused", source=source, details=details)
    if passkey is not None:
        event = msgspec.structs.replace(event, chain=chain_of(passkey.staff_id))
    async with world.store.begin() as tx:
        await tx.audit.record(event, world.clock.now())
    return Refused(cause=NOT_RECOGNISED)


# ---------------------------------------------------------------- a new passkey


async def begin_new(world: World, site: Site, member: StaffMember) -> Ceremony:
    """Ask for a passkey to be made, one that names its owner by itself."""
    browser, challenge = await ask(world, ENROL)
    async with world.store.begin() as tx:
        known = await tx.staff_credentials.passkeys_of(member.staff_id)
    owner = passkey_options.Owner(UUID(member.staff_id).bytes, member.user_name, member.name)
    options = passkey_options.to_enrol(site, owner, challenge, [passkey.credential_id for passkey in known])
    return Ceremony(options, browser)
