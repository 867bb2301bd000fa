"""Gestures, found in rows of poses that nobody's face made."""

from __future__ import annotations

import math

import pytest

from foregate.rules import limits
from foregate.rules.faces import Pose
from foregate.rules.gestures import Episode, Gesture, answers, episodes, straight_look

STRAIGHT = Pose(yaw=4, pitch=-7, mouth=0.02, width=0.25)


def swing(top: float, pictures: int = 12) -> list[float]:
    """From nothing up to `top` and back."""
    return [top * math.sin(math.pi * n / (pictures - 1)) for n in range(pictures)]


def pose(yaw: float = 0, pitch: float = 0, mouth: float = 0, closer: float = 1) -> Pose:
    """So far from looking straight."""
    return Pose(STRAIGHT.yaw + yaw, STRAIGHT.pitch + pitch, STRAIGHT.mouth + mouth, STRAIGHT.width * closer)


DONE = {
    Gesture.TURN_LEFT: [pose(yaw=by) for by in swing(30)],
    Gesture.TURN_RIGHT: [pose(yaw=-by) for by in swing(30)],
    Gesture.NOD: [pose(pitch=-by) for by in swing(18)],
    Gesture.OPEN_MOUTH: [pose(mouth=by) for by in swing(0.5)],
    Gesture.COME_CLOSER: [pose(closer=1 + 0.04 * n) for n in range(12)],
}


def found(track: list[Pose]) -> tuple[Episode, ...]:
    return episodes(track, [STRAIGHT] * len(track))


@pytest.mark.parametrize("gesture", Gesture)
def test_each_gesture_is_found_and_no_other(gesture: Gesture) -> None:
    """What was done answers what was asked, and only that."""
    assert [gesture] == [each.gesture for each in found(DONE[gesture])]
    assert [gesture] == [asked for asked in Gesture if answers(asked, DONE[gesture], STRAIGHT)]


def test_looking_up_is_a_nod_too() -> None:
    """Nobody is told in which direction to nod."""
    assert answers(Gesture.NOD, [pose(pitch=by) for by in swing(15)], STRAIGHT)


@pytest.mark.parametrize(
    ("how", "mark"),
    [
        (lambda by: pose(yaw=by), limits.GESTURE_TURN),
        (lambda by: pose(pitch=by), limits.GESTURE_NOD),
        (lambda by: Pose(4, -7, by / 100, 0.25), limits.GESTURE_MOUTH),
        (lambda by: pose(closer=by / 100), limits.GESTURE_CLOSER),
    ],
)
def test_a_mark_has_to_be_reached(how, mark: int) -> None:  # type: ignore[no-untyped-def]  # four small functions
    """At the mark it counts, a tenth below it does not."""
    rest = pose()

    assert 1 == len(found([rest, how(mark + 1e-9), rest]))
    assert () == found([rest, how(mark - 0.1), rest])


def test_what_had_begun_before_does_not_count() -> None:
    """A head that is turned in the first picture was not turned because it was asked to."""
    halfway = DONE[Gesture.TURN_LEFT][4:]

    assert () == found(halfway)
    assert not answers(Gesture.TURN_LEFT, halfway, STRAIGHT)


def test_what_does_not_end_does_not_count() -> None:
    """A picture of somebody who looks left comes back to nothing."""
    assert not answers(Gesture.TURN_LEFT, DONE[Gesture.TURN_LEFT][:8], STRAIGHT)


def test_trembling_at_the_mark_counts_once() -> None:
    """Back and forth across the mark, without coming to rest, is one gesture."""
    track = [pose(), *(pose(yaw=by) for by in (11, 9, 11, 9, 11, 9)), pose()]

    assert [(Gesture.TURN_LEFT, 1, 5)] == [tuple(each) for each in found(track)]


def test_twice_is_twice() -> None:
    """With rest between them, each is one."""
    assert 2 == len(found(DONE[Gesture.NOD] * 2))


def test_doing_everything_answers_nothing() -> None:
    """A recording that holds every gesture would answer every question."""
    everything = [each for gesture in Gesture for each in DONE[gesture]]

    assert [] == [asked for asked in Gesture if answers(asked, everything, STRAIGHT)]


def test_leaning_in_while_turning_is_no_fault() -> None:
    """People come a little closer when they turn; and from closer the head seems to nod."""
    turning, closer, nodding = (DONE[each] for each in (Gesture.TURN_LEFT, Gesture.COME_CLOSER, Gesture.NOD))
    turned = [Pose(a.yaw, a.pitch, a.mouth, b.width) for a, b in zip(turning, closer, strict=True)]
    leant = [Pose(a.yaw, b.pitch, a.mouth, a.width) for a, b in zip(closer, nodding, strict=True)]

    assert answers(Gesture.TURN_LEFT, turned, STRAIGHT)
    assert answers(Gesture.COME_CLOSER, leant, STRAIGHT)


def test_sitting_still_is_no_gesture() -> None:
    """Talking, breathing and a hand that trembles stay below every mark."""
    track = [pose(yaw=3 * math.sin(n), pitch=4 * math.cos(n), mouth=0.1 * abs(math.sin(n))) for n in range(60)]

    assert () == found(track)


def test_a_straight_look_is_the_middle_of_some() -> None:
    """One blink of the mesh does not move it; and nobody's poses have none."""
    assert STRAIGHT == straight_look([STRAIGHT, STRAIGHT, Pose(80, 80, 1, 1)])
    with pytest.raises(ValueError, match="nobody"):
        straight_look([])
