"""Whether a live face is before the camera, or a picture of one: two nets that look at it with its surroundings.

Each sees the face in the middle of a stretch of the picture, 2.7 and 4 times as large as its box: the edges of a
screen or a sheet are what gives it away. So pictures must come uncropped, the face at most 37 % of their width.
"""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime as ort

from foregate.gateways.face.arrays import Picture
from foregate.gateways.face.detector import Face
from foregate.gateways.face.minifasnet import SIDE

LIVE_CLASS = 1
CLOSE, WIDE = 2.7, 4.0  # times the face's box


class Liveness:
    """Says how live a face looks. Safe to use from several threads."""

    def __init__(self, close: ort.InferenceSession, wide: ort.InferenceSession) -> None:
        self._nets = ((close, CLOSE), (wide, WIDE))

    def of(self, picture: Picture, face: Face) -> float:
        """Return from 0 (a picture) to 1 (live): the mean of both nets."""
        return sum(self._one(net, surroundings(picture, face.box, times)) for net, times in self._nets) / 2

    def _one(self, net: ort.InferenceSession, cut: Picture) -> float:
        # The nets were trained on values from 0 to 255, blue first.
        (classes,) = net.run(None, {"picture": cut.transpose(2, 0, 1)[None].astype(np.float32)})
        return float(np.asarray(classes)[0, LIVE_CLASS])


def surroundings(picture: Picture, box: tuple[float, float, float, float], times: float) -> Picture:
    """Return the box grown so many times, moved inwards where it would leave the picture, at 80 x 80."""
    height, width = picture.shape[:2]
    left, top, wide, high = box
    times = min(times, (width - 1) / wide, (height - 1) / high)
    new_wide, new_high = wide * times, high * times
    x = min(max(left + (wide - new_wide) / 2, 0.0), width - 1 - new_wide)
    y = min(max(top + (high - new_high) / 2, 0.0), height - 1 - new_high)
    cut = picture[int(y) : int(y + new_high) + 1, int(x) : int(x + new_wide) + 1]
    return cv2.resize(cut, (SIDE, SIDE)).astype(np.uint8, copy=False)
