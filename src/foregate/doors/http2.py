"""HTTP/2 for `foregate serve` with TLS of its own: one connection and short headers, for whoever has a slow link.

Over HTTP/1.1 a browser opens a second connection for the script while the page still arrives: three round trips and a
second certificate, just when the link is full. And each request says all its headers again, 600 bytes of them. Here
they are said once (decision 0026). Frames, header compression and flow control are `h2`'s; what it asks of a server
stands below. uvicorn speaks HTTP/1.1 as before to whoever asks for that.

Rules
  1. All is bounded: streams at once, requests that run on after their stream was reset, bytes of headers, bytes of a
     body not yet read (the flow control window), resets and frames that bring nothing.
  2. What the peer does not read is not made: a full transport stops the reading too.
  3. Answers in one piece leave in one piece: headers and body are written together, and what only says that settings
     were understood goes with them. A packet more is one more that may be lost, with all behind it waiting.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import structlog
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from foregate.doors.http2_stream import Addresses, Stream, scope_of
from foregate.rules import limits

log = structlog.get_logger("foregate.http2")
# What asks for no word of the connection's own: an answer follows, or none is needed soon.
UNHURRIED: Final = (
    events.RemoteSettingsChanged, events.SettingsAcknowledged, events.WindowUpdated, events.RequestReceived,
    events.StreamEnded, events.PriorityUpdated,
)  # fmt: skip


class Chosen(asyncio.Protocol):
    """A connection whose TLS handshake is done: it goes on in the protocol that was agreed on there. Fits uvicorn."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._parts = (config, server_state, app_state, _loop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TLS is over TCP
        """Hand the connection on."""
        agreed = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        protocol = Http2(*self._parts) if agreed == "h2" else HttpToolsProtocol(*self._parts)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


class Http2(asyncio.Protocol):
    """One connection: from frames to requests, and from answers to frames."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config, self._server, self._app_state = config, server_state, app_state
        self._loop = _loop or asyncio.get_running_loop()
        self.frames = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        bounds = {
            SettingCodes.MAX_CONCURRENT_STREAMS: int(limits.REQUESTS_PER_CONNECTION),
            SettingCodes.MAX_HEADER_LIST_SIZE: int(limits.HEADER_BYTES),
        }
        self.frames.local_settings = Settings(client=False, initial_values=bounds)
        self.frames.decoder.max_header_list_size = int(limits.HEADER_BYTES)
        self.streams: dict[int, Stream] = {}
        self.can_write = asyncio.Event()
        self.can_write.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None
        self._is_leaving = False
        self._is_flushing = False
        self._late: asyncio.TimerHandle | None = None
        self._resets = self._idle_frames = self._partial_bytes = 0

    # ------------------------------------------------------------ what the transport says

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TLS is over TCP
        """Begin with our settings."""
        self.transport = transport
        self._addresses: Addresses = get_local_addr(self.transport), get_remote_addr(self.transport)
        self._server.connections.add(self)  # type: ignore[arg-type]  # a set of those that can be shut down
        self.frames.initiate_connection()
        self.flush()
        self._wait_for_more()

    def data_received(self, data: bytes) -> None:
        """Take frames in."""
        try:
            found = self.frames.receive_data(data)
            self._look_at_length(len(data), is_whole=bool(found))
            for event in found:
                self._take(event)
        except ProtocolError as wrong:
            log.info("not spoken to in HTTP/2", why=type(wrong).__name__)
            self.flush()  # with the reason, which `h2` has put there
            self.transport.close()
            return
        if all(isinstance(event, UNHURRIED) for event in found):
            self._flush_late()
        else:
            self.flush()
        self._wait_for_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request that nobody is there any more."""
        self._server.connections.discard(self)
        for timer in (self._idle, self._late):
            if timer is not None:
                timer.cancel()
        self.can_write.set()
        for stream in list(self.streams.values()):
            stream.leave()
        self.streams.clear()

    def pause_writing(self) -> None:
        """The peer does not read: make nothing more for it, and take nothing more of it."""
        self.can_write.clear()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self.can_write.set()
        self.transport.resume_reading()

    def shutdown(self) -> None:
        """The server stops: what runs may end, what is new is refused. Called by uvicorn."""
        self._is_leaving = True
        if not self._tasks:
            self.close()

    # ------------------------------------------------------------ what the peer says

    def _take(self, event: events.Event) -> None:
        if isinstance(event, events.RequestReceived):
            self._idle_frames = 0
            self._begin(event.stream_id, event.headers)
        elif isinstance(event, events.DataReceived):
            self._bring(event)
        elif isinstance(event, events.StreamEnded):
            if stream := self.streams.get(event.stream_id):
                stream.bring(None)
        elif isinstance(event, events.StreamReset):
            self._count_reset()
            if stream := self.streams.pop(event.stream_id, None):
                stream.leave()
        elif isinstance(event, events.ConnectionTerminated):
            self._is_leaving = True
        else:
            self._count_idle()
            for stream in self.streams.values():  # a window may have opened, for one or for all
                stream.has_window.set()

    def _begin(self, stream_id: int, sent: Any) -> None:
        if self._is_leaving or len(self._tasks) >= limits.REQUESTS_PER_CONNECTION:
            self._reset(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        scope = scope_of(sent, self._addresses, self._app_state)
        if scope is None:
            self._reset(stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        stream = self.streams[stream_id] = Stream(self, stream_id, scope, self._server.default_headers)
        task = self._loop.create_task(stream.run(self._config.loaded_app))
        for tasks in (self._tasks, self._server.tasks):
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        task.add_done_callback(self._ended)

    def _reset(self, stream_id: int, why: ErrorCodes) -> None:
        with suppress(ProtocolError):  # the peer has done so already, further on in what it sent
            self.frames.reset_stream(stream_id, why)
            self.flush_soon()

    def _bring(self, event: events.DataReceived) -> None:
        stream = self.streams.get(event.stream_id)
        if not event.data:
            self._count_idle()
        if stream is None or not event.data:
            self.acknowledge(event.flow_controlled_length or 0, event.stream_id)
        else:
            stream.bring(event.data, event.flow_controlled_length or 0)

    def _look_at_length(self, count: int, *, is_whole: bool) -> None:
        """`h2` keeps a frame until it is whole before it finds it too long, up to 16 MB."""
        self._partial_bytes = 0 if is_whole else self._partial_bytes + count
        if self._partial_bytes > limits.PARTIAL_BYTES:
            self._refuse_more()

    def _count_reset(self) -> None:
        self._resets += 1
        if self._resets > limits.RESETS_PER_CONNECTION:
            self._refuse_more()

    def _count_idle(self) -> None:
        self._idle_frames += 1
        if self._idle_frames > limits.IDLE_FRAMES_PER_REQUEST:
            self._refuse_more()

    def _refuse_more(self) -> None:
        log.warning("connection closed", why="asks for nothing, too often")
        self.close(ErrorCodes.ENHANCE_YOUR_CALM)
        raise ProtocolError("enough")

    # ------------------------------------------------------------ what is sent

    def acknowledge(self, count: int, stream_id: int) -> None:
        """Let the peer send as much again as was taken."""
        try:
            if count:
                self.frames.acknowledge_received_data(count, stream_id)
        except ProtocolError:  # the stream or the connection is over
            return
        self.flush_soon()

    def worked(self) -> None:
        """Something was sent: frames that open a window for it were not for nothing."""
        self._idle_frames = 0
        self.flush_soon()

    def flush_soon(self) -> None:
        """Write at the end of this turn of the loop, so that headers and body leave together."""
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self.flush)

    def _flush_late(self) -> None:
        """Write with the next answer; and when none comes soon, all the same."""
        if self._late is None:
            self._late = self._loop.call_later(limits.SETTINGS_ACK_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what is to be sent."""
        self._is_flushing = False
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if (content := self.frames.data_to_send()) and not self.transport.is_closing():
            self.transport.write(content)

    def close(self, why: ErrorCodes = ErrorCodes.NO_ERROR) -> None:
        """Say goodbye and close."""
        if not self.transport.is_closing():
            for stream in list(self.streams.values()):
                stream.leave()
            self.frames.close_connection(why)
            self.flush()
            self.transport.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._server.total_requests += 1
        if self.transport.is_closing():
            return
        if self._is_leaving and not self._tasks:
            self._loop.call_soon(self.close)  # behind the flush of the last answer
        self._wait_for_more()

    def _wait_for_more(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self._loop.call_later(limits.KEEP_ALIVE_SECONDS, self.nothing_came)

    def closes_at(self) -> float:
        """When nothing comes until then, by the loop's clock."""
        return self._idle.when() if self._idle is not None else 0

    def nothing_came(self) -> None:
        """Nothing was sent to us for so long. Who waits for an answer keeps waiting, all others go."""
        if any(stream.is_whole for stream in self.streams.values()):
            self._wait_for_more()
        else:
            self.close()
