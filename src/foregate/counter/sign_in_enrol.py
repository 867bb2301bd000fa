"""How members of staff come by what they sign in with: a code, handed over once, and a choice.

Rules
  1. An administrator issues the code and hands it over; it works once, for ENROLMENT_SECONDS, and only its digest
     is kept. It opens no session: it lets its bearer choose a passkey, or a password with one-time codes.
  2. Issuing one means: whatever this person signed in with is lost. It stops working in the same transaction.
  3. Choosing uses the code up in one guarded statement, so of two who race one is enrolled.
"""

from __future__ import annotations

import msgspec
import pyotp

from foregate.counter import sign_in_passkey
from foregate.counter.sessions import PASSKEY, PASSWORD, staff_event
from foregate.counter.sign_in import step_of
from foregate.counter.sign_in_passkey import ENROL, Ceremony
from foregate.passkey_site import Site
from foregate.ports import Taken, UnitOfWork
from foregate.ports.counter import StaffMember
from foregate.ports.credentials import Enrolment, StaffPasskey, StaffSecret
from foregate.rules import inputs, limits, passwords
from foregate.rules.inputs import BadInput
from foregate.situation import Refused, World
from foregate.symbols import in_groups, random_symbols

CODE_UNKNOWN, NOT_MADE = "enrolment-unknown", "passkey-not-made"


class Invited(msgspec.Struct, frozen=True):
    """Somebody who may choose. `uri` is what an authenticator app reads from the QR code."""

    member: StaffMember
    totp_secret: str
    uri: str


class BadChoice(msgspec.Struct, frozen=True):
    """What is wrong with which field of the choice."""

    wrong: dict[str, str]


async def issue(world: World, tx: UnitOfWork, staff_id: str, *, actor: str, source: str) -> str:
    """Return a new enrolment code; everything that the member signed in with before is dropped."""
    code, now = random_symbols(limits.LONG_CODE_SYMBOLS), world.clock.now()
    await tx.staff_credentials.forget_all(staff_id)
    await tx.staff_sessions.end_all(staff_id)
    await tx.staff_credentials.put_enrolment(
        Enrolment(
            staff_id=staff_id,
            code_digest=_digest(world, code),
            totp_secret=pyotp.random_base32(),
            expires_at=now + limits.ENROLMENT_SECONDS,
        )
    )
    await tx.audit.record(staff_event(staff_id, "staff-enrolment-issued", source, actor=actor), now)
    return in_groups(code)


async def look(world: World, code: str) -> Invited | Refused:
    """Return who may choose with this code."""
    async with world.store.begin() as tx:
        enrolment = await tx.staff_credentials.find_enrolment(_digest(world, code), world.clock.now())
        member = await tx.staff.find(enrolment.staff_id) if enrolment else None
    if enrolment is None or member is None or not member.is_active:
        return Refused(cause=CODE_UNKNOWN)
    return _invited(member, enrolment.totp_secret)


async def choose_password(
    world: World, code: str, *, password: str, one_time_code: str, bank: str, source: str
) -> StaffMember | Refused | BadChoice:
    """Set a password, and the one-time codes whose first one is typed in proof."""
    now, invited = world.clock.now(), await look(world, code)
    if isinstance(invited, Refused):
        return invited
    wrong: dict[str, str] = {}
    chosen = _new_password(password, invited.member, bank, wrong)
    step = step_of(invited.totp_secret, one_time_code, now)
    if step is None:
        wrong["one_time_code"] = "one-time-code"
    if chosen is None or step is None:
        return BadChoice(wrong)
    hashed = await world.hasher.hash(chosen)
    async with world.store.begin() as tx:
        used = await tx.staff_credentials.use_enrolment(_digest(world, code), now)
        if used is None:
            return Refused(cause=CODE_UNKNOWN)
        secret = StaffSecret(
            staff_id=used.staff_id,
            password_hash=hashed,
            totp_secret=used.totp_secret,
            last_step=step,
            created_at=now,
        )
        await tx.staff_credentials.put_secret(secret)
        await tx.audit.record(staff_event(used.staff_id, "staff-enrolled", source, method=PASSWORD), now)
    return invited.member


async def begin_passkey(world: World, site: Site, code: str) -> Ceremony | Refused:
    """Ask the browser of whoever has the code to make a passkey."""
    invited = await look(world, code)
    if isinstance(invited, Refused):
        return invited
    return await sign_in_passkey.begin_new(world, site, invited.member)


async def choose_passkey(
    world: World, site: Site, code: str, credential: str, *, browser: str | None, source: str
) -> StaffMember | Refused:
    """Keep the passkey that was made."""
    from foregate import passkey_wire

    now, invited = world.clock.now(), await look(world, code)
    if isinstance(invited, Refused):
        return invited
    async with world.store.begin() as tx:
        challenge = await tx.staff_credentials.take_challenge(sign_in_passkey.digest_of(browser), ENROL, now)
    made = passkey_wire.made(site, credential, challenge) if challenge else None
    if made is None:
        return Refused(cause=NOT_MADE)
    passkey = StaffPasskey(
        credential_id=made.credential_id,
        staff_id=invited.member.staff_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        is_backed_up=made.is_backed_up,
        created_at=now,
        used_at=0,
    )
    try:
        async with world.store.begin() as tx:
            used = await tx.staff_credentials.use_enrolment(_digest(world, code), now)
            if used is None or used.staff_id != passkey.staff_id:
                return Refused(cause=CODE_UNKNOWN)
            await tx.staff_credentials.insert_passkey(passkey)
            event = staff_event(
                used.staff_id, "staff-enrolled", source, method=PASSKEY, synced=int(passkey.is_backed_up)
            )
            await tx.audit.record(event, now)
    except Taken:
        return Refused(cause=NOT_MADE)
    return invited.member


def _invited(member: StaffMember, totp_secret: str) -> Invited:
    uri = pyotp.TOTP(totp_secret).provisioning_uri(name=member.user_name, issuer_name="Foregate")
    return Invited(member, totp_secret, uri)


def _new_password(text: str, member: StaffMember, bank: str, wrong: dict[str, str]) -> str | None:
    try:
        chosen = passwords.new_password(text, passwords.personal_words(member.user_name, member.name, bank))
    except BadInput as bad:
        wrong["password"] = "password-too-short-staff" if bad.code == "password-too-short" else bad.code
        return None
    if len(chosen) < limits.STAFF_PASSWORD_MIN:
        wrong["password"] = "password-too-short-staff"
        return None
    return chosen


def _digest(world: World, code: str) -> bytes:
    try:
        normal = inputs.normal_code(code)
    except BadInput:
        normal = ""
    return world.keyring.digest("staff-enrolment", normal)
