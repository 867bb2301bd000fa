"""HTTP/2 as the server speaks it, frame by frame: an application of this file, a client that may misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from starlette.types import Receive, Scope, Send

from foregate.doors.http2 import Chosen, Http2
from foregate.doors.tls import context_of
from foregate.rules import limits
from foregate.settings import Settings
from tests import certificates, services
from tests.certificates import HOST
from tests.served import anybody

pytestmark = pytest.mark.anyio
SOON = 10.0
LARGE = 600_000  # more than the windows of a client that says nothing hold
Headers = list[tuple[bytes, bytes]]


class Probe:
    """An application that does what its path says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.gone = asyncio.Event()
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        self.scopes.append(scope)
        self.running += 1
        try:
            await getattr(self, scope["path"][1:].partition("/")[0])(receive, send)
        finally:
            self.running -= 1

    async def echo(self, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        await self._answer(send, body)

    async def large(self, receive: Receive, send: Send) -> None:
        await self._answer(send, b"x" * LARGE)

    async def none(self, receive: Receive, send: Send) -> None:
        await self._answer(send, b"", 204)

    async def unread(self, receive: Receive, send: Send) -> None:
        await self._answer(send, b"too large", 413)

    async def wait(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()

    async def stream(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one ", b"two ", b"three"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})

    async def broken(self, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    async def half(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def _answer(self, send: Send, body: bytes, status: int = 200) -> None:
        headers = [(b"content-length", str(len(body)).encode()), (b"connection", b"close"), (b"set-cookie", b"a=b")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass
class Client:
    """One connection of a client. `said` is everything that the server has said on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: H2Connection = field(
        default_factory=lambda: H2Connection(H2Configuration(client_side=True, header_encoding=None))
    )
    said: list[events.Event] = field(default_factory=list)
    opens_windows: bool = True

    def flush(self) -> None:
        self.writer.write(self.frames.data_to_send())

    def ask(self, path: str, *more: tuple[str, str], method: str = "GET", ends: bool = True) -> int:
        """Send a request's headers; return its stream."""
        stream = self.frames.get_next_available_stream_id()
        pseudo = [(":method", method), (":path", path), (":scheme", "https"), (":authority", HOST)]
        self.frames.send_headers(stream, [*pseudo, *more], end_stream=ends)
        self.flush()
        return stream

    async def until(self, is_there: Callable[[], object]) -> None:
        """Read until something has been said."""
        async with asyncio.timeout(SOON):
            while not is_there():
                if not (content := await self.reader.read(65536)):
                    raise ConnectionError("closed")
                for event in self.frames.receive_data(content):
                    self.said.append(event)
                    if isinstance(event, events.DataReceived) and self.opens_windows:
                        self.frames.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                self.flush()

    def of(self, kind: type[events.Event], stream: int) -> list[events.Event]:
        return [event for event in self.said if isinstance(event, kind) and getattr(event, "stream_id", 0) == stream]

    def brought(self, stream: int) -> int:
        """How many bytes of an answer have come."""
        return sum(
            len(event.data)
            for event in self.said
            if isinstance(event, events.DataReceived) and event.stream_id == stream
        )

    async def answer(self, stream: int) -> tuple[int, Headers, bytes]:
        """Wait for a whole answer: status, headers, body."""
        await self.until(lambda: self.of(events.StreamEnded, stream) or self.of(events.StreamReset, stream))
        (head,) = self.of(events.ResponseReceived, stream)
        headers = [(bytes(name), bytes(value)) for name, value in head.headers]  # type: ignore[attr-defined]  # as asked
        body = b"".join(event.data for event in self.of(events.DataReceived, stream))  # type: ignore[attr-defined]  # too
        return int(dict(headers)[b":status"]), headers, body

    async def reset(self, stream: int) -> ErrorCodes | int | None:
        """Wait until the server resets a stream; say why."""
        await self.until(lambda: self.of(events.StreamReset, stream))
        code: ErrorCodes | int | None = self.of(events.StreamReset, stream)[0].error_code  # type: ignore[attr-defined]  # it is one
        return code

    async def goodbye(self) -> ErrorCodes | int | None:
        """Wait until the server closes the connection; say why."""
        await self.until(lambda: [e for e in self.said if isinstance(e, events.ConnectionTerminated)])
        (last,) = [event for event in self.said if isinstance(event, events.ConnectionTerminated)]
        return last.error_code


@dataclass
class Door:
    """A server in this loop."""

    probe: Probe
    server: uvicorn.Server
    port: int
    clients: list[Client] = field(default_factory=list)

    async def connect(self, alpn: str = "h2") -> Client:
        context = anybody()
        context.set_alpn_protocols([alpn])
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=HOST)
        client = Client(reader, writer)
        self.clients.append(client)
        if alpn == "h2":
            client.frames.initiate_connection()
            client.flush()
        return client


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate of these tests."""
    folder: Path = tmp_path_factory.mktemp("tls")
    pair = certificates.make(folder, HOST)
    return context_of(Settings(tls_certificate=str(pair.certificate), tls_key=str(pair.key)))


@pytest.fixture
async def door(context: ssl.SSLContext) -> AsyncIterator[Door]:
    """Serve the probe."""
    probe, port = Probe(), services.free_port()
    config = uvicorn.Config(
        probe, port=port, http=Chosen, ssl_context_factory=lambda config, default: context, lifespan="off",
        log_level="critical", server_header=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())  # without its signal handlers, which are the runner's
    while not server.started:  # noqa: ASYNC110 -- uvicorn tells by this alone
        await asyncio.sleep(0.01)
    door = Door(probe, server, port)
    yield door
    for client in door.clients:
        client.writer.transport.abort()
    server.should_exit = server.force_exit = True
    await serving


async def test_a_request_is_what_the_application_expects(door: Door) -> None:
    """Host, path, query; cookies that came in crumbs are one header, as over HTTP/1.1."""
    client = await door.connect()
    status, headers, body = await client.answer(
        client.ask("/echo/%E5%BC%80?a=1&b=2", ("cookie", "one=1"), ("cookie", "two=2"), ("accept", "*/*"))
    )
    (scope,) = door.probe.scopes
    assert (200, b"") == (status, body)
    assert ("2", "https", "GET") == (scope["http_version"], scope["scheme"], scope["method"])
    assert ("/echo/开", b"/echo/%E5%BC%80", b"a=1&b=2") == (scope["path"], scope["raw_path"], scope["query_string"])
    expected = [(b"host", HOST.encode()), (b"accept", b"*/*"), (b"cookie", b"one=1; two=2")]
    assert expected == scope["headers"]
    assert "127.0.0.1" == scope["client"][0]
    assert b"connection" not in dict(headers)


async def test_a_body_arrives_whole(door: Door) -> None:
    """Longer than a window: what was read makes room for more."""
    client, sent = await door.connect(), b"0123456789" * 20_000
    stream = client.ask("/echo", method="POST", ends=False)
    left = sent
    while left:
        room = min(client.frames.local_flow_control_window(stream), 16_384, len(left))
        if not room:
            count = len(client.said)
            await client.until(lambda count=count: len(client.said) > count)  # type: ignore[misc]  # bound now
            continue
        client.frames.send_data(stream, left[:room], end_stream=room == len(left))
        client.flush()
        left = left[room:]
    assert sent == (await client.answer(stream))[2]


@pytest.mark.parametrize("body", [b"", b"a=1"])
async def test_a_post_of_a_form(door: Door, body: bytes) -> None:
    """The shape of every form: headers, a piece, the end."""
    client = await door.connect()
    stream = client.ask("/echo", method="POST", ends=False)
    client.frames.send_data(stream, body, end_stream=True)
    client.flush()
    assert (200, body) == (await client.answer(stream))[::2]


async def test_that_settings_were_understood_is_said_with_the_answer(door: Door) -> None:
    """One packet fewer that may be lost before the page. Who asks for nothing is told all the same, a little later."""
    client = await door.connect()
    await client.until(lambda: client.of(events.RemoteSettingsChanged, 0))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.until(lambda: client.of(events.SettingsAcknowledged, 0))
    assert 204 == (await client.answer(client.ask("/none")))[0]
    assert client.of(events.SettingsAcknowledged, 0)
    idle = await door.connect()
    await idle.until(lambda: idle.of(events.SettingsAcknowledged, 0))


async def test_many_at_once_on_one_connection(door: Door) -> None:
    """Each has its own answer, and a long one holds nobody up."""
    client = await door.connect()
    streams = [client.ask("/large"), client.ask("/stream"), client.ask("/none"), client.ask("/large", method="HEAD")]
    answers = [await client.answer(stream) for stream in streams]
    assert [(200, LARGE), (200, 13), (204, 0), (200, 0)] == [(status, len(body)) for status, _, body in answers]


async def test_who_opens_no_window_gets_no_more(door: Door) -> None:
    """As much as the client has room for, and the rest when it has."""
    client = await door.connect()
    client.opens_windows = False
    stream = client.ask("/large")
    await client.until(lambda: client.brought(stream) == 65_535)
    client.opens_windows = True
    client.frames.increment_flow_control_window(LARGE)
    client.frames.increment_flow_control_window(LARGE, stream)
    client.flush()
    assert LARGE == len((await client.answer(stream))[2])


async def test_who_leaves_is_not_worked_for(door: Door) -> None:
    """A stream that is reset, and a connection that is gone, are told to the application."""
    client = await door.connect()
    stream = client.ask("/wait")
    await client.answer(client.ask("/none"))
    client.frames.reset_stream(stream, ErrorCodes.CANCEL)
    client.flush()
    await asyncio.wait_for(door.probe.gone.wait(), SOON)
    door.probe.gone.clear()
    client.ask("/wait")
    await client.answer(client.ask("/none"))
    client.writer.close()
    await asyncio.wait_for(door.probe.gone.wait(), SOON)


async def test_who_still_sends_what_nobody_reads_is_told_to_stop(door: Door) -> None:
    """An answer that came before the body's end ends the body as well."""
    client = await door.connect()
    stream = client.ask("/unread", method="POST", ends=False)
    assert (413, b"too large") == (await client.answer(stream))[::2]
    assert ErrorCodes.NO_ERROR == await client.reset(stream)
    assert 204 == (await client.answer(client.ask("/none")))[0]


@pytest.mark.parametrize("path", ["/broken", "/half"])
async def test_what_breaks_breaks_alone(door: Door, path: str) -> None:
    """The stream is reset; the connection and all others on it live on."""
    client = await door.connect()
    assert ErrorCodes.INTERNAL_ERROR == await client.reset(client.ask(path))
    assert 204 == (await client.answer(client.ask("/none")))[0]


async def test_what_asks_for_no_page_is_refused(door: Door) -> None:
    """CONNECT would make a proxy of us."""
    client = await door.connect()
    stream = client.frames.get_next_available_stream_id()
    client.frames.send_headers(stream, [(":method", "CONNECT"), (":authority", "elsewhere.test:443")])
    client.flush()
    assert ErrorCodes.PROTOCOL_ERROR == await client.reset(stream)
    assert [] == door.probe.scopes


# ---------------------------------------------------------------- what is bounded


async def test_requests_at_once(door: Door) -> None:
    """So many run; those whose stream was reset count until they have ended; one more is refused."""
    client = await door.connect()
    streams = [client.ask("/wait") for _ in range(limits.REQUESTS_PER_CONNECTION)]
    await client.until(lambda: client.said)
    client.frames.reset_stream(streams[0])  # makes room in HTTP/2; whoever answered it has to end first
    one_more = client.ask("/none")
    assert ErrorCodes.REFUSED_STREAM == await client.reset(one_more)
    assert 204 == (await client.answer(client.ask("/none")))[0]
    assert limits.REQUESTS_PER_CONNECTION - 1 == door.probe.running


async def test_streams_reset(door: Door) -> None:
    """So many are a restless person; one more is an attack (rapid reset)."""
    client = await door.connect()
    for _ in range(limits.RESETS_PER_CONNECTION):
        client.frames.reset_stream(client.ask("/wait"))
        assert 204 == (await client.answer(client.ask("/none")))[0]
    client.frames.reset_stream(client.ask("/wait"))
    client.flush()
    assert ErrorCodes.ENHANCE_YOUR_CALM == await client.goodbye()


async def test_a_burst_of_resets(door: Door) -> None:
    """All in one packet: those that cannot run are refused, and the connection outlives it."""
    client = await door.connect()
    for _ in range(limits.RESETS_PER_CONNECTION):
        client.frames.reset_stream(client.ask("/wait"))
    client.flush()
    await client.until(lambda: client.said)
    await asyncio.sleep(0.1)
    assert 204 == (await client.answer(client.ask("/none")))[0]
    assert 0 == door.probe.running


async def test_frames_that_bring_nothing(door: Door) -> None:
    """So many between two requests; one more ends it."""
    client = await door.connect()
    for _ in range(2):  # settings are agreed on before the second
        assert 204 == (await client.answer(client.ask("/none")))[0]
    for _ in range(limits.IDLE_FRAMES_PER_REQUEST):
        client.frames.ping(b"01234567")
    assert 204 == (await client.answer(client.ask("/none")))[0]
    for _ in range(limits.IDLE_FRAMES_PER_REQUEST + 1):
        client.frames.ping(b"01234567")
    client.flush()
    assert ErrorCodes.ENHANCE_YOUR_CALM == await client.goodbye()


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (1, False)])
async def test_bytes_of_headers(door: Door, more: int, is_taken: bool) -> None:
    """So many over all of them, each with 32 for its keep (RFC 9113, 10.5.1)."""
    client = await door.connect()
    pseudo = {":method": "GET", ":path": "/none", ":scheme": "https", ":authority": HOST}
    taken = sum(len(name) + len(value) + 32 for name, value in pseudo.items())
    stream = client.ask("/none", ("x", "y" * (limits.HEADER_BYTES - taken - 33 + more)))
    if is_taken:
        assert 204 == (await client.answer(stream))[0]
    else:
        assert ErrorCodes.ENHANCE_YOUR_CALM == await client.goodbye()


@pytest.mark.parametrize(("more", "is_open"), [(0, True), (1, False)])
async def test_a_frame_that_does_not_end(door: Door, more: int, is_open: bool) -> None:
    """Its beginning says 16 MB; nobody waits for them, nor keeps what came."""
    client = await door.connect()
    await client.until(lambda: client.said)
    await client.answer(client.ask("/none"))
    client.ask("/echo", method="POST", ends=False)
    await client.answer(client.ask("/none"))
    begins = b"\xff\xff\xff\x00\x00\x00\x00\x00\x03"  # a piece of the body of stream 3
    client.writer.write(begins + bytes(limits.PARTIAL_BYTES - len(begins) + more))
    if is_open:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.goodbye(), 0.5)
    else:
        assert ErrorCodes.ENHANCE_YOUR_CALM == await client.goodbye()


async def test_what_is_no_http2(door: Door) -> None:
    """Somebody who agreed on it and sends nonsense is hung up on."""
    client = await door.connect()
    await client.until(lambda: client.said)
    client.writer.write(b"\x00\x00\x05\x06" + bytes(10))  # a ping that is too short
    assert ErrorCodes.FRAME_SIZE_ERROR == await client.goodbye()
    assert 204 == (await (again := await door.connect()).answer(again.ask("/none")))[0]


async def test_a_connection_that_asks_nothing_more(door: Door) -> None:
    """It is kept so many seconds from its last word on, and then closed with a goodbye; nobody here waits for that."""
    client = await door.connect()
    assert 204 == (await client.answer(client.ask("/none")))[0]
    (connection,) = door.server.server_state.connections
    assert isinstance(connection, Http2)
    closes_in = connection.closes_at() - asyncio.get_running_loop().time()
    assert limits.KEEP_ALIVE_SECONDS - 1 < closes_in <= limits.KEEP_ALIVE_SECONDS
    waiting = client.ask("/wait")
    await client.answer(client.ask("/none"))
    connection.nothing_came()  # but somebody waits for an answer
    assert 204 == (await client.answer(client.ask("/none")))[0]
    client.frames.reset_stream(waiting)
    await client.answer(client.ask("/none"))
    connection.nothing_came()
    assert ErrorCodes.NO_ERROR == await client.goodbye()


async def test_stopping_lets_answers_end(door: Door) -> None:
    """What runs is answered, what is new is refused, and then the connection is closed."""
    client = await door.connect()
    posted = client.ask("/echo", method="POST", ends=False)
    await client.answer(client.ask("/none"))
    (connection,) = door.server.server_state.connections
    connection.shutdown()
    late = client.ask("/none")
    assert ErrorCodes.REFUSED_STREAM == await client.reset(late)
    client.frames.send_data(posted, b"still", end_stream=True)
    client.flush()
    assert b"still" == (await client.answer(posted))[2]
    assert ErrorCodes.NO_ERROR == await client.goodbye()


async def test_who_asks_for_http_1_gets_it(door: Door) -> None:
    """Old phones and scripts."""
    client = await door.connect("http/1.1")
    client.writer.write(f"GET /none HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    assert b"HTTP/1.1 204" in await asyncio.wait_for(client.reader.readuntil(b"\r\n"), SOON)
    assert "1.1" == door.probe.scopes[0]["http_version"]
    client.writer.close()
