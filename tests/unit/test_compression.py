"""Answers in text are made small for whoever can read them so, and nothing else is touched."""

from __future__ import annotations

import gzip
from typing import Any

import brotli
import pytest
from starlette.types import Message

from foregate.doors.compression import INLINE_BYTES, Squeeze, coding_of
from foregate.rules import limits

pytestmark = pytest.mark.anyio
LONG = b"a word and another " * 100


async def sent(
    body: bytes, media_type: str = "application/json", accepted: str = "gzip, br", pieces: int = 1, **headers: str
) -> tuple[dict[bytes, bytes], bytes]:
    """Send an answer through; return its headers and its body as they leave."""
    left: list[Message] = []

    async def send(message: Message) -> None:
        left.append(message)

    own = {"content-type": media_type, "content-length": str(len(body))} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in own.items()]
    through = Squeeze(send, [(b"accept-encoding", accepted.encode())])
    await through({"type": "http.response.start", "status": 200, "headers": raw})
    for n in range(pieces):
        piece = body[n * len(body) // pieces : (n + 1) * len(body) // pieces]
        await through({"type": "http.response.body", "body": piece, "more_body": n + 1 < pieces})
    assert "http.response.start" == left[0]["type"]
    whole = b"".join(message["body"] for message in left[1:])
    return dict(left[0]["headers"]), whole


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "br"), ("gzip, deflate", "gzip"), ("br;q=0, gzip", "gzip"), ("gzip;q=0.0, br;q=0", None),
        ("", None), ("identity", None), ("BR", "br"), ("gzip ; q = 0.5", "gzip"), ("zebra, brandy", None),
    ],
)  # fmt: skip
async def test_the_smallest_coding_that_is_taken(accepted: str, coding: str | None) -> None:
    """By name and not by letters; a quality of nothing is a no."""
    assert coding == coding_of(accepted)


async def test_each_coding_says_the_same() -> None:
    """What arrives is what was sent, and shorter; the length and what it depends on are said."""
    readers: dict[str, Any] = {"br": brotli.decompress, "gzip": gzip.decompress}
    for coding, read in readers.items():
        headers, body = await sent(LONG, accepted=coding)
        assert (LONG, coding.encode()) == (read(body), headers[b"content-encoding"])
        assert (str(len(body)).encode(), b"Accept-Encoding") == (headers[b"content-length"], headers[b"vary"])
        assert len(body) < len(LONG) / 4


@pytest.mark.parametrize(
    ("length", "is_small"), [(limits.COMPRESSED_BYTES_MIN, True), (limits.COMPRESSED_BYTES_MIN - 1, False)]
)
async def test_what_is_tiny_stays(length: int, is_small: bool) -> None:
    """The header that says so would be as long as what it saves; with a length in the head or without."""
    body = b"x" * length
    headers, left = await sent(body)
    assert is_small == (b"content-encoding" in headers)
    assert is_small == (len(left) < length)


@pytest.mark.parametrize("media_type", ["image/jpeg", "application/pdf", "text/event-stream", "application/zip"])
async def test_what_is_no_text_stays(media_type: str) -> None:
    """Pictures and papers are small already, and a stream is not held back."""
    headers, body = await sent(LONG, media_type)
    assert (False, LONG) == (b"content-encoding" in headers, body)


async def test_what_comes_in_pieces_or_small_stays() -> None:
    """No piece waits for the next, and nothing is compressed twice."""
    assert LONG == (await sent(LONG, pieces=3))[1]
    assert LONG == (await sent(LONG, content_encoding="br"))[1]


async def test_what_varies_varies_by_the_coding_too() -> None:
    """For whoever cannot read it small as well: a cache between must not mix them up."""
    assert b"Cookie, Accept-Encoding" == (await sent(LONG, vary="Cookie"))[0][b"vary"]
    assert b"accept-encoding" == (await sent(LONG, vary="accept-encoding"))[0][b"vary"]
    headers, body = await sent(LONG, accepted="")
    assert (b"Accept-Encoding", LONG) == (headers[b"vary"], body)


async def test_what_is_long_is_made_beside_the_loop() -> None:
    """And arrives as well."""
    long = LONG * (INLINE_BYTES // len(LONG) + 2)
    assert long == brotli.decompress((await sent(long))[1])
