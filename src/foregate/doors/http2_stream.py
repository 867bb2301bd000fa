"""One request over HTTP/2 and its answer, as ASGI sees them. Who carries them is `doors/http2.py`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final, Literal, Protocol
from urllib.parse import unquote

import structlog
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hpack import NeverIndexedHeaderTuple
from starlette.types import Message, Scope

log = structlog.get_logger("foregate.http2")

Headers = list[tuple[bytes, bytes]]
Addresses = tuple[tuple[str, int | None] | None, tuple[str, int] | None]
# Of one connection, so they have no meaning in HTTP/2 (RFC 9113, 8.2.2).
HOP_BY_HOP: Final = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
WITHOUT_BODY: Final = (204, 304)


class Carrier(Protocol):
    """What a stream needs of its connection."""

    frames: H2Connection
    streams: dict[int, Stream]
    can_write: asyncio.Event

    def acknowledge(self, count: int, stream_id: int) -> None:
        """Let the peer send as much again as was taken."""

    def worked(self) -> None:
        """Something was sent."""

    def flush(self) -> None:
        """Write what is to be sent."""

    def flush_soon(self) -> None:
        """Write at the end of this turn of the loop."""


class Stream:
    """One request and its answer, as ASGI sees them."""

    def __init__(self, connection: Carrier, stream_id: int, scope: Scope, headers: Headers) -> None:
        self._connection, self._id, self._scope, self._headers = connection, stream_id, scope, headers
        self._body: list[tuple[bytes, int]] = []
        self._has_come = asyncio.Event()
        self.has_window = asyncio.Event()
        self.is_whole = False  # the body has come
        self._is_read = False  # and the application has it
        self._is_gone = False

    def bring(self, piece: bytes | None, counted: int = 0) -> None:
        """Take a piece of the body; None is its end."""
        if piece is None:
            self.is_whole = True
        else:
            self._body.append((piece, counted))
        self._has_come.set()

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        self._is_gone = True
        self._taken()
        self._has_come.set()
        self.has_window.set()

    async def run(self, app: Any) -> None:
        """Answer. What goes wrong is the edge's to tell; what gets past it resets this stream and no other."""
        try:
            await app(self._scope, self._receive, self._send)
        except Exception:
            log.exception("failed beyond the edge")
        if self._connection.streams.pop(self._id, None) is not None:
            self.leave()
            self._reset(ErrorCodes.INTERNAL_ERROR)  # the application ended before its answer did

    def _reset(self, why: ErrorCodes) -> None:
        with suppress(ProtocolError):  # the stream or the connection is over already
            self._connection.frames.reset_stream(self._id, why)
            self._connection.flush_soon()

    def _taken(self) -> bytes:
        """Take what has come of the body, so that as much again may come."""
        pieces, self._body = self._body, []
        self._connection.acknowledge(sum(counted for _, counted in pieces), self._id)
        return b"".join(piece for piece, _ in pieces)

    async def _receive(self) -> Message:
        while not self._is_gone and (self._is_read or not (self._body or self.is_whole)):
            self._has_come.clear()
            await self._has_come.wait()
        if self._is_gone:
            return {"type": "http.disconnect"}
        self._is_read = self.is_whole
        return {"type": "http.request", "body": self._taken(), "more_body": not self.is_whole}

    async def _send(self, message: Message) -> None:
        if self._is_gone:
            return
        if message["type"] == "http.response.start":
            headers = [*self._headers, *message.get("headers", ())]
            is_bare = self._scope["method"] == "HEAD" or message["status"] in WITHOUT_BODY
            self._connection.frames.send_headers(self._id, _sent(message["status"], headers), end_stream=is_bare)
            self._connection.worked()
            if is_bare:
                self._done()
        else:
            await self._send_body(memoryview(message.get("body", b"")), ends=not message.get("more_body", False))

    async def _send_body(self, left: memoryview, *, ends: bool) -> None:
        while left or ends:
            size = await self._room(len(left))
            if self._is_gone:
                return
            ends_here = ends and size == len(left)
            self._connection.frames.send_data(self._id, bytes(left[:size]), end_stream=ends_here)
            self._connection.worked()
            left = left[size:]
            if ends_here:
                self._done()
                return
            if left:
                self._connection.flush()  # so that a full transport says so, before more is made

    async def _room(self, wanted: int) -> int:
        """Return how much may be sent now; waits while it is nothing."""
        frames = self._connection.frames
        await self._connection.can_write.wait()
        while wanted and not self._is_gone:
            if (room := min(frames.local_flow_control_window(self._id), frames.max_outbound_frame_size)) > 0:
                return min(wanted, room)
            self.has_window.clear()
            await self.has_window.wait()
        return 0

    def _done(self) -> None:
        """All is said. Who still sends is told to stop."""
        self._connection.streams.pop(self._id, None)
        self.leave()
        if not self.is_whole:
            self._reset(ErrorCodes.NO_ERROR)


def scope_of(sent: Any, addresses: Addresses, state: dict[str, Any]) -> Scope | None:
    """Return a request as ASGI has it; None where it asks for no page (CONNECT)."""
    asked = {bytes(name): bytes(value) for name, value in sent if name[:1] == b":"}
    if b":path" not in asked or b":method" not in asked:
        return None
    headers: Headers = [(bytes(name), bytes(value)) for name, value in sent if name[:1] != b":" and name != b"cookie"]
    if b":authority" in asked:
        headers = [(b"host", asked[b":authority"]), *(item for item in headers if item[0] != b"host")]
    # Browsers send cookies one by one, so that each is compressed by itself (RFC 9113, 8.2.3).
    if crumbs := [bytes(value) for name, value in sent if name == b"cookie"]:
        headers.append((b"cookie", b"; ".join(crumbs)))
    raw_path, _, query = asked[b":path"].partition(b"?")
    scheme: Literal["https"] = "https"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "server": addresses[0],
        "client": addresses[1],
        "scheme": scheme,
        "method": asked[b":method"].decode("latin-1"),
        "root_path": "",
        "path": unquote(raw_path.decode("latin-1")),
        "raw_path": raw_path,
        "query_string": query,
        "headers": headers,
        "state": state.copy(),
    }


def _sent(status: int, headers: Headers) -> Headers:
    """Return an answer's headers as HTTP/2 has them. A cookie enters no table: lengths would tell about it (CRIME)."""
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in HOP_BY_HOP]
    hidden = [NeverIndexedHeaderTuple(*item) if item[0] == b"set-cookie" else item for item in kept]
    return [(b":status", str(status).encode()), *hidden]
