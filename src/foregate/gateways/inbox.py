"""What customers text to the bank: the digits that a page showed them, from the number they say is theirs."""

from __future__ import annotations

import re

from foregate.ports import Clock, Keyring, Store
from foregate.rules import limits
from foregate.rules.inputs import BadInput, normal_phone, plain


class Inbox:
    """Keeps received digits for the journey that waits for them. The sender's number is the gateway's word."""

    def __init__(self, store: Store, keyring: Keyring, clock: Clock) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock

    async def take(self, phone: str, text: str) -> bool:
        """Keep one received text. False when no number or no digits could be made of it."""
        digits = re.sub(r"\D", "", plain(text))
        try:
            sender = normal_phone(phone)
        except BadInput:
            return False
        if len(digits) != limits.TEXT_DIGITS:
            return False
        expires_at = self._clock.now() + limits.INBOUND_TTL_SECONDS
        async with self._store.begin() as tx:
            await tx.codes.put_inbound(
                self._keyring.digest("phone", sender), self._keyring.digest("text-us", digits), expires_at
            )
        return True
