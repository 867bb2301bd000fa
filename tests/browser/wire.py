"""A wire between a browser and the bank: a loopback proxy for TCP that breaks when it is told to.

`cut(LOST, n)` lets the n-th post through, waits until the bank has answered it, and resets the browser's connection
without handing over a byte of the answer; `cut(NEVER, n)` resets it before the bank has heard anything. After that
the wire is whole again.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests import services

LOST, NEVER = "answer-lost", "never-arrived"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: closing is a reset


@dataclass
class Wire:
    """Counts posts; breaks once, at the one it was told."""

    port: int = field(default_factory=services.free_port)
    bank_port: int = 0
    posts: int = 0
    breaks_at: int = 0
    how: str = LOST
    is_cut: bool = False

    def cut(self, how: str, at_post: int) -> None:
        """Break at this post, counted from now."""
        self.posts, self.breaks_at, self.how, self.is_cut = 0, at_post, how, False

    async def carry(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection, request by request, as browsers send them."""
        far, out = await asyncio.open_connection("127.0.0.1", self.bank_port)
        try:
            while True:
                request = await _message(near)
                self.posts += request.startswith(b"POST ")
                breaks = request.startswith(b"POST ") and self.posts == self.breaks_at and not self.is_cut
                if not breaks or self.how == LOST:
                    out.write(request)
                    answer = await _message(far)
                if breaks:
                    self.is_cut = True
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    break
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # gone, as browsers go
        finally:
            writer.transport.abort()
            out.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read one request or one answer: its head, and a body of the length that the head names."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return head + await reader.readexactly(int(length or 0))


@contextmanager
def open_wire() -> Iterator[Wire]:
    """Run a wire on a thread of its own. Where it leads is said with `bank_port`."""
    wire, ready, loop = Wire(), threading.Event(), asyncio.new_event_loop()
    over: list[asyncio.Event] = []

    async def listen() -> None:
        over.append(asyncio.Event())
        server = await asyncio.start_server(wire.carry, "127.0.0.1", wire.port)
        ready.set()
        await over[0].wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def serve() -> None:
        loop.run_until_complete(listen())
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield wire
    finally:
        loop.call_soon_threadsafe(over[0].set)
        thread.join(10)
