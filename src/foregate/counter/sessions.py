"""Staff, signed in: is this session alive, whose is it, and how does it begin and end.

Rules
  1. A session opens with a secret of 256 random bits, of which the digest is kept, in a table that no customer's
     cookie reaches.
  2. Every request asks anew whether its owner still works here. Who was deactivated is out with the next click.
  3. What a page fetches by itself does not keep a session: left alone for STAFF_IDLE_SECONDS it is over.
  4. Signing in again, to consent, ends the session before: there is never an old secret that works.
"""

from __future__ import annotations

import secrets

import msgspec

from foregate.counter.guard import chain_of
from foregate.ids import new_id
from foregate.ports import Event, UnitOfWork
from foregate.ports.counter import StaffMember, StaffSessionRow
from foregate.rules import limits
from foregate.situation import World
from foregate.tokens import Token, parse

PASSKEY, PASSWORD = "passkey", "password+totp"


class OnDuty(msgspec.Struct, frozen=True):
    """Somebody of the staff, and the session that says so."""

    member: StaffMember
    session: StaffSessionRow


class Opened(msgspec.Struct, frozen=True):
    """A session that just began. `token` goes into the cookie and is kept nowhere else."""

    member: StaffMember
    token: str


async def check(world: World, text: str | None, *, is_used: bool = True) -> OnDuty | None:
    """Return who a token says is here, or None. `is_used`: a person asked, not the page by itself."""
    token = parse(text)
    if token is None:
        return None
    now = world.clock.now()
    async with world.store.begin() as tx:
        session = await tx.staff_sessions.find(token.customer_id, token.id)
        if session is None or not token.opens(session.secret_digest) or is_over(session, now):
            return None
        member = await tx.staff.find(session.staff_id)
        if member is None or not member.is_active:
            return None
        if is_used and session.seen_at + limits.SESSION_TOUCH_SECONDS <= now:
            await tx.staff_sessions.touch(session.staff_id, session.session_id, now)
    return OnDuty(member, session)


def is_over(session: StaffSessionRow, now: int) -> bool:
    """Say whether it was left alone for too long, or is as old as a session may be."""
    return session.expires_at <= now or session.seen_at + limits.STAFF_IDLE_SECONDS <= now


def is_fresh(session: StaffSessionRow, now: int) -> bool:
    """Say whether its owner has signed in so recently that a consent is theirs."""
    return now - session.created_at <= limits.STAFF_FRESH_SECONDS


async def begin(
    tx: UnitOfWork, member: StaffMember, method: str, *, source: str, now: int, instead_of: str | None = None
) -> Opened:
    """Open a session. `instead_of`: the token that this browser had before, which ends."""
    before = parse(instead_of)
    if before is not None:
        session = await tx.staff_sessions.find(before.customer_id, before.id)
        if session is not None and before.opens(session.secret_digest):
            await tx.staff_sessions.end(before.customer_id, before.id)
    token = Token(member.staff_id, new_id(), secrets.token_bytes(32))
    row = StaffSessionRow(
        staff_id=member.staff_id,
        session_id=token.id,
        secret_digest=token.digest,
        method=method,
        created_at=now,
        seen_at=now,
        expires_at=now + limits.STAFF_SESSION_SECONDS,
    )
    await tx.staff_sessions.insert(row)
    await tx.audit.record(staff_event(member.staff_id, "staff-signed-in", source, method=method), now)
    return Opened(member, token.text())


async def end(world: World, on_duty: OnDuty, source: str) -> None:
    """Sign out."""
    now, session = world.clock.now(), on_duty.session
    async with world.store.begin() as tx:
        if await tx.staff_sessions.end(session.staff_id, session.session_id):
            await tx.audit.record(staff_event(session.staff_id, "staff-signed-out", source), now)


def staff_event(staff_id: str, kind: str, source: str, *, actor: str | None = None, **details: str | int) -> Event:
    """Return an event of a member's own chain."""
    return Event(
        chain=chain_of(staff_id), kind=kind, actor=actor or f"staff:{staff_id}", source=source, details=details
    )
