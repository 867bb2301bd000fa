"""The file of an anchor: one line for each seal, added at its end and never changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

# Of the end of the file: a line has about 110 bytes, and a torn one may stand last.
TAIL_BYTES: Final = 4096


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What an anchor keeps of a seal. In the order of the alphabet, as the lines are written."""

    at: int = 0
    hash: str
    seal: int


def append(path: Path, lines: list[Line]) -> None:
    """Add lines, and have them on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        os.write(descriptor, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> Iterator[Line | None]:
    """Yield every line; None for one that is damaged. Raises FileNotFoundError.

    Whoever asked for the anchor has to be told that it was not looked at.
    """
    with path.open("rb") as file:
        yield from (_line(raw) for raw in file if raw.strip())


def newest(path: Path) -> Line | None:
    """Return the last whole line; None: there is none, or no such file. Raises OSError when it cannot be read."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES)
            file.seek(start)
            tail = file.read()
    except FileNotFoundError:
        return None
    raws = tail.split(b"\n")[1 if start else 0 :]
    return next((line for raw in reversed(raws) if (line := _line(raw)) is not None), None)


def _line(raw: bytes) -> Line | None:
    try:
        return msgspec.json.decode(raw, type=Line)
    except msgspec.DecodeError:
        return None
