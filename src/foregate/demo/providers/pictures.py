"""Pictures of the doubles' people: a plain square of their colour, with a note in it that nobody should keep."""

from __future__ import annotations

import struct
import zlib
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from foregate.demo.providers.accounts import ACCOUNTS

SIDE = 132


async def picture_of(request: Request) -> Response:
    """Serve somebody's picture as PNG."""
    account = ACCOUNTS.get(request.path_params["key"])
    if account is None:
        return Response(status_code=404)
    return Response(png(account.colour), media_type="image/png")


@cache
def png(colour: tuple[int, int, int], side: int = SIDE) -> bytes:
    """Return a square of one colour, with a text chunk such as cameras leave."""
    row = b"\0" + bytes(colour) * side
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
        (b"tEXt", b"GPS\0120.15,30.28"),
        (b"IDAT", zlib.compress(row * side)),
        (b"IEND", b""),
    )
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
