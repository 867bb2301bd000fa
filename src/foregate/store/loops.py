"""Work that is done again and again beside the requests: sending, sealing, purging."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from foregate.ports import Busy

_log: Final = logging.getLogger("foregate.store")


class Loop:
    """Calls `once` until `stop`. A round that fails is logged and tried again after the pause."""

    def __init__(self, pause_seconds: float) -> None:
        self._pause_seconds = pause_seconds
        self._woken = asyncio.Event()
        self.is_stopping = False
        self._has_ended = asyncio.Event()

    async def once(self) -> None:
        """Do one round. Cancelled only when the process is killed; `stop` lets it finish."""
        raise NotImplementedError

    async def run(self) -> None:
        """Work until `stop` is called."""
        try:
            while not self.is_stopping:
                await self._round()
                if not self.is_stopping:
                    await self._pause()
        finally:
            self._has_ended.set()

    async def stop(self) -> None:
        """Let the round under way finish, then return. Only after `run` was started."""
        self.is_stopping = True
        self.wake()
        await self._has_ended.wait()

    def wake(self) -> None:
        """Begin the next round now."""
        self._woken.set()

    async def _round(self) -> None:
        self._woken.clear()
        try:
            await self.once()
        except Busy as busy:
            _log.warning("%s waits: %s", type(self).__name__, busy)
        except Exception:
            # Nobody else would notice that it stopped; the next round may do better.
            _log.exception("%s failed in one round", type(self).__name__)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._pause_seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
