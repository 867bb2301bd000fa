"""A link that can be made bad: a forward proxy on a loopback address, between a browser and the bank.

What it does is decided anew for every request, by its path and by how many probes of the network check came before:
let through, late, slow, hung up on, never answered, or answered in the bank's place. A browser that hangs up is what a
bad link is to a page: nothing here pretends inside the browser.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, urlsplit

PROBE = "/v1/network/probe"
FILLER = "/v1/network/filler"
HANG_SECONDS = 30
PORTAL = b"<!doctype html><title>Wi-Fi</title><form action=login>Room number <input name=room></form>"


class Link:
    """How bad the link is just now. A probe that was lost stays lost, however often a browser asks again."""

    def __init__(self) -> None:
        self.port = 0
        self._serving: set[asyncio.Task[None] | None] = set()  # asyncio itself keeps no hold of them
        self.mend()

    def mend(self) -> None:
        """Let everything through."""
        self.probe_seconds = 0.0
        self.bytes_per_second = 0
        self.dropped: frozenset[int] = frozenset()
        self.hung: frozenset[int] = frozenset()
        self.portal = ""
        self._seen: dict[str, int] = {}

    def number_of(self, target: str) -> int:
        """Return the how manieth probe this is, from 1; the same one asked again has the same number."""
        return self._seen.setdefault(target, len(self._seen) + 1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request of a browser."""
        self._serving.add(asyncio.current_task())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            await _close(writer)
            self._serving.discard(asyncio.current_task())

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = head.partition(b"\r\n")[0].decode().split(" ")
        address = urlsplit(target)
        if address.path == PROBE and "nonce=0" != address.query:
            number = self.number_of(target)
            if number in self.dropped:
                return
            if number in self.hung:
                await asyncio.sleep(HANG_SECONDS)
                return
            await asyncio.sleep(self.probe_seconds)
        if self.portal and address.path.startswith(("/v1/", "/status")):
            writer.write(self._in_our_place())
            await writer.drain()
            return
        path = f"{address.path}?{address.query}" if address.query else address.path
        await self._pass(f"{method} {path} HTTP/1.1".encode(), head, address, reader, writer)

    def _in_our_place(self) -> bytes:
        if self.portal == "redirect":
            return b"HTTP/1.1 302 Found\r\nLocation: http://wifi.invalid/login\r\nContent-Length: 0\r\n\r\n"
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(PORTAL), PORTAL)

    async def _pass(
        self,
        line: bytes,
        head: bytes,
        address: SplitResult,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        ours = (b"proxy-", b"connection:")
        fields = [field for field in head.split(b"\r\n")[1:] if field and not field.lower().startswith(ours)]
        length = next((int(f.split(b":")[1]) for f in fields if f.lower().startswith(b"content-length:")), 0)
        body = await reader.readexactly(length)
        from_bank, to_bank = await asyncio.open_connection(address.hostname, address.port)
        to_bank.write(b"\r\n".join([line, *fields, b"Connection: close", b"", b""]) + body)
        is_slow = self.bytes_per_second and address.path.startswith(FILLER)
        try:
            while piece := await from_bank.read(1000 if is_slow else 65_536):
                writer.write(piece)
                await writer.drain()
                if is_slow:
                    await asyncio.sleep(len(piece) / self.bytes_per_second)
        finally:
            await _close(to_bank)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@contextmanager
def open_link() -> Iterator[Link]:
    """Open the link on a free port of its own thread."""
    link, ready, over = Link(), threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def listen() -> None:
        server = await asyncio.start_server(link.serve, "127.0.0.1", 0)
        link.port = server.sockets[0].getsockname()[1]
        loops.append(asyncio.get_running_loop())
        ready.set()
        await over.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(listen()), daemon=True)
    thread.start()
    assert ready.wait(10), "the link did not open"
    yield link
    loops[0].call_soon_threadsafe(over.set)
    thread.join(10)
