"""A gateway by SMPP, opened for a test and closed behind it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from foregate.gateways.sms.smpp.gateway import Centre, OnText, SmppSmsGateway
from foregate.gateways.sms.smpp.pdus import Address
from tests.smsc import PASSWORD, SYSTEM_ID


async def nobody(phone: str, text: str) -> bool:
    """Take a text and lose it."""
    return True


@asynccontextmanager
async def open_smpp(
    port: int, on_text: OnText = nobody, tls: ssl.SSLContext | None = None, **changes: Any
) -> AsyncIterator[SmppSmsGateway]:
    """Open a gateway to a centre on loopback."""
    centre = Centre(
        host="127.0.0.1",
        port=port,
        tls=tls,
        system_id=SYSTEM_ID,
        password=PASSWORD,
        system_type="",
        source=Address("1069095000", 0, 1),
        is_ucs_2_only=False,
    )
    gateway = SmppSmsGateway(msgspec.structs.replace(centre, **changes), on_text)
    try:
        yield gateway
    finally:
        await gateway.close()
