"""An SMS gateway reached by HTTPS: one signed JSON request a message.

    POST <url>
    Content-Type: application/json
    Foregate-Signature: HMAC-SHA-256 of the body, hex
    Idempotency-Key: <message id>

    {"phone": "+8613800138000", "text": "...", "message_id": "..."}

2xx: accepted. 4xx other than 408 and 429: given up. All else: tried again, within the message's life.
"""

from __future__ import annotations

import hashlib
import hmac

import httpx2
import msgspec

from foregate.ports import Rejected, Unreachable

TIMEOUT_SECONDS = 5.0


class HttpSmsGateway:
    """Sends through one URL. Fits `SmsGateway`."""

    def __init__(self, url: str, secret: bytes) -> None:
        self._url = url
        self._secret = secret
        self._client = httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False)

    async def open(self) -> None:
        """Nothing to open: connections are made when they are needed."""

    async def send(self, phone: str, text: str, message_id: str) -> None:
        """Send one message. Raises Unreachable to be called again, Rejected not to."""
        body = msgspec.json.encode({"phone": phone, "text": text, "message_id": message_id})
        headers = {
            "Content-Type": "application/json",
            "Foregate-Signature": hmac.new(self._secret, body, hashlib.sha256).hexdigest(),
            "Idempotency-Key": message_id,
        }
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx2.HTTPError as wrong:
            raise Unreachable(f"SMS gateway: {type(wrong).__name__}") from None
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            raise Unreachable(f"SMS gateway answered {answer.status_code}")
        if answer.status_code >= 300:
            raise Rejected(f"SMS gateway answered {answer.status_code}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
