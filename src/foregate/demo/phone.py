"""What the demo pages need of a simulated phone; `gateways.sms.simulated` fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Lying(Protocol):
    """A message as it lies on the phone. `at`: seconds since 1970; `code`: as a phone would offer it."""

    @property
    def message_id(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def code(self) -> str | None: ...


class SimulatedPhone(Protocol):
    """Every number there is, in one place."""

    async def messages(self, phone: str | None = None) -> Sequence[Lying]:
        """Return what lies on one phone, or on all, the newest first."""

    async def text_us(self, phone: str, text: str) -> bool:
        """Send the bank a text from this phone. False when it made no sense to the bank."""
