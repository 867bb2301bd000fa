"""Faces for tests: real ones from the folder beside the project, if it is there; drawn ones otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from foregate.gateways.face import lock

DATA = Path(__file__).parents[2] / "shared" / "data" / "face"
WEIGHTS = DATA.parent / "models"
SIZE = (640, 480)


def models() -> Path:
    """Return the folder with the models, or skip the test."""
    folder = lock.default_folder()
    if missing := lock.faults(folder):
        pytest.skip(f"no models ({', '.join(missing)}): run script/models")
    return folder


def data(*parts: str) -> Path:
    """Return a file or folder of the pictures beside the project, or skip the test."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


@cache
def frames(clip: str, wanted: range) -> tuple[bytes, ...]:
    """Return some frames of a film, as a camera page sends them, or skip the test."""
    film, found = cv2.VideoCapture(str(data("clips", f"{clip}.mp4"))), []
    for index in range(wanted.stop):
        assert film.grab()
        if index in wanted:
            found.append(jpeg(cv2.resize(film.retrieve()[1], SIZE)))
    film.release()
    return tuple(found)


def jpeg(picture: object, quality: int = 85) -> bytes:
    """Write a picture as JPEG."""
    return bytes(cv2.imencode(".jpg", np.asarray(picture), [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def noise(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """Return a picture of nothing."""
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
