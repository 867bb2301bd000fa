"""Ids made by the application, so that no database has to hand them out."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Protocol
from uuid import UUID

_lock = threading.Lock()
_last_ticks = 0

# A tick is 1/4096 of a millisecond: the 12 bits after the time that RFC 9562, 6.2, method 3 gives to sub-ms time.
_TICKS_PER_MS = 4096
_NS_PER_MS = 1_000_000


def new_id() -> str:
    """Return a new UUIDv7 in text form; each one made by this process is greater than the one before."""
    global _last_ticks
    with _lock:
        ticks = time.time_ns() * _TICKS_PER_MS // _NS_PER_MS
        # A clock that stands still or goes back must not give an id twice, nor one out of order.
        _last_ticks = ticks = max(ticks, _last_ticks + 1)
    milliseconds, fraction = divmod(ticks, _TICKS_PER_MS)
    version, variant = 0x7, 0b10
    bits = milliseconds << 80 | version << 76 | fraction << 64 | variant << 62 | secrets.randbits(62)
    return str(UUID(int=bits))


class Derives(Protocol):
    """The one thing that a keyring does here."""

    def derive(self, purpose: str, data: bytes) -> bytes: ...


def customer_id_of(keyring: Derives, core_ref: str) -> str:
    """Return the id that a person of the core bank has, or will have, in Foregate."""
    return derived_id(keyring, "customer", core_ref)


def derived_id(keyring: Derives, purpose: str, value: str) -> str:
    """Return an id that follows from `value` with a key."""
    raw = bytearray(keyring.derive(purpose, value.encode())[:16])
    raw[6] = raw[6] & 0x0F | 0x80  # version 8, RFC 9562: bits of our own making
    raw[8] = raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))
