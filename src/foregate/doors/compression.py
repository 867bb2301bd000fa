"""Answers as small as the client can read them: brotli where it may, gzip where it can, and what is tiny as it is.

Pages and files are compressed where they are made, once for everybody where everybody gets the same; all other text
(JSON, problems, calendars, tables) passes here on its way out. Which answers may be compressed at all is rule 3 of
`pages/render.py`: none mirrors what was typed beside a secret.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Iterable
from typing import Final

import brotli
from starlette.types import Message, Send

from foregate.rules import limits

DYNAMIC_QUALITY: Final = 5  # of brotli: 1 ms a page; 11 would take 20
GZIP_LEVEL: Final = 6
INLINE_BYTES: Final = 65_536  # 2 ms; more is done beside the loop, which everybody else waits for
NO_QUALITY: Final = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")
TEXT: Final = (
    b"text/html", b"text/plain", b"text/css", b"text/csv", b"text/calendar", b"text/javascript", b"application/json",
    b"application/problem+json", b"application/manifest+json", b"application/xml", b"image/svg+xml",
)  # fmt: skip
RawHeaders = Iterable[tuple[bytes, bytes]]


def coding_of(accepted: str) -> str | None:
    """Return the smallest coding that an `Accept-Encoding` takes: br, gzip, or none. A quality of 0 is a no."""
    taken = set()
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if not NO_QUALITY.fullmatch(quality):
            taken.add(name.strip())
    return next((coding for coding in ("br", "gzip") if coding in taken), None)


def squeezed(body: bytes, coding: str) -> bytes:
    """Return `body` in this coding, fast."""
    return (
        brotli.compress(body, quality=DYNAMIC_QUALITY) if coding == "br" else gzip.compress(body, GZIP_LEVEL, mtime=0)
    )


class Squeeze:
    """A `send` that holds the head of an answer in text until its body is there, and sends both smaller.

    An answer that is tiny, in pieces, or compressed already goes through untouched.
    """

    def __init__(self, send: Send, request_headers: RawHeaders) -> None:
        self._send = send
        self._request_headers = request_headers
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if _may_be_squeezed(message["headers"]):
                self._head = message
            else:
                await self._send(message)
            return
        if self._head is not None:
            head, self._head = self._head, None
            if not message.get("more_body"):
                message = await self._squeeze(head, message)
            await self._send(head)
        await self._send(message)

    async def _squeeze(self, head: Message, message: Message) -> Message:
        body = message.get("body", b"")
        if len(body) < limits.COMPRESSED_BYTES_MIN:
            return message
        kept = [(name, value) for name, value in head["headers"] if name != b"content-length"]
        if b"vary" in {name for name, _ in kept}:
            kept = [(name, _with_encoding(value) if name == b"vary" else value) for name, value in kept]
        else:
            kept.append((b"vary", b"Accept-Encoding"))
        accepted = next((value for name, value in self._request_headers if name == b"accept-encoding"), b"")
        if coding := coding_of(accepted.decode("latin-1")):
            is_long = len(body) > INLINE_BYTES
            body = await asyncio.to_thread(squeezed, body, coding) if is_long else squeezed(body, coding)
            kept.append((b"content-encoding", coding.encode()))
        head["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
        return {**message, "body": body}


def _with_encoding(vary: bytes) -> bytes:
    return vary if b"accept-encoding" in vary.lower() else vary + b", Accept-Encoding"


def _may_be_squeezed(headers: RawHeaders) -> bool:
    is_text = False
    for name, value in headers:
        if name == b"content-type":
            is_text = value.partition(b";")[0] in TEXT
        elif name == b"cache-control" and b"no-transform" in value:
            return False  # RFC 9111, 5.2.2.6: it is measured by its bytes
        elif name == b"content-encoding" or (name == b"content-length" and int(value) < limits.COMPRESSED_BYTES_MIN):
            return False
    return is_text
