"""Pages that move by themselves: a stream says that something changed, and the page asks for its part again.

Rules
  1. A stream carries no data at all, so nothing has to be masked, escaped or kept in step twice.
  2. However many pages look at one thing, one reader asks the database, once a second.
  3. Streams are bounded by process and by member, end after STREAM_SECONDS, and end when their member is out.
  4. The page says which state it was drawn from, so what changed before the stream began is not missed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from starlette.responses import Response, StreamingResponse

from foregate.rules import limits

Reader = Callable[[], Awaitable[str]]
POLL_SECONDS = 1.0
BEAT_SECONDS = 15.0
CHANGED, OVER, BEAT = b"event: changed\ndata: \n\n", b"event: over\ndata: \n\n", b": \n\n"


def state_of(facts: object) -> str:
    """Return a short name of a state: of equal facts the same one."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


class _Watched:
    """One thing that is looked at."""

    def __init__(self, read: Reader, poll_seconds: float) -> None:
        self._read, self._poll_seconds = read, poll_seconds
        self.listeners = 0
        self._state = ""
        self._moved = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def join(self) -> None:
        self.listeners += 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    def leave(self) -> None:
        self.listeners -= 1
        if self.listeners == 0 and self._task is not None:
            self._task.cancel()

    async def changed_from(self, seen: str) -> str:
        async with self._moved:
            await self._moved.wait_for(lambda: self._state not in ("", seen))
            return self._state

    async def _watch(self) -> None:
        while True:
            # A database that does not answer now is asked again: the page stays as it is meanwhile.
            with suppress(Exception):
                state = await self._read()
                if state != self._state:
                    async with self._moved:
                        self._state = state
                        self._moved.notify_all()
            await asyncio.sleep(self._poll_seconds)


class Live:
    """Every stream of this process."""

    def __init__(self, poll_seconds: float = POLL_SECONDS, beat_seconds: float = BEAT_SECONDS) -> None:
        self._poll_seconds, self._beat_seconds = poll_seconds, beat_seconds
        self._watched: dict[str, _Watched] = {}
        self._open: Counter[str] = Counter()

    def response(
        self, who: str, key: str, seen: str, read: Reader, is_on_duty: Callable[[], Awaitable[bool]]
    ) -> Response:
        """Return a stream, or 503 when there are enough: the page can be reloaded by hand as ever."""
        if self._open.total() >= limits.STREAMS_PER_PROCESS or self._open[who] >= limits.STREAMS_PER_STAFF:
            return Response(status_code=503, headers={"Retry-After": "60"})
        return StreamingResponse(self.events(who, key, seen, read, is_on_duty), media_type="text/event-stream")

    async def events(
        self, who: str, key: str, seen: str, read: Reader, is_on_duty: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Yield `changed` whenever what `read` says is no longer `seen`."""
        watched = self._watched.setdefault(key, _Watched(read, self._poll_seconds))
        self._open[who] += 1
        watched.join()
        ends_at = asyncio.get_running_loop().time() + limits.STREAM_SECONDS
        try:
            yield b"retry: 2000\n\n"
            while asyncio.get_running_loop().time() < ends_at:
                try:
                    seen = await asyncio.wait_for(watched.changed_from(seen), self._beat_seconds)
                    yield CHANGED
                except TimeoutError:
                    if not await is_on_duty():
                        yield OVER
                        return
                    yield BEAT
        finally:
            self._leave(who, key, watched)

    def _leave(self, who: str, key: str, watched: _Watched) -> None:
        watched.leave()
        self._open[who] -= 1
        if self._open[who] <= 0:
            del self._open[who]
        if watched.listeners == 0 and self._watched.get(key) is watched:
            del self._watched[key]
