"""Where faces are: YuNet, with five points of each (eyes, nose, corners of the mouth).

YuNet answers for every cell of three grids how sure it is of a face whose middle lies there, and where its box and
points are, counted in cells. Run by onnxruntime this costs a third of what OpenCV's own reader takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import onnxruntime as ort

from foregate.gateways.face.arrays import Floats, Picture
from foregate.rules import limits

SIDE = 640  # pixels of the longer side: where the limits were measured
GRIDS = (8, 16, 32)  # pixels per cell
OVERLAP = 0.3
CANDIDATES = 100


@dataclass(frozen=True)
class Face:
    """One face, in pixels of the picture it was found in."""

    box: tuple[float, float, float, float]  # left, top, width, height
    points: Floats  # 5 x 2: the eye, the eye, nose, corner, corner, from the picture's left
    sureness: float

    @property
    def area(self) -> float:
        """Of its box, in pixels."""
        return self.box[2] * self.box[3]

    @property
    def eyes_apart(self) -> float:
        """Pixels between the eyes."""
        return float(np.linalg.norm(self.points[1] - self.points[0]))


class Detector:
    """Finds faces. Safe to use from several threads."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    def find(self, picture: Picture) -> list[Face]:
        """Return the faces, largest first, in a picture no longer than SIDE."""
        height, width = picture.shape[:2]
        # The grids need sides of whole cells; what is added is black.
        padded = np.zeros((1, 3, -(-height // 32) * 32, -(-width // 32) * 32), np.float32)
        padded[0, :, :height, :width] = picture.transpose(2, 0, 1)
        names = [f"{part}_{cell}" for cell in GRIDS for part in ("cls", "obj", "bbox", "kps")]
        answers = self._session.run(names, {"input": padded})
        rows = [
            _read(cell, padded.shape[3] // cell, *answers[index * 4 : index * 4 + 4])
            for index, cell in enumerate(GRIDS)
        ]
        return _faces(np.concatenate(rows))


def shrunk(picture: Picture) -> Picture:
    """Return the picture with its longer side at most SIDE."""
    scale = SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _read(cell: int, columns: int, sure: Floats, there: Floats, box: Floats, points: Floats) -> Floats:
    """Return rows of sureness, box and points, in pixels, of the cells that may hold a face."""
    sureness = np.sqrt(np.clip(sure[0, :, 0], 0, 1) * np.clip(there[0, :, 0], 0, 1))
    (kept,) = np.nonzero(sureness >= limits.FACE_DETECTED / 100)
    at = np.stack([kept % columns, kept // columns], axis=1).astype(np.float32)
    middle = (at + box[0, kept, :2]) * cell
    size = np.exp(box[0, kept, 2:]) * cell
    where = (points[0, kept].reshape(-1, 5, 2) + at[:, None]) * cell
    return np.concatenate(
        [sureness[kept, None], middle - size / 2, size, where.reshape(-1, 10)], axis=1, dtype=np.float32
    )


def _faces(rows: Floats) -> list[Face]:
    """Keep the surest of those that overlap."""
    kept: list[Face] = []
    for row in rows[np.argsort(-rows[:, 0])][:CANDIDATES]:
        left, top, width, height = (float(value) for value in row[1:5])
        face = Face((left, top, width, height), row[5:].reshape(5, 2), float(row[0]))
        if all(_overlap(face.box, other.box) <= OVERLAP for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.area)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
