"""Templates: what is kept of a face.

Rules
  1. A template is one vector of 128 numbers: the mean of several pictures. The pictures, and their single vectors, are
     not kept: nothing that was measured needs them.
  2. It is kept turned, as only this customer's key says. Faces are compared
     in turned space, where a score is what it was. The same face under two keys has nothing in common, so leaked
     templates cannot be matched with one another, nor with another bank's; a new key makes a leaked one worthless.
  3. The turn is no encryption: with the key it can be undone. Whoever stores a template seals it.
  4. It names its format and its engine. Another engine's is refused, not compared.
"""

from __future__ import annotations

import hashlib
import math
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foregate.gateways.face.arrays import Floats
from foregate.gateways.face.recogniser import normal
from foregate.ports.face import Unusable

FORMAT: Final = 1
NUMBERS: Final = 128
KEY_BYTES_MIN: Final = 32
_HEAD: Final = struct.Struct(">B8s")  # format, engine
BYTES: Final = _HEAD.size + 2 * NUMBERS
_PURPOSE: Final = b"foregate face template turn 1"


def pack(vector: Floats, engine_id: str, key: bytes) -> bytes:
    """Make a template of a vector. Raises ValueError for a key that is too short."""
    return _HEAD.pack(FORMAT, bytes.fromhex(engine_id)) + turned(normal(vector), key).astype("<f2").tobytes()


def cosine(vector: Floats, template: bytes, engine_id: str, key: bytes) -> float:
    """Compare a vector with a template, from -1 to 1. Raises Unusable for another format or engine."""
    return float(turned(normal(vector), key) @ unpack(template, engine_id))


def unpack(template: bytes, engine_id: str) -> Floats:
    """Return the turned vector. Raises Unusable for another format or engine."""
    if len(template) != BYTES:
        raise Unusable("no template")
    version, engine = _HEAD.unpack_from(template)
    if version != FORMAT or engine.hex() != engine_id:
        raise Unusable(f"a template of format {version} and engine {engine.hex()}")
    vector = np.frombuffer(template, "<f2", offset=_HEAD.size).astype(np.float32)
    if not np.isfinite(vector).all():
        raise Unusable("no template")
    return normal(vector)


def turned(vector: Floats, key: bytes) -> Floats:
    """Turn a vector as this key says: one turn of all there are in 128 dimensions, each as likely as any other.

    A turn is a row of mirrors, of one dimension less each time (Stewart 1980), whose directions are drawn from
    SHAKE-256. Not from a library's random numbers, which may change between versions: every template would be lost.
    Raises ValueError for a key that is too short.
    """
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(f"a template's key has at least {KEY_BYTES_MIN} bytes")
    normals = _normals(key, NUMBERS * (NUMBERS + 1) // 2)
    found = vector.astype(np.float64)
    at = 0
    for first in range(NUMBERS):
        drawn = normals[at : at + NUMBERS - first]
        at += len(drawn)
        sign = 1.0 if drawn[0] >= 0 else -1.0
        if len(drawn) == 1:  # the last dimension is turned round, or not
            found[first] *= -sign
            continue
        mirror = drawn.copy()
        mirror[0] += sign * math.sqrt(float((drawn * drawn).sum()))
        rest = found[first:]
        found[first:] = (rest - mirror * (2 * float((mirror * rest).sum()) / float((mirror * mirror).sum()))) * -sign
    return found.astype(np.float32)


def _normals(key: bytes, count: int) -> NDArray[np.float64]:
    """Numbers of the normal distribution, each made of two even ones (Box and Muller)."""
    drawn = np.frombuffer(hashlib.shake_256(_PURPOSE + key).digest(16 * count), "<u8")
    even = (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53
    found: NDArray[np.float64] = np.sqrt(-2.0 * np.log1p(-even[:count])) * np.cos(2.0 * np.pi * even[count:])
    return found
