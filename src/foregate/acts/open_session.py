"""Acts `open-basic-session` and `open-full-session`: let the customer in, as far as the row says.

Also the one place where a session is made. A session always gets a new name and secret; the one it grew out of
dies in the same transaction (ASVS 5.0, 7.2.4), and so does no other.
"""

from __future__ import annotations

import secrets
from typing import Any

from foregate.acts import Done, admit_anybody, prepare_nothing, record, tell
from foregate.counter.guard import raise_alarm
from foregate.ids import new_id
from foregate.ports import DeviceRow, SessionRow
from foregate.rules import limits
from foregate.rules.permission import UNKNOWN
from foregate.rules.words import Level
from foregate.situation import Refused, Situation
from foregate.tokens import Token

ACTS = ("open-basic-session", "open-full-session")
INPUT = None
AFTER_CHANGE = "signed-in-after-number-change"
admit = admit_anybody  # login permission was looked at by the desk
prepare = prepare_nothing


async def perform(prepared: Any, at: Situation) -> Done | Refused:
    """Open the session."""
    customer = at.customer
    if customer is None:
        return Refused(cause="not-registered")
    session, token = await open_session(at, at.row.session or Level.BASIC)
    await at.tx.customers.signed_in(customer.customer_id, at.now)
    if session.level is Level.FULL and at.lane == UNKNOWN:
        await tell(at, "sms.signed-in-elsewhere", customer.phone)
        if customer.cooling_until > at.now:
            # Usually the customer's new phone; a teller's new accomplice looks the same (TEL-05).
            await raise_alarm(at.tx, at.now, AFTER_CHANGE, actor="visitor", source=at.source, subject=at.chain)
    elif session.level is Level.BASIC and at.lane == UNKNOWN:
        alerts = await at.tx.alerts.of(customer.customer_id)
        if alerts is not None and alerts.sign_in:
            await tell(at, "sms.basic-sign-in", customer.phone)
    await record(at, "session-opened", level=session.level.value, session=session.session_id)
    return Done(session=session, session_token=token)


async def open_session(
    at: Situation, level: Level, device_id: str | None = None, *, customer_id: str | None = None
) -> tuple[SessionRow, Token]:
    """Insert a session with the evidence of this journey; the session it replaces ends."""
    token = Token(customer_id or at.subject.customer_id, new_id(), secrets.token_bytes(32))
    session = SessionRow(
        customer_id=token.customer_id,
        session_id=token.id,
        secret_digest=token.digest,
        level=level,
        evidence=tuple((evidence.proof, evidence.at) for evidence in at.evidence),
        device_id=device_id or at.device_id,
        agent=at.agent,
        created_at=at.now,
        seen_at=at.now,
        expires_at=at.now + limits.SESSION_SECONDS,
    )
    if at.session_id is not None:
        await at.tx.sessions.end(token.customer_id, at.session_id)
    await at.tx.sessions.insert(session)
    return session, token


async def remember_device(at: Situation, customer_id: str) -> Token:
    """Remember this browser for this customer; return what its cookie holds."""
    token = Token(customer_id, new_id(), secrets.token_bytes(32))
    device = DeviceRow(
        customer_id=customer_id,
        device_id=token.id,
        secret_digest=token.digest,
        agent=at.agent,
        created_at=at.now,
        seen_at=at.now,
    )
    await at.tx.devices.insert(device)
    return token
