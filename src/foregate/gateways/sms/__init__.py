"""Sending text messages: what a message says, and the gateways that carry it.

A code is derived here, at the last moment, from the message's nonce: it exists in the worker's memory and in the
message, nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from foregate.local_time import Say, say_when
from foregate.ports import Message

# The message is for somebody who chose the outlet: the beginning of its name is enough.
OUTLET_CHARS = 18
# Who banks in yuan reads 人民币300.00元; an amount in another currency keeps its three letters.
YUAN = "CNY "


class SmsGateway(Protocol):
    """Carries a text to a phone. Raises Unreachable when it may be tried again."""

    async def open(self) -> None:
        """The house opens. A gateway that keeps a link begins to, and does not wait for it."""

    async def send(self, phone: str, text: str, message_id: str) -> None:
        """`phone` in E.164; `message_id` lets the gateway drop a repeated one."""

    async def close(self) -> None: ...


class Postman:
    """Turns an outbox message into words and hands it to the gateway: the outbox's `deliver`."""

    def __init__(
        self, gateway: SmsGateway, say: Say, code_of: Callable[[bytes, bool], str], facts: dict[str, str]
    ) -> None:
        self._gateway = gateway
        self._say = say
        self._code_of = code_of
        self._facts = facts

    async def deliver(self, message: Message) -> None:
        """Send one message."""
        if message.phone is None:
            return
        await self._gateway.send(message.phone, self.text_of(message), message.message_id)

    def text_of(self, message: Message) -> str:
        """Return what the message says."""
        facts = dict(self._facts) | message.facts
        if message.nonce is not None:
            facts["code"] = self._code_of(message.nonce, message.facts.get("long") == "yes")
            facts["purpose"] = self._say(message.language, f"journey.{message.facts['purpose']}.title")
        if "starts_at" in message.facts:
            moment, zone = int(message.facts["starts_at"]), message.facts["time_zone"]
            facts["when"] = say_when(self._say, message.language, moment, zone)
            facts["outlet"] = message.facts["outlet"][:OUTLET_CHARS]
        if message.facts.get("amount", "").startswith(YUAN):
            facts["amount"] = self._say(message.language, "language.yuan", number=message.facts["amount"][len(YUAN) :])
        return self._say(message.language, message.template, **facts)
