"""A set of pictures, judged by what was seen in them: enough, good, live, of one person, doing what was asked.

Quality comes before the check for a live face, which the dark deceives, and that before anything that says who it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise
from statistics import median
from typing import Final

import msgspec

from foregate.gateways.face.arrays import Floats
from foregate.gateways.face.nets import Seen
from foregate.gateways.face.recogniser import fused
from foregate.ports.face import Look
from foregate.rules import limits
from foregate.rules.faces import Failure, Flaw
from foregate.rules.gestures import Gesture, answers, straight_look

KNOWN_SHARE: Final = 2 / 3  # of a gesture's pictures must show a face; a turned one is lost now and then

_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Seen)


def judge(looks: Sequence[Look]) -> Flaw | Failure | None:
    """Return why these pictures cannot be matched, or None."""
    flaws = Counter(look.flaw for look in looks if look.flaw)
    if Flaw.SEVERAL_FACES in flaws:
        return Flaw.SEVERAL_FACES
    every = _unpacked(looks)
    good = [seen for seen in every if seen.vector]
    if len(good) < limits.FACE_MATCH_FRAMES or len(every) < limits.FACE_STILL_FRAMES:
        return flaws.most_common(1)[0][0] if flaws else Failure.TOO_FEW
    if _repeats(every):
        return Failure.FROZEN
    if not _is_live([seen.live for seen in good]):
        return Failure.NOT_LIVE
    return Failure.FACE_CHANGED if _jumps(every) or not _are_one_person(good) else None


def judge_gesture(asked: Gesture, looks: Sequence[Look], watched: Sequence[Look]) -> Flaw | Failure | None:
    """Return why `watched` does not show what was asked for by the person in `looks`, or None."""
    if any(look.flaw is Flaw.SEVERAL_FACES for look in watched):
        return Flaw.SEVERAL_FACES
    stills = [seen for seen in _unpacked(looks) if seen.vector]
    every = _unpacked(watched)
    track = [seen.pose for seen in every if seen.pose]
    straight = [seen.pose for seen in stills if seen.pose]
    if not straight or len(track) < KNOWN_SHARE * len(every):
        return Flaw.NO_FACE
    if _repeats([*stills, *every]):
        return Failure.FROZEN
    frontal = [seen for seen in every if seen.vector]
    if _jumps(every) or not all(_is_same(seen.embedding, _vector(stills)) for seen in frontal):
        return Failure.FACE_CHANGED
    # A gesture begins and ends with somebody who can be recognised.
    is_done = len(frontal) > 1 and answers(asked, track, straight_look(straight))
    return None if is_done else Failure.GESTURE_MISSED


def vector_of(looks: Sequence[Look]) -> Floats:
    """Return the numbers of the face: all good pictures in one. Raises ValueError when none is good."""
    return _vector(_unpacked(looks))


def look_of(seen: Seen, flaw: Flaw | None) -> Look:
    """Pack up what was seen."""
    return Look(flaw, _encoder.encode(seen))


def _unpacked(looks: Sequence[Look]) -> list[Seen]:
    return [_decoder.decode(look.seen) for look in looks]


def _vector(every: Sequence[Seen]) -> Floats:
    vectors = [seen.embedding for seen in every if seen.vector]
    if not vectors:
        raise ValueError("no picture that can be compared")
    return fused(vectors)


def _repeats(every: Sequence[Seen]) -> bool:
    """Whether a picture came twice. A camera's noise makes each one new."""
    return len({seen.digest for seen in every}) < len(every)


def _is_live(scores: Sequence[float]) -> bool:
    """Whether the middle picture looks live, and hardly one of five looks like none."""
    hardly = sum(score * 100 < limits.FACE_HARDLY_LIVE for score in scores)
    return median(scores) * 100 >= limits.FACE_LIVE and hardly * limits.FACE_STILL_FRAMES <= len(scores)


def _are_one_person(every: Sequence[Seen]) -> bool:
    """Whether each looks like each. Their mean would not do: two people's mean looks like both of them."""
    return all(_is_same(one.embedding, other.embedding) for one, other in combinations(every, 2))


def _is_same(one: Floats, other: Floats) -> bool:
    return float(one @ other) * 100 >= limits.FACE_SAME


def _jumps(every: Sequence[Seen]) -> bool:
    """Whether the face is elsewhere from one picture to the next: another one was put there."""
    there = [(seen.middle, seen.pose.width) for seen in every if seen.pose]
    return any(
        math.dist(one, other) * 100 > limits.FACE_MOVED * max(wide, wider)
        for (one, wide), (other, wider) in pairwise(there)
    )
