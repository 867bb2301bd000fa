"""Threads for costly work, with a queue that has an end: whoever comes after that is told that we are busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from foregate.ports import Busy

T = TypeVar("T")


class Pool:
    """A fixed number of threads and of places to wait. Close it when done.

    Args:
        name: of the threads, and of the work in what Busy says.
        begin: run once by each thread before its first work.
    """

    def __init__(self, name: str, *, threads: int, queue: int, begin: Callable[[], None] | None = None) -> None:
        self._name = name
        self._room = threads + queue
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name, initializer=begin)

    async def run(self, work: Callable[[], T]) -> T:
        """Do the work in a thread. Raises Busy when every place is taken."""
        if self._room <= 0:
            raise Busy(f"every place in the queue for {self._name} is taken")
        self._room -= 1
        # The place is free again when the work is done, not when the visitor who asked for it hangs up.
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._executor, work)
        future.add_done_callback(self._leave)
        return await asyncio.shield(future)

    @property
    def is_full(self) -> bool:
        """Say whether every place is taken."""
        return self._room <= 0

    def close(self) -> None:
        """Drop what waits, let what runs end."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _leave(self, done: asyncio.Future[T]) -> None:
        self._room += 1
        if not done.cancelled():
            done.exception()  # looked at, lest asyncio complain when nobody waits any more
