"""What is kept of faces: a template for each customer who consented, the challenge of a journey, pictures seen once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class FaceTemplateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's template, as the engine made it. `salt` makes the key that it is turned by; both go together."""

    customer_id: str
    template: bytes
    salt: bytes
    engine_id: str
    enrolled_at: int
    expires_at: int


class FaceChallengeRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a journey asks a face to do, and what was seen so far. `state` is sealed: it holds numbers of a face."""

    journey_id: str
    state: bytes
    expires_at: int


class Faces(Protocol):
    async def find(self, customer_id: str) -> FaceTemplateRow | None: ...

    async def put(self, row: FaceTemplateRow) -> None:
        """Write it in place of the one before."""

    async def remove(self, customer_id: str) -> bool:
        """Destroy template and salt. False: there was none."""

    async def ending(self, first: int, last: int, after: tuple[int, str], limit: int) -> tuple[tuple[int, str], ...]:
        """When whose face ends, of those that end from `first` to `last`, in that order, after the one given."""

    async def challenge(self, journey_id: str) -> FaceChallengeRow | None: ...

    async def put_challenge(self, row: FaceChallengeRow) -> None:
        """Write it in place of the one before."""

    async def note_pictures(self, digests: Sequence[bytes], expires_at: int) -> bool:
        """Remember these pictures until then. False: one of them was accepted before, or came twice."""
