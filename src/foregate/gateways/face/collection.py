"""A folder of labelled pictures, as a bank collects it with consent.

    FOLDER/
    ├── anna/          a person: pictures of nobody else
    ├── ben/
    ├── live/          people before the camera
    ├── spoof/         pictures of people before the camera; a subfolder for each kind (print, phone, mask)
    └── clips/         films of one person each, to see which gestures are found

Whatever is there is measured; nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from foregate.gateways.face.arrays import Picture

PICTURES: Final = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
FILMS: Final = {".avi", ".mkv", ".mov", ".mp4", ".webm"}
LIVE, SPOOF, CLIPS = "live", "spoof", "clips"
SIDE_MIN: Final = 480  # pixels: smaller pictures are enlarged, since faces must be as large as before a camera
FRAMES_PER_SECOND: Final = 8
SECONDS_MAX: Final = 300


class OddFolder(ValueError):
    """A folder that nothing can be measured on; the text says what is expected."""


@dataclass(frozen=True)
class Collection:
    """What was found in a folder."""

    people: dict[str, list[Path]]
    live: list[Path]
    spoof: dict[str, list[Path]]  # by kind
    clips: list[Path]
    ignored: list[str]  # folders without a picture


def collect(folder: Path) -> Collection:
    """Look through a folder. Raises OddFolder when there is nothing to measure."""
    if not folder.is_dir():
        raise OddFolder(f"{folder} is no folder")
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    people = {path.name: _files(path, PICTURES) for path in inside if path.name not in (LIVE, SPOOF, CLIPS)}
    empty = sorted(name for name, files in people.items() if not files)
    found = Collection(
        {name: files for name, files in people.items() if files},
        _files(folder / LIVE, PICTURES),
        _kinds(folder / SPOOF),
        _files(folder / CLIPS, FILMS) + _files(folder, FILMS),
        empty,
    )
    if not (found.people or found.live or found.spoof or found.clips):
        nested = f" ({empty[0]} holds none: give the folder whose folders are people)" if empty else ""
        raise OddFolder(f"{folder} holds no pictures in folders of people, live or spoof, and no clips{nested}")
    if len(found.people) == 1 and not (found.live or found.spoof or found.clips):
        raise OddFolder(f"{folder} holds one person: false matches need another")
    return found


def read_picture(path: Path) -> Picture | None:
    """Return a picture, enlarged if it is small, or None when it is none."""
    picture = cv2.imdecode(np.frombuffer(path.read_bytes() or b"\0", np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    scale = SIDE_MIN / max(picture.shape[:2])
    if scale > 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return picture.astype(np.uint8, copy=False)


def read_film(path: Path) -> Iterator[Picture]:
    """Yield the pictures of a film, FRAMES_PER_SECOND of them, for SECONDS_MAX at most."""
    film = cv2.VideoCapture(str(path))
    try:
        step = max(1, round((film.get(cv2.CAP_PROP_FPS) or 25) / FRAMES_PER_SECOND))
        for index in range(step * FRAMES_PER_SECOND * SECONDS_MAX):
            if not film.grab():
                return
            if index % step == 0:
                is_there, picture = film.retrieve()
                if is_there:
                    yield picture.astype(np.uint8, copy=False)
    finally:
        film.release()


def _kinds(folder: Path) -> dict[str, list[Path]]:
    kinds = {SPOOF: _files(folder, PICTURES)}
    if folder.is_dir():
        kinds |= {path.name: _files(path, PICTURES) for path in sorted(folder.iterdir()) if path.is_dir()}
    return {kind: files for kind, files in kinds.items() if files}


def _files(folder: Path, endings: set[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in endings and path.is_file())
