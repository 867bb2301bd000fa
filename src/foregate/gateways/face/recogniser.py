"""Who it is: SFace, 128 numbers of a face that was cut out with its five points in their places."""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime as ort

from foregate.gateways.face.arrays import Floats, Picture

SIDE = 112
# Where the eyes, the nose and the corners of the mouth lie in what SFace was trained on; `lock.ALIGNMENT` names them.
PLACES = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)


class Recogniser:
    """Turns a face into numbers. Safe to use from several threads."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def embed(self, crop: Picture) -> Floats:
        """Return 128 numbers of length 1."""
        rgb = crop[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        (found,) = self._session.run(None, {self._input: rgb})
        return normal(np.asarray(found, np.float32)[0])


def cut_out(picture: Picture, points: Floats) -> Picture:
    """Return the face, 112 x 112, turned and scaled so that its points lie as near their places as they can."""
    # As complex numbers a turn with a scale is one factor, and the best one has a formula.
    found = points[:, 0].astype(np.float64) + 1j * points[:, 1]
    wanted = PLACES[:, 0] + 1j * PLACES[:, 1]
    centred = found - found.mean()
    factor = (centred.conj() @ (wanted - wanted.mean())) / max((abs(centred) ** 2).sum(), 1e-9)
    shift = wanted.mean() - factor * found.mean()
    matrix = np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE)).astype(np.uint8, copy=False)


def normal(vector: Floats) -> Floats:
    """Return the vector at length 1."""
    return vector / max(np.float32(np.linalg.norm(vector)), np.float32(1e-9))


def fused(vectors: list[Floats]) -> Floats:
    """Return several pictures' numbers as one: the mean of their directions."""
    return normal(np.mean([normal(vector) for vector in vectors], axis=0, dtype=np.float32))
