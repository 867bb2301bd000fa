"""A phone for the demo and the tests: messages wait in memory, the newest first, for people to read.

It is no gateway for a bank: Foregate refuses to serve with it outside the demo.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from foregate.ports import Clock

KEPT = 200


class Received(msgspec.Struct, frozen=True):
    """A message as it lies on the phone. `at`: seconds since 1970."""

    phone: str
    text: str
    at: int
    message_id: str

    @property
    def code(self) -> str | None:
        """The code in it, as a phone would offer it."""
        found = re.search(r"\b(\d{6}|[0-9A-HJKMNP-TV-Z]{13})\b", self.text)
        return found[1] if found else None


class SimulatedPhones:
    """Every phone there is. Fits `SmsGateway`."""

    def __init__(self, clock: Clock, on_text: Callable[[str, str], Awaitable[bool]] | None = None) -> None:
        self._clock = clock
        self._messages: deque[Received] = deque(maxlen=KEPT)
        self.on_text = on_text

    async def open(self) -> None:
        """Nothing to open."""

    async def send(self, phone: str, text: str, message_id: str) -> None:
        """Lay a message on the phone; the same message twice lies there once."""
        if not any(message.message_id == message_id for message in self._messages):
            self._messages.appendleft(Received(phone, text, self._clock.now(), message_id))

    async def messages(self, phone: str | None = None) -> list[Received]:
        """Return what lies on one phone, or on all, the newest first."""
        return [message for message in self._messages if phone in (None, message.phone)]

    async def text_us(self, phone: str, text: str) -> bool:
        """Send the bank a text from this phone. False when it made no sense to the bank."""
        return await self.on_text(phone, text) if self.on_text else False

    async def close(self) -> None:
        """Nothing to close."""
