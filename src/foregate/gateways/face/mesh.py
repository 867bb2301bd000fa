"""Which way a head is turned, and what mouth and eyes do: 468 points of the face, by MediaPipe's mesh.

OpenCV reads the file as it is, without TensorFlow or the package it came from. Its nets hold state, so each thread has
one of its own. Angles come from the mesh itself: across the face from cheek to cheek, down it from forehead to chin.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from foregate.gateways.face.arrays import Floats, Picture
from foregate.gateways.face.detector import Face

SIDE = 192
AROUND = 1.5  # of the face's box: what the mesh was trained on
OUTPUTS = ("conv2d_21",)

# Points of the mesh.
FOREHEAD, CHIN = 10, 152
RIGHT_CHEEK, LEFT_CHEEK = 234, 454  # the person's own right and left
UPPER_LIP, LOWER_LIP, RIGHT_CORNER, LEFT_CORNER = 13, 14, 61, 291
EYES = ((159, 145, 33, 133), (386, 374, 362, 263))  # upper lid, lower lid, corner, corner


class Mesh:
    """Finds the points of a face. For one thread."""

    def __init__(self, file: Path) -> None:
        self._net = cv2.dnn.readNetFromTFLite(str(file))

    def points(self, picture: Picture, face: Face) -> Floats:
        """Return 468 points, x, y and depth, with the eyes level."""
        left, top, width, height = face.box
        across = face.points[1] - face.points[0]
        side = AROUND * max(width, height)
        middle = (left + width / 2, top + height / 2)
        turn = cv2.getRotationMatrix2D(middle, math.degrees(math.atan2(across[1], across[0])), SIDE / side)
        turn[0, 2] += SIDE / 2 - middle[0]
        turn[1, 2] += SIDE / 2 - middle[1]
        cut = cv2.warpAffine(picture, turn, (SIDE, SIDE))
        self._net.setInput(cv2.dnn.blobFromImage(cut, 1 / 255, (SIDE, SIDE), swapRB=True))
        return np.asarray(self._net.forward(list(OUTPUTS))[0], np.float32).reshape(468, 3)


def pitch(points: Floats) -> float:
    """Degrees upwards.

    Level is between -18 and 25, as the face and the camera's height have it: only changes say much.
    """
    down = points[CHIN] - points[FOREHEAD]
    return math.degrees(math.atan2(down[2], down[1]))


def yaw(points: Floats) -> float:
    """Degrees to the person's own left."""
    across = points[LEFT_CHEEK] - points[RIGHT_CHEEK]
    return math.degrees(math.atan2(across[2], across[0]))


def mouth(points: Floats) -> float:
    """The gap between the lips as a share of the mouth's width."""
    return _gap(points, UPPER_LIP, LOWER_LIP, RIGHT_CORNER, LEFT_CORNER)


def eyes_open(points: Floats) -> float:
    """The gap between the lids as a share of the eye's width, both eyes' mean."""
    return sum(_gap(points, *eye) for eye in EYES) / 2


def _gap(points: Floats, upper: int, lower: int, one: int, other: int) -> float:
    gap, width = np.linalg.norm(points[upper] - points[lower]), np.linalg.norm(points[one] - points[other])
    return float(gap / max(width, np.float32(1e-6)))
