"""Whose number is it still? Whoever runs the mobile networks is asked when a number last came to another SIM."""

from __future__ import annotations

from typing import Protocol

from foregate.rules.numbers import LastChange


class NumberChanges(Protocol):
    """Asked about numbers alone: no name, no account, and not what for."""

    async def last_change(self, phone: str) -> LastChange:
        """Return when this number (E.164) last came to another SIM, or that it is not known there.

        A SIM replaced, a number taken along to another network and a number given to somebody new are changes all.
        Raises Unreachable.
        """

    async def close(self) -> None: ...
