"""How well faces are told apart, measured on a folder of labelled pictures.

Two error rates at each limit: FMR, how often somebody else passes, and FNMR, how often the right person does not. Once
for one picture against one, and once as at the door: three fused pictures against two fused ones, drawn at random
several times. And two for the check for a live face: APCER, how often an attack passes, by its kind; BPCER, how often
a live face does not.

Trials of the same people are not independent, so each rate has two bounds at 95 %: over trials, and over people (or
pairs of them), as if each counted once. The second is the honest one.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
import numpy as np

from foregate.gateways.face.arrays import Floats
from foregate.gateways.face.collection import FRAMES_PER_SECOND, Collection, read_film, read_picture
from foregate.gateways.face.nets import Nets, Seen
from foregate.gateways.face.recogniser import fused
from foregate.rules import limits
from foregate.rules.faces import Pose, flaw_of
from foregate.rules.gestures import Gesture, episodes

ENROLLED, PROBED = 3, 2  # pictures fused on either side
DRAWS: Final = 20
SEED: Final = 2026  # the same draws each time, so that two engines can be compared
LIMITS: Final = tuple(range(30, 75, 5))  # hundredths of cosine
TARGETS: Final = (1e-2, 1e-3, 1e-4)  # false matches that a bank may ask for
Z: Final = 1.959964  # 95 %, two-sided
LOOK_ROUND_SECONDS: Final = 5  # a straight look is the median pose of so long before and after

Progress = Callable[[int, int], None]


class Rate(msgspec.Struct, frozen=True):
    """Errors among trials, with what they may be at 95 %: over trials, and over `people` (or pairs of them)."""

    errors: int
    trials: int
    share: float
    at_most: float
    people: int
    people_wrong: int
    at_most_people: float


class AtLimit(msgspec.Struct, frozen=True):
    """The two error rates at one limit, in hundredths of cosine."""

    limit: int
    fmr: Rate
    fnmr: Rate

    @property
    def tmr(self) -> float:
        """How often the right person passes."""
        return 1 - self.fnmr.share


class AtTarget(msgspec.Struct, frozen=True):
    """The lowest limit, in thousandths of cosine, at which no more than `target` of the impostors' trials match.

    None: there are too few pairs of people to say. Even without any false match among them, as many as `target` could
    match at 95 %, when each pair is counted once. `pairs_needed` would be enough.
    """

    target: float
    limit: int | None
    fmr: Rate | None
    fnmr: Rate | None
    pairs: int
    pairs_needed: int


class GesturesFound(msgspec.Struct, frozen=True):
    """Which gestures a film shows, and how often."""

    film: str
    seconds: float
    times: dict[str, int]


class Evaluation(msgspec.Struct, frozen=True):
    """All that was measured."""

    engine_id: str
    people: int
    pictures: int
    unreadable: int
    without_face: int
    flaws: dict[str, int]  # of those with a face: what they would be refused for at the door
    default_limit: int
    single: tuple[AtLimit, ...]
    fused: tuple[AtLimit, ...]
    fused_people: int
    single_targets: tuple[AtTarget, ...]
    fused_targets: tuple[AtTarget, ...]
    bpcer: Rate | None
    apcer: dict[str, Rate]
    gestures: tuple[GesturesFound, ...]
    ignored: tuple[str, ...]  # folders without a picture


class _Counts:
    """What became of the pictures."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total = progress, total
        self.done = self.unreadable = self.without_face = 0
        self.flaws: Counter[str] = Counter()

    def step(self) -> None:
        self.done += 1
        self.progress(self.done, self.total)


def evaluate(
    collection: Collection, nets: Nets, engine_id: str, progress: Progress = lambda _so_far, _all: None
) -> Evaluation:
    """Measure everything that the collection allows."""
    files = [*collection.people.values(), collection.live, *collection.spoof.values(), collection.clips]
    counts = _Counts(progress, sum(map(len, files)))
    vectors: dict[str, list[Floats]] = {}
    for person, paths in collection.people.items():
        seen = _see(nets, paths, counts)
        if seen:
            vectors[person] = [each.embedding for each in seen]
    of_faces = (counts.done, counts.unreadable, counts.without_face, dict(counts.flaws))
    live = [seen.live for seen in _see(nets, collection.live, counts)]
    spoof = {kind: [seen.live for seen in _see(nets, paths, counts)] for kind, paths in collection.spoof.items()}
    single = _singles(vectors) if len(vectors) > 1 else None
    enough = {person: found for person, found in vectors.items() if len(found) >= ENROLLED + PROBED}
    fused_scores = _fused(enough) if len(enough) > 1 else None
    return Evaluation(
        engine_id,
        len(vectors),
        *of_faces,
        default_limit=int(limits.FACE_MATCH),
        single=_at_limits(*single) if single else (),
        fused=_at_limits(*fused_scores) if fused_scores else (),
        fused_people=len(enough),
        single_targets=_at_targets(*single) if single else (),
        fused_targets=_at_targets(*fused_scores) if fused_scores else (),
        bpcer=_rate([score * 100 < limits.FACE_LIVE for score in live], range(len(live))) if live else None,
        apcer={
            kind: _rate([score * 100 >= limits.FACE_LIVE for score in scores], range(len(scores)))
            for kind, scores in spoof.items()
            if scores
        },
        gestures=tuple(_gestures(nets, path, counts) for path in collection.clips),
        ignored=tuple(collection.ignored),
    )


# ---------------------------------------------------------------- pictures


def _see(nets: Nets, paths: Sequence[Path], counts: _Counts) -> list[Seen]:
    seen = []
    for path in paths:
        picture = read_picture(path)
        if picture is None:
            counts.unreadable += 1
        else:
            found = nets.see(picture, whatever=True)
            if found.vector:
                if flaw := flaw_of(found.measured):
                    counts.flaws[flaw] += 1
                seen.append(found)
            else:
                counts.without_face += 1
        counts.step()
    return seen


def _gestures(nets: Nets, path: Path, counts: _Counts) -> GesturesFound:
    track = [seen.pose for seen in nets.follow(read_film(path)) if seen.pose]
    around = LOOK_ROUND_SECONDS * FRAMES_PER_SECOND
    straight = [_middle(track[max(0, at - around) : at + around + 1]) for at in range(len(track))]
    found = [episode.gesture for episode in episodes(track, straight)]
    counts.step()
    times = {gesture.value: found.count(gesture) for gesture in Gesture}
    return GesturesFound(path.name, round(len(track) / FRAMES_PER_SECOND, 1), times)


def _middle(poses: Sequence[Pose]) -> Pose:
    return Pose(*(median(getattr(pose, name) for pose in poses) for name in Pose.__struct_fields__))


# ---------------------------------------------------------------- scores

Scores = tuple[Floats, list[object]]  # each with the person, or the pair of them, that it is of


def _singles(vectors: dict[str, list[Floats]]) -> tuple[Scores, Scores]:
    """One picture against one: everybody's own pairs, and everybody against everybody else."""
    genuine: list[tuple[float, object]] = []
    impostor: list[tuple[float, object]] = []
    for person, found in vectors.items():
        genuine += [(float(one @ other), person) for one, other in combinations(found, 2)]
    for (one, ones), (other, others) in combinations(vectors.items(), 2):
        scores = np.stack(ones) @ np.stack(others).T
        impostor += [(float(score), (one, other)) for score in scores.ravel()]
    return _columns(genuine), _columns(impostor)


def _fused(vectors: dict[str, list[Floats]]) -> tuple[Scores, Scores]:
    """As at the door: some pictures to enrol, others to sign in with, drawn again and again."""
    chance = random.Random(SEED)  # noqa: S311 -- draws pictures, not secrets
    genuine: list[tuple[float, object]] = []
    impostor: list[tuple[float, object]] = []
    for _ in range(DRAWS):
        drawn = {person: chance.sample(found, ENROLLED + PROBED) for person, found in vectors.items()}
        enrolled = {person: fused(found[:ENROLLED]) for person, found in drawn.items()}
        for person, found in drawn.items():
            probe = fused(found[ENROLLED:])
            for other, template in enrolled.items():
                if other == person:
                    genuine.append((float(probe @ template), person))
                else:
                    impostor.append((float(probe @ template), tuple(sorted((person, other)))))
    return _columns(genuine), _columns(impostor)


def _columns(rows: list[tuple[float, object]]) -> Scores:
    return np.array([score for score, _ in rows], np.float32), [who for _, who in rows]


# ---------------------------------------------------------------- rates


def _at_limits(genuine: Scores, impostor: Scores) -> tuple[AtLimit, ...]:
    return tuple(
        AtLimit(
            limit,
            _rate((impostor[0] * 100 >= limit).tolist(), impostor[1]),
            _rate((genuine[0] * 100 < limit).tolist(), genuine[1]),
        )
        for limit in LIMITS
    )


def _at_targets(genuine: Scores, impostor: Scores) -> tuple[AtTarget, ...]:
    pairs = len(set(impostor[1]))
    return tuple(_at_target(target, genuine, impostor, pairs) for target in TARGETS)


def _at_target(target: float, genuine: Scores, impostor: Scores, pairs: int) -> AtTarget:
    needed = math.ceil(3 / target)
    if pairs < needed:
        return AtTarget(target, None, None, None, pairs, needed)
    scores = np.sort(impostor[0])[::-1]
    allowed = int(target * len(scores))
    # Just above the first score that would be one too many.
    limit = math.floor(float(scores[allowed]) * 1000) + 1
    return AtTarget(
        target,
        limit,
        _rate((impostor[0] * 1000 >= limit).tolist(), impostor[1]),
        _rate((genuine[0] * 1000 < limit).tolist(), genuine[1]),
        pairs,
        needed,
    )


def _rate(wrong: Sequence[bool], who: Sequence[object]) -> Rate:
    people = set(who)
    people_wrong = {person for person, is_wrong in zip(who, wrong, strict=True) if is_wrong}
    errors, trials = sum(wrong), len(wrong)
    return Rate(
        errors,
        trials,
        errors / trials if trials else 0.0,
        upper_bound(errors, trials),
        len(people),
        len(people_wrong),
        upper_bound(len(people_wrong), len(people)),
    )


def upper_bound(errors: int, trials: int) -> float:
    """Return what a rate may be at most, at 95 %: Wilson's bound, and the rule of three where nothing went wrong."""
    if trials == 0:
        return 1.0
    if errors == 0:
        return min(1.0, 3 / trials)
    share, z2 = errors / trials, Z * Z
    middle = share + z2 / (2 * trials)
    spread = Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return min(1.0, (middle + spread) / (1 + z2 / trials))
