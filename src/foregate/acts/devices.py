"""Acts `remember-device` and `forget-device`.

Remembering makes this browser a proof of the category *have*, so it asks for two categories afresh; forgetting
protects, so any session may.
"""

from __future__ import annotations

from typing import Any

from foregate.acts import Done, record, tell
from foregate.acts.end_sessions import End
from foregate.acts.open_session import open_session, remember_device
from foregate.rules import inputs
from foregate.rules.words import Level
from foregate.situation import Refused, Situation


class Remember(End):
    """`remember-device`: next time this phone counts as something you have."""

    ACTS = ("remember-device",)

    async def perform(self, prepared: Any, at: Situation) -> Done | Refused:
        """Remember it, and give the session a new name, since it may do more from now on."""
        customer = at.customer
        if customer is None:
            return Refused(cause="not-registered")
        device = await remember_device(at, customer.customer_id)
        session, token = await open_session(at, Level.FULL, device.id)
        await tell(at, "sms.device-remembered", customer.phone)
        await record(at, "device-remembered", device=device.id)
        return Done(session=session, session_token=token, device_token=device)


class Which(inputs.Answer, frozen=True):
    """Which device, by its id from the list."""

    device_id: inputs.Choice


class Forget(End):
    """`forget-device`: forget a device, and end the sessions on it."""

    ACTS = ("forget-device",)
    INPUT = Which

    async def perform(self, prepared: Which, at: Situation) -> Done | Refused:
        """Forget it; what is not the customer's own does not exist."""
        if not await at.tx.devices.forget(at.subject.customer_id, prepared.device_id):
            return Refused(cause="no-such-device")
        await at.tx.sessions.end_on_device(at.subject.customer_id, prepared.device_id)
        await record(at, "device-forgotten", device=prepared.device_id[:36])
        return Done(ends_session=prepared.device_id == at.device_id)


REMEMBER, FORGET = Remember(), Forget()
