"""What the counter hands out, and what goes to a number that was given up: as they cross a port."""

from __future__ import annotations

from typing import Protocol

import msgspec


class PermitRow(msgspec.Struct, frozen=True, kw_only=True):
    """Leave to set a new password, on paper. `lent_until`: a journey has it in hand until then."""

    customer_id: str
    digest: bytes
    created_at: int
    expires_at: int
    lent_until: int = 0


class StopLinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """The right to freeze one login, in the notice to the number that it had before."""

    digest: bytes
    customer_id: str
    expires_at: int
    used_at: int = 0


class Permits(Protocol):
    """Permits, by customer and digest."""

    async def insert(self, row: PermitRow) -> None:
        """Write it; older ones of the customer are no good any more."""

    async def find(self, customer_id: str, digest: bytes) -> PermitRow | None: ...

    async def lend(self, customer_id: str, digest: bytes, now: int, until: int) -> bool:
        """Give it to one journey `until` then, in one guarded statement. False: expired, gone, or lent already."""

    async def latest(self, customer_id: str) -> int:
        """Return when the newest that is kept was given, whatever became of it; 0: none is kept."""

    async def end_all(self, customer_id: str) -> None:
        """The password is set, or the login frozen: no permit of this customer is good any more."""


class StopLinks(Protocol):
    """Links in notices, by digest alone: whoever opens one says nothing else."""

    async def insert(self, row: StopLinkRow) -> None: ...

    async def find(self, digest: bytes) -> str | None:
        """Return whose login it freezes, whether or not it still does."""

    async def use(self, digest: bytes, now: int) -> bool:
        """Use it, in one guarded statement. False: unknown, expired, used; within REPLAY_SECONDS it is the same tap."""
