"""Light and sharpness of a face, measured on its cut-out in grey: 112 x 112.

Out of focus shows in the Laplacian, which a shaken picture passes: its edges are sharp in the direction that it did
not move in. So fine detail is also looked for in eight directions, and the poorest counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from foregate.gateways.face.arrays import Floats, Picture

ROWS, COLUMNS = slice(20, 100), slice(20, 92)  # the face without hair and background
DARK, BURNT = 25, 250  # grey values of 255
COARSE, FINE_FROM, FINE_TO = 0.02, 0.12, 0.35  # cycles per pixel
DIRECTIONS = 8
WITHIN = 0.9  # |cos| of the angle to a direction
# Around each eye, and the cheek under it: middle across, middle down, half the width, half the height.
EYES = ((38, 52, 10, 7), (74, 52, 10, 7))
CHEEKS = ((36, 76, 8, 7), (76, 76, 8, 7))
COVERED_MEAN, COVERED_BRIGHTEST = 0.48, 0.72  # of the cheeks' light; open eyes reach 0.50 and 0.78 at least


@dataclass(frozen=True)
class Quality:
    """What `rules.faces.Measured` says of light and sharpness."""

    light: float
    shadow: float
    burnt: float
    sides: float
    sharp: float
    detail: float
    eyes_covered: bool


def measure(crop: Picture) -> Quality:
    """Measure one cut-out."""
    grey: Picture = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    face = grey[ROWS, COLUMNS].astype(np.float32)
    halves = sorted([float(face[:, :36].mean()), float(face[:, 36:].mean())])
    return Quality(
        light=float(face.mean()),
        shadow=float((face < DARK).mean()),
        burnt=float((face > BURNT).mean()),
        sides=halves[1] / max(halves[0], 1.0),
        sharp=float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        detail=_detail(face),
        eyes_covered=_covers_eyes(grey),
    )


def _covers_eyes(grey: Picture) -> bool:
    """Sunglasses: dark all over, where an eye is dark in the middle and light around it, spectacles or not."""
    cheeks = max(sum(float(_patch(grey, *place).mean()) for place in CHEEKS) / 2, 1.0)
    patches = [_patch(grey, *place) for place in EYES]
    means = max(float(patch.mean()) for patch in patches) / cheeks
    brightest = max(float(np.percentile(patch, 90)) for patch in patches) / cheeks
    return means < COVERED_MEAN or brightest < COVERED_BRIGHTEST


def _patch(grey: Picture, x: int, y: int, half_width: int, half_height: int) -> Picture:
    return grey[y - half_height : y + half_height, x - half_width : x + half_width]


def _detail(face: Floats) -> float:
    """Share of the power in fine detail, in thousandths, in the direction that has least of it."""
    window, above, fine = _masks(*face.shape)
    power = np.abs(np.fft.fft2((face - face.mean()) / max(face.std(), np.float32(1e-3)) * window)) ** 2
    whole = float(power[above].sum())
    return 1000 * min(float(power[mask].sum()) for mask in fine) / max(whole, 1e-9)


@cache
def _masks(rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], tuple[NDArray[np.bool_], ...]]:
    y, x = np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None]
    radius = np.hypot(x, y)
    fine = (radius >= FINE_FROM) & (radius <= FINE_TO)
    angles = np.arange(DIRECTIONS) * np.pi / DIRECTIONS
    cosines = [np.abs(x * np.cos(a) + y * np.sin(a)) / np.maximum(radius, 1e-9) for a in angles]
    return (
        np.outer(np.hanning(rows), np.hanning(columns)),
        radius > COARSE,
        tuple(fine & (cosine > WITHIN) for cosine in cosines),
    )
