"""Gestures: what a head did from picture to picture.

Rules
  1. A gesture begins at rest, goes past its mark, and (but for coming closer) comes back to rest. What is already on
     its way in the first picture was not done because it was asked for.
  2. Rest is measured against the person's own straight look, not against a table: noses and cameras differ.
  3. Who does more than was asked has not done it: a recording that holds every gesture would answer every question.

Theory of operation
  Each gesture is one number that a pose has (its angle, the gap of the lips, the face's width), with a mark that it
  must pass and a lower one under which it is at rest. Between the two nothing changes, so a trembling value counts
  once. Left and right are the person's own; pictures must not be mirrored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from statistics import median
from typing import Final, NamedTuple

from foregate.rules import limits
from foregate.rules.faces import Pose


class Gesture(StrEnum):
    """What a person can be asked to do."""

    TURN_LEFT = "turn-left"
    TURN_RIGHT = "turn-right"
    NOD = "nod"
    OPEN_MOUTH = "open-mouth"
    COME_CLOSER = "come-closer"


class Episode(NamedTuple):
    """One gesture that was done, from the first picture past its mark to the last."""

    gesture: Gesture
    first: int
    last: int


class _Mark(NamedTuple):
    how_far: Callable[[Pose, Pose], float]  # pose, straight look
    mark: float
    rest: float
    comes_back: bool = True


_MARKS: Final = {
    Gesture.TURN_LEFT: _Mark(lambda pose, straight: pose.yaw - straight.yaw, limits.GESTURE_TURN, limits.GESTURE_REST),
    Gesture.TURN_RIGHT: _Mark(lambda pose, straight: straight.yaw - pose.yaw, limits.GESTURE_TURN, limits.GESTURE_REST),
    Gesture.NOD: _Mark(lambda pose, straight: abs(pose.pitch - straight.pitch), limits.GESTURE_NOD, limits.GESTURE_REST),
    Gesture.OPEN_MOUTH: _Mark(lambda pose, _: pose.mouth * 100, limits.GESTURE_MOUTH, limits.GESTURE_MOUTH_SHUT),
    Gesture.COME_CLOSER: _Mark(lambda pose, straight: pose.width / straight.width * 100, limits.GESTURE_CLOSER, limits.GESTURE_CLOSER_REST, comes_back=False),
}  # fmt: skip
# Somebody who comes closer looks at the lens from another angle, and whoever turns may lean in.
_MAY_COME_ALONG: Final = {Gesture.COME_CLOSER: {Gesture.NOD}}


def straight_look(poses: Iterable[Pose]) -> Pose:
    """Return the middle of some poses, each number by itself: how this person looks straight. Raises ValueError."""
    poses = tuple(poses)
    if not poses:
        raise ValueError("nobody looked straight")
    return Pose(*(median(column) for column in zip(*(_numbers(pose) for pose in poses), strict=True)))


def episodes(track: Sequence[Pose], straight: Sequence[Pose]) -> tuple[Episode, ...]:
    """Return what was done, by time. `straight` holds the straight look to compare each pose with."""
    found = [episode for gesture, mark in _MARKS.items() for episode in _done(gesture, mark, track, straight)]
    return tuple(sorted(found, key=lambda episode: episode.first))


def answers(asked: Gesture, track: Sequence[Pose], straight: Pose) -> bool:
    """Say whether the pictures show what was asked for, and nothing else."""
    done = {episode.gesture for episode in episodes(track, [straight] * len(track))}
    return asked in done and not done - {asked, Gesture.COME_CLOSER} - _MAY_COME_ALONG.get(asked, set())


def _done(gesture: Gesture, mark: _Mark, track: Sequence[Pose], straight: Sequence[Pose]) -> Iterable[Episode]:
    at_rest = False
    began: int | None = None
    last = 0
    for index, (pose, base) in enumerate(zip(track, straight, strict=True)):
        how_far = mark.how_far(pose, base)
        if how_far <= mark.rest:
            if began is not None and mark.comes_back:
                yield Episode(gesture, began, last)
            at_rest, began = True, None
        elif how_far >= mark.mark and at_rest:
            if began is None and not mark.comes_back:
                yield Episode(gesture, index, index)
            began, last = index if began is None else began, index


def _numbers(pose: Pose) -> tuple[float, ...]:
    return pose.yaw, pose.pitch, pose.mouth, pose.width
