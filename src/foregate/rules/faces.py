"""Faces: what a picture shows, what is wrong with it, and what a set of pictures was refused for.

Rules
  1. The engine measures; this file decides. It knows no picture, only numbers.
  2. The first flaw that is found is told, in the order in which a person can mend them: be there, be alone, come to
     the right place, look this way, find light, hold still.
  3. Flaws are told in full. That a face is not live, or not the customer's, is told without a number: a number would
     tell how to come nearer to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from foregate.rules import limits

# A frame this dark or this bright explains by itself why no face was found in it.
BLACK, WHITE = 40, 230


class Flaw(StrEnum):
    """What is wrong with one picture, as the person can mend it."""

    NO_FACE = "no-face"
    SEVERAL_FACES = "several-faces"
    TOO_FAR = "too-far"
    TOO_NEAR = "too-near"
    NOT_CENTRED = "not-centred"
    TILTED = "head-tilted"
    LOOK_STRAIGHT = "look-straight"
    TOO_DARK = "too-dark"
    TOO_BRIGHT = "too-bright"
    UNEVEN_LIGHT = "uneven-light"
    TOO_BLURRED = "too-blurred"
    EYES_CLOSED = "eyes-closed"
    EYES_COVERED = "eyes-covered"


class Failure(StrEnum):
    """What a whole set of pictures was refused for, when no single picture is to blame."""

    TOO_FEW = "too-few-pictures"
    FROZEN = "picture-frozen"
    FACE_CHANGED = "face-changed"
    NOT_LIVE = "not-live"
    GESTURE_MISSED = "gesture-missed"


# Each has the cause that says how to mend it. What says who somebody is, or is not, goes by few names.
CAUSE_OF: Final[Mapping[Flaw | Failure, str]] = {
    Flaw.NO_FACE: "no-face",
    Flaw.SEVERAL_FACES: "several-faces",
    Flaw.TOO_FAR: "face-too-far",
    Flaw.TOO_NEAR: "face-too-near",
    Flaw.NOT_CENTRED: "face-not-centred",
    Flaw.TILTED: "face-look-away",
    Flaw.LOOK_STRAIGHT: "face-look-away",
    Flaw.TOO_DARK: "face-too-dark",
    Flaw.TOO_BRIGHT: "face-too-bright",
    Flaw.UNEVEN_LIGHT: "face-too-dark",
    Flaw.TOO_BLURRED: "face-too-blurred",
    Flaw.EYES_CLOSED: "face-covered",
    Flaw.EYES_COVERED: "face-covered",
    Failure.TOO_FEW: "face-unreadable",
    Failure.FROZEN: "face-not-live",
    Failure.FACE_CHANGED: "face-not-live",
    Failure.NOT_LIVE: "face-not-live",
    Failure.GESTURE_MISSED: "face-gesture-missed",
}


class Ending(StrEnum):
    """Where a face on file stands."""

    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"


def ending_at(expires_at: int, now: int) -> tuple[Ending, int]:
    """Return where a face stands, and the days that it lasts still: the last, begun one counts."""
    days_left = max(0, -((now - expires_at) // int(limits.DAY)))
    if expires_at <= now:
        return Ending.EXPIRED, 0
    return (Ending.EXPIRING if days_left <= limits.FACE_AHEAD_DAYS else Ending.VALID), days_left


def is_mendable(fault: Flaw | Failure) -> bool:
    """Say whether better pictures mend it: then it is nobody's failure, and costs no try."""
    return isinstance(fault, Flaw) or fault is Failure.TOO_FEW


class Closeness(StrEnum):
    """How near two faces are, coarse enough for the record: no score is ever written down."""

    FAR = "far"
    NEAR = "near"
    SAME = "same"
    SURELY_SAME = "surely-same"


class Pose(msgspec.Struct, frozen=True, array_like=True):
    """Where a head is turned (degrees; yaw to its own left, pitch upwards), its mouth, and its width in the picture.

    `mouth` is the gap between the lips as a share of the mouth's width, `width` the face's share of the picture's.
    """

    yaw: float
    pitch: float
    mouth: float
    width: float


class Measured(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What the engine measured of one picture; of the largest face when there are several."""

    faces: int
    frame_light: float  # mean of 255, whole picture
    eyes_apart: float = 0.0  # pixels
    width: float = 0.0  # shares of the picture
    centre_x: float = 0.5
    centre_y: float = 0.5
    is_cut: bool = False  # the picture's edge runs through the face
    roll: float = 0.0  # degrees
    yaw: float = 0.0
    pitch: float = 0.0
    light: float = 128.0  # mean of 255, of the face
    shadow: float = 0.0  # shares of the face
    burnt: float = 0.0
    sides: float = 1.0  # lighter half against darker
    sharp: float = 1000.0  # variance of the Laplacian
    detail: float = 1.0  # share of the power, in 1e-3
    eyes_open: float = 1.0  # height against width
    eyes_covered: bool = False


def flaw_of(seen: Measured) -> Flaw | None:
    """Return the first thing that is wrong with a picture that is to be matched, or None."""
    return flaw_of_any(seen) or _flaw_of_place(seen) or _flaw_of_pose(seen) or _flaw_of_light(seen)


def flaw_of_any(seen: Measured) -> Flaw | None:
    """Return what is wrong with a picture of whatever kind: nobody is there, or somebody else too."""
    if seen.faces == 0:
        if seen.frame_light < BLACK:
            return Flaw.TOO_DARK
        return Flaw.TOO_BRIGHT if seen.frame_light > WHITE else Flaw.NO_FACE
    return Flaw.SEVERAL_FACES if seen.faces > 1 else None


def is_frontal(seen: Measured) -> bool:
    """Whether the one face looks this way, so that it can be compared."""
    return seen.faces == 1 and _flaw_of_pose(seen) is None


def closeness(cosine: float, limit: int = limits.FACE_MATCH) -> Closeness:
    """Return in which of four classes a comparison falls. Passed are those from SAME on."""
    # Half a hundred-thousandth of grace: what is stored in 16 bits is not exact.
    hundredths = cosine * 100 + 5e-4
    if hundredths >= limit:
        return Closeness.SURELY_SAME if hundredths >= limit + 10 else Closeness.SAME
    return Closeness.NEAR if hundredths >= limit - 15 else Closeness.FAR


def _flaw_of_place(seen: Measured) -> Flaw | None:
    if seen.eyes_apart < limits.FACE_EYES_APART:
        return Flaw.TOO_FAR
    if seen.width * 100 > limits.FACE_WIDTH:
        return Flaw.TOO_NEAR
    off = max(abs(seen.centre_x - 0.5), abs(seen.centre_y - 0.5))
    return Flaw.NOT_CENTRED if seen.is_cut or off * 100 > limits.FACE_OFF_CENTRE else None


def _flaw_of_pose(seen: Measured) -> Flaw | None:
    if abs(seen.roll) > limits.FACE_ROLL:
        return Flaw.TILTED
    is_turned = abs(seen.yaw) > limits.FACE_YAW or abs(seen.pitch) > limits.FACE_PITCH
    return Flaw.LOOK_STRAIGHT if is_turned else None


def _flaw_of_light(seen: Measured) -> Flaw | None:
    if seen.light < limits.FACE_DARK:
        return Flaw.TOO_DARK
    if seen.light > limits.FACE_BRIGHT or seen.burnt * 100 > limits.FACE_BURNT:
        return Flaw.TOO_BRIGHT
    if seen.shadow * 100 > limits.FACE_SHADOW or seen.sides * 100 > limits.FACE_SIDES:
        return Flaw.UNEVEN_LIGHT
    if seen.sharp < limits.FACE_SHARP or seen.detail * 100 < limits.FACE_DETAIL:
        return Flaw.TOO_BLURRED
    if seen.eyes_covered:
        return Flaw.EYES_COVERED
    return Flaw.EYES_CLOSED if seen.eyes_open * 100 < limits.FACE_EYES_OPEN else None
