"""Answers of other services, read up to a bound: none of them fills our memory."""

from __future__ import annotations

import httpx2


class Endless(httpx2.HTTPError):
    """The answer was longer than an honest one, and the rest of it was not read. To a client one failure more."""

    def __init__(self) -> None:
        super().__init__("an answer without end")


async def body_of(answer: httpx2.Response, bytes_max: int) -> bytes:
    """Return the body of a streamed answer. Raises Endless above `bytes_max`."""
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > bytes_max:
            raise Endless
    return bytes(body)
