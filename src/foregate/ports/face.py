"""Faces, as they cross a port: pictures go in, what is wrong with them comes out, and never a score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from foregate.rules.faces import Closeness, Failure, Flaw
from foregate.rules.gestures import Gesture


class BadPicture(ValueError):
    """These bytes are no picture that we take. The text says why, and holds nothing of the picture."""


class Unusable(ValueError):
    """A template of another engine, or none at all: the face has to be shown anew."""


class Look(msgspec.Struct, frozen=True, array_like=True):
    """What the engine saw in one picture.

    `flaw` is for the person. `seen` is for the engine alone, when it judges: it holds numbers that know the face, so
    it is sealed like a template wherever it is kept, and gone when the journey is.
    """

    flaw: Flaw | None
    seen: bytes


class FaceEngine(Protocol):
    """Looks at pictures of faces, and compares them one with one.

    Pictures are JPEG, PNG or WebP, uncropped and not mirrored. They live in memory while they are looked at, and
    nowhere afterwards.
    """

    @property
    def engine_id(self) -> str:
        """Name what makes templates comparable: another engine, another id."""

    async def look(self, pictures: Sequence[bytes]) -> tuple[Look, ...]:
        """Look at pictures that are to be matched. Raises BadPicture, Busy."""

    async def watch(self, pictures: Sequence[bytes]) -> tuple[Look, ...]:
        """Look at the pictures of one gesture, in their order. Raises BadPicture, Busy."""

    def judge(self, looks: Sequence[Look]) -> Flaw | Failure | None:
        """Return why these pictures cannot be matched, or None: enough of them are good, live, of one person."""

    def judge_gesture(self, asked: Gesture, looks: Sequence[Look], watched: Sequence[Look]) -> Flaw | Failure | None:
        """Return why `watched` does not show what was asked for by the person in `looks`, or None."""

    def enrol(self, looks: Sequence[Look], key: bytes) -> bytes:
        """Make a template of pictures that `judge` has passed. `key` is the customer's own, 32 bytes or more."""

    def compare(self, looks: Sequence[Look], template: bytes, key: bytes, limit: int) -> Closeness:
        """Compare pictures that `judge` has passed with a template. `limit` is one of FACE_MATCH*. Raises Unusable."""

    @property
    def is_full(self) -> bool:
        """Say whether the next picture would be told that we are busy."""

    def close(self) -> None:
        """Stop the threads."""
