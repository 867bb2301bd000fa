"""Sign-in of staff by password and one-time code, for whoever has no passkey at hand.

Rules
  1. A try is charged before anything is compared: STAFF_TRIES in a row, and the user name rests for
     STAFF_LOCK_SECONDS. A passkey signs in meanwhile, so a stranger who guesses keeps nobody from working.
  2. A user name that nobody has is charged, hashed, compared and refused like any other, in the same words.
  3. A one-time code is taken once: the step it belongs to has to be newer than the last one taken (RFC 6238, 5.2).
     One statement says so, together with the password's hash that was compared.
"""

from __future__ import annotations

import base64
from hmac import compare_digest

import msgspec
import pyotp

from foregate.counter import sessions
from foregate.counter.sessions import Opened, staff_event
from foregate.ports import Event, UnitOfWork
from foregate.ports.counter import StaffMember
from foregate.ports.credentials import StaffSecret
from foregate.rules import inputs, limits
from foregate.rules.inputs import BadInput
from foregate.situation import Refused, World

NOT_RECOGNISED, RESTING = "staff-not-recognised", "staff-resting"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed. `instead_of`: the session of this browser, if it has one, which a new one replaces."""

    user_name: str
    password: str
    code: str
    source: str
    instead_of: str | None = None


async def sign_in(world: World, claim: Claim) -> Opened | Refused:
    """Compare password and one-time code, and open a session. Raises Busy when no hash can be made now."""
    now, name = world.clock.now(), name_of(claim.user_name)
    key = world.keyring.digest("staff-tries", name)
    async with world.store.begin() as tx:
        if await tx.staff_credentials.charge(key, now) is None:
            return Refused(cause=RESTING, retry_in_seconds=await tx.staff_credentials.locked_seconds(key, now))
        member = await tx.staff.by_user_name(name)
        secret = await tx.staff_credentials.secret_of(member.staff_id if member else "")
    is_right = await world.hasher.verify(secret.password_hash if secret else None, _typed(claim.password))
    step = step_of(secret.totp_secret if secret else _nobodys(world, key), claim.code, now)
    async with world.store.begin() as tx:
        if is_right and step is not None and secret is not None:
            opened = await _open(tx, secret, step, claim, now)
            if opened is not None:
                await tx.staff_credentials.succeed(key)
                return opened
        await tx.audit.record(_refused(member, key, claim.source), now)
    return Refused(cause=NOT_RECOGNISED)


async def _open(tx: UnitOfWork, secret: StaffSecret, step: int, claim: Claim, now: int) -> Opened | None:
    member = await tx.staff.find(secret.staff_id)
    if member is None or not member.is_active:
        return None
    if not await tx.staff_credentials.accept_step(secret.staff_id, secret.password_hash, step):
        return None  # this very code was taken before: somebody looked over a shoulder, or pressed twice
    return await sessions.begin(
        tx, member, sessions.PASSWORD, source=claim.source, now=now, instead_of=claim.instead_of
    )


def step_of(totp_secret: str, code: str, now: int) -> int | None:
    """Return which step a one-time code belongs to, within TOTP_WINDOW_STEPS of now; None: none of them."""
    typed = "".join(c for c in code if c.isdecimal()).encode()
    codes, this = pyotp.TOTP(totp_secret), now // limits.TOTP_STEP_SECONDS
    steps = range(this - limits.TOTP_WINDOW_STEPS, this + limits.TOTP_WINDOW_STEPS + 1)
    # All of them are compared, whichever is right.
    right = [step for step in steps if compare_digest(codes.generate_otp(step).encode(), typed)]
    return right[-1] if right else None


def name_of(text: str) -> str:
    """Return a typed user name in its one spelling; what could never be one is simply nobody's."""
    try:
        return inputs.claimed_user_name(text)
    except BadInput:
        return ""


def _typed(password: str) -> str:
    try:
        return inputs.typed_password(password)
    except BadInput:
        return ""


def _nobodys(world: World, key: bytes) -> str:
    return base64.b32encode(world.keyring.derive("staff-nobody", key)[:20]).decode()


def _refused(member: StaffMember | None, key: bytes, source: str) -> Event:
    kind, details = "staff-sign-in-refused", {"method": sessions.PASSWORD}
    if member is not None:
        return staff_event(member.staff_id, kind, source, actor="visitor", **details)
    return Event(chain=f"stranger-{key.hex()[-1]}", kind=kind, source=source, details={**details})
