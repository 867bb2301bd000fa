"""Proof `device` (have): a browser or app that this customer asked the bank to remember.

Looked at, never asked for: the cookie names the customer, the device and a 256-bit secret of which the store keeps
a digest. It counts only in journeys of the very customer it was remembered for.
"""

from __future__ import annotations

from foregate.ports import DeviceRow, UnitOfWork
from foregate.rules.words import DEVICE
from foregate.tokens import Token

PROOF = DEVICE


async def recognise(token: Token | None, customer_id: str, tx: UnitOfWork) -> DeviceRow | None:
    """Return the remembered device that `token` opens for this customer."""
    if token is None or token.customer_id != customer_id:
        return None
    device = await tx.devices.find(token.customer_id, token.id)
    return device if device is not None and token.opens(device.secret_digest) else None
