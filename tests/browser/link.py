"""A link that a test can break: between the browser and the bank, with every way in which networks fail people."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

from tests import services

CHUNK_BYTES = 65536


class State(StrEnum):
    """How the link is. `HOLE`: taken and never answered. `DEAF`: the bank hears, its answer is lost. `CUT`: refused."""

    OPEN = "open"
    HOLE = "hole"
    DEAF = "deaf"
    CUT = "cut"


class Link:
    """Forwards to the bank, once its port is known, as far as its state lets it."""

    def __init__(self) -> None:
        self.port, self.bank_port = services.free_port(), 0
        self.state = State.OPEN
        self.requests = 0  # how many connections or pieces the browser sent while the link was not open
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()

    def become(self, state: State) -> None:
        """Change. What was under way is lost."""
        self.state = state
        done = asyncio.run_coroutine_threadsafe(self._drop(), self._loop)
        done.result(5)

    async def _drop(self) -> None:
        if self.state in (State.OPEN, State.CUT):
            for writer in list(self._writers):
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.state is State.CUT:
            self.requests += 1
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.bank_port)
        self._writers |= {writer, there_writer}
        await asyncio.gather(self._pump(reader, there_writer, out=True), self._pump(there_reader, writer, out=False))
        self._writers -= {writer, there_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, out: bool) -> None:
        with suppress(OSError):
            while piece := await reader.read(CHUNK_BYTES):
                self.requests += out and self.state is not State.OPEN
                if self.state is State.HOLE or (self.state is State.DEAF and not out):
                    continue
                writer.write(piece)
                await writer.drain()
        with suppress(OSError):
            writer.close()

    def run(self, ready: threading.Event) -> None:
        """Serve until stopped, on this thread."""

        async def serve() -> None:
            async with await asyncio.start_server(self._serve, "127.0.0.1", self.port):
                ready.set()
                await self._stopped.wait()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._stopped = asyncio.Event()
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(serve())

    def stop(self) -> None:
        """Stop serving."""
        self.become(State.CUT)
        self._loop.call_soon_threadsafe(self._stopped.set)

    def close(self) -> None:
        """Give everything back."""
        self._loop.close()


@contextmanager
def open_link() -> Iterator[Link]:
    """Yield a link that is open."""
    link, ready = Link(), threading.Event()
    thread = threading.Thread(target=link.run, args=(ready,), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield link
    finally:
        link.stop()
        thread.join(10)
        link.close()
