"""What a new password throws out beside the sessions: whatever a thief who was in may have left to come back by.

Rules
  1. Every remembered device but the one at hand. Remembering one's own again takes a tick at the next sign-in.
  2. Passkeys and linked accounts that are still cooling. Older ones stay, and the outcome names them: their owner was
     told when they were added, and has not objected for a day (decision 0031).
  3. Nothing here is a last way in: whoever set a password showed a number or a passkey that is older than that.
"""

from __future__ import annotations

import msgspec

from foregate.acts import tell
from foregate.rules import limits
from foregate.rules.consents import purpose_of
from foregate.rules.social import Attribute, Provider
from foregate.situation import Situation


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What was thrown out, and what else gets in still."""

    devices_forgotten: int
    passkeys_removed: int
    links_removed: int
    passkeys_left: int
    links_left: tuple[str, ...]
    has_face: bool

    @property
    def facts(self) -> dict[str, str | int]:
        """As an outcome says it."""
        return {
            "devices_forgotten": self.devices_forgotten,
            "passkeys_removed": self.passkeys_removed,
            "links_removed": self.links_removed,
            "passkeys_left": self.passkeys_left,
            "links_left": "+".join(self.links_left),
            "face_left": int(self.has_face),
        }


async def throw_out(at: Situation, phone: str) -> Left:
    """Forget what may be a thief's, tell of each, and return what is left."""
    customer_id, since = at.subject.customer_id, at.now - limits.COOLING_SECONDS
    others = [row for row in await at.tx.devices.of(customer_id) if row.device_id != at.device_id]
    for device in others:
        await at.tx.devices.forget(customer_id, device.device_id)
    keys = await at.tx.passkeys.of(customer_id)
    new_keys = [row for row in keys if row.created_at > since]
    for key in new_keys:
        await at.tx.passkeys.remove(customer_id, key.passkey_id)
        await tell(at, "sms.passkey-removed", phone)
    links = await at.tx.social.of(customer_id)
    new_links = [row.provider for row in links if row.linked_at > since]
    for provider in new_links:
        await unlink(at, customer_id, provider, phone)
    face = await at.tx.faces.find(customer_id)
    return Left(
        devices_forgotten=len(others),
        passkeys_removed=len(new_keys),
        links_removed=len(new_links),
        passkeys_left=len(keys) - len(new_keys),
        links_left=tuple(row.provider.value for row in links if row.provider not in new_links),
        has_face=face is not None and face.expires_at > at.now,
    )


async def unlink(at: Situation, customer_id: str, provider: Provider, phone: str) -> bool:
    """Let go of an account; what was agreed to for it is taken back with it. False: there was none."""
    if not await at.tx.social.unlink(customer_id, provider):
        return False
    for attribute in Attribute:
        await at.tx.consents.withdraw(customer_id, purpose_of(provider, attribute), at.now)
    await tell(at, f"sms.unlinked-{provider}", phone)
    return True
