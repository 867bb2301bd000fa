"""What customers have of their own, to choose from: sessions to end, devices to forget, passkeys to name or remove."""

from __future__ import annotations

from foregate.desk.sessions import idle_seconds
from foregate.desk.view import Option
from foregate.ports import UnitOfWork


async def options(tx: UnitOfWork, act: str, customer_id: str, now: int) -> tuple[Option, ...]:
    """Return what the act may be about; nothing where it is about nothing of that kind."""
    match act:
        case "revoke-session":
            sessions = await tx.sessions.of(customer_id)
            return tuple(
                Option(row.session_id, agent=row.agent) for row in sessions if row.seen_at + idle_seconds(row) > now
            )
        case "forget-device":
            return tuple(Option(row.device_id, agent=row.agent) for row in await tx.devices.of(customer_id))
        case "remove-passkey" | "rename-passkey":
            mine = await tx.passkeys.of(customer_id)
            return tuple(Option(row.passkey_id, row.name, None if row.name else row.agent) for row in mine)
    return ()
