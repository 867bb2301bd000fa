"""What is wrong with a picture, in which order it is told, and how close two faces are."""

from __future__ import annotations

import msgspec
import pytest

from foregate.rules import limits
from foregate.rules.faces import Closeness, Flaw, Measured, closeness, flaw_of, flaw_of_any, is_frontal

GOOD = Measured(faces=1, frame_light=120, eyes_apart=80, width=0.3, light=120, sides=1.2, sharp=300, detail=10)

# A number just good, and just not; what is told then.
AT_THE_MARK = {
    "eyes_apart": (limits.FACE_EYES_APART, limits.FACE_EYES_APART - 0.1, Flaw.TOO_FAR),
    "width": (limits.FACE_WIDTH / 100, limits.FACE_WIDTH / 100 + 0.001, Flaw.TOO_NEAR),
    "centre_x": (0.5 + limits.FACE_OFF_CENTRE / 100, 0.501 + limits.FACE_OFF_CENTRE / 100, Flaw.NOT_CENTRED),
    "centre_y": (0.5 - limits.FACE_OFF_CENTRE / 100, 0.499 - limits.FACE_OFF_CENTRE / 100, Flaw.NOT_CENTRED),
    "is_cut": (False, True, Flaw.NOT_CENTRED),
    "roll": (-limits.FACE_ROLL, -limits.FACE_ROLL - 0.1, Flaw.TILTED),
    "yaw": (limits.FACE_YAW, limits.FACE_YAW + 0.1, Flaw.LOOK_STRAIGHT),
    "pitch": (-limits.FACE_PITCH, -limits.FACE_PITCH - 0.1, Flaw.LOOK_STRAIGHT),
    "light": (limits.FACE_DARK, limits.FACE_DARK - 0.1, Flaw.TOO_DARK),
    "burnt": (limits.FACE_BURNT / 100, limits.FACE_BURNT / 100 + 0.001, Flaw.TOO_BRIGHT),
    "shadow": (limits.FACE_SHADOW / 100, limits.FACE_SHADOW / 100 + 0.001, Flaw.UNEVEN_LIGHT),
    "sides": (limits.FACE_SIDES / 100, limits.FACE_SIDES / 100 + 0.01, Flaw.UNEVEN_LIGHT),
    "sharp": (limits.FACE_SHARP, limits.FACE_SHARP - 0.1, Flaw.TOO_BLURRED),
    "detail": (limits.FACE_DETAIL / 100, limits.FACE_DETAIL / 100 - 0.01, Flaw.TOO_BLURRED),
    "eyes_open": (limits.FACE_EYES_OPEN / 100, limits.FACE_EYES_OPEN / 100 - 0.001, Flaw.EYES_CLOSED),
    "eyes_covered": (False, True, Flaw.EYES_COVERED),
}


def but(**changes: object) -> Measured:
    """A good picture but for this."""
    return msgspec.structs.replace(GOOD, **changes)


def test_a_good_picture_has_no_flaw() -> None:
    """Nothing is told where nothing is wrong."""
    assert flaw_of(GOOD) is None
    assert is_frontal(GOOD)


@pytest.mark.parametrize("name", AT_THE_MARK)
def test_each_mark_holds_at_n_and_beyond(name: str) -> None:
    """At the limit a picture passes; beyond it, it is refused for that."""
    just, beyond, flaw = AT_THE_MARK[name]

    assert flaw_of(but(**{name: just})) is None
    assert flaw_of(but(**{name: beyond})) is flaw


def test_too_bright_is_told_of_the_mean_too() -> None:
    """Washed out without a burnt pixel."""
    assert flaw_of(but(light=limits.FACE_BRIGHT)) is None
    assert flaw_of(but(light=limits.FACE_BRIGHT + 0.1)) is Flaw.TOO_BRIGHT


@pytest.mark.parametrize(
    ("faces", "light", "flaw"),
    [(0, 120, Flaw.NO_FACE), (0, 12, Flaw.TOO_DARK), (0, 250, Flaw.TOO_BRIGHT), (2, 120, Flaw.SEVERAL_FACES)],
)
def test_nobody_and_somebody_else(faces: int, light: float, flaw: Flaw) -> None:
    """Where no face is found, the dark explains it before the person is told to come into view."""
    seen = Measured(faces=faces, frame_light=light)

    assert (flaw, flaw) == (flaw_of(seen), flaw_of_any(seen))
    assert not is_frontal(seen)


def test_the_first_thing_to_mend_is_told() -> None:
    """Somebody too far away, in the dark and blurred comes closer first; then a lamp may be found."""
    everything = but(eyes_apart=10, light=10, sharp=1)

    assert flaw_of(everything) is Flaw.TOO_FAR
    assert flaw_of(msgspec.structs.replace(everything, eyes_apart=80)) is Flaw.TOO_DARK
    assert flaw_of(msgspec.structs.replace(everything, eyes_apart=80, light=120)) is Flaw.TOO_BLURRED


@pytest.mark.parametrize("limit", [limits.FACE_MATCH, limits.FACE_MATCH_STEP_UP])
def test_only_the_limit_lets_pass(limit: int) -> None:
    """At the limit it is the same face, a thousandth below it is not; the classes tell no more than that."""
    assert closeness(limit / 100, limit) is Closeness.SAME
    assert closeness(limit / 100 - 0.001, limit) is Closeness.NEAR
    assert closeness(limit / 100 + 0.1, limit) is Closeness.SURELY_SAME
    assert closeness(limit / 100 - 0.16, limit) is Closeness.FAR


def test_the_limits_stand_as_measured() -> None:
    """No library's default: those let in one stranger in a thousand and more."""
    assert (50, 55) == (limits.FACE_MATCH, limits.FACE_MATCH_STEP_UP)
    assert limits.FACE_SAME >= 45
    assert limits.FACE_STILL_FRAMES >= limits.FACE_MATCH_FRAMES >= 3
