"""Measuring on a folder: what is counted, what the bounds are, and the figures of the collection beside the project."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from foregate.gateways.face import lock
from foregate.gateways.face.collection import OddFolder, collect, read_picture
from foregate.gateways.face.evaluation import Evaluation, _at_targets, _fused, _rate, _singles, evaluate, upper_bound
from foregate.gateways.face.nets import Nets
from foregate.gateways.face.plot import as_svg
from foregate.gateways.face.recogniser import normal
from tests.faces import data, jpeg, models, noise

# ---------------------------------------------------------------- folders


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ([], "holds no pictures in folders of people"),
        (["anna/note.txt"], "anna holds none: give the folder whose folders are people"),
        (["anna/1.jpg"], "holds one person: false matches need another"),
        (["1.jpg"], "holds no pictures in folders of people"),
        ([".hidden/1.jpg"], "holds no pictures in folders of people"),
    ],
    ids=["empty", "no pictures", "one person", "no folders", "hidden"],
)
def test_an_odd_folder_is_refused(tmp_path: Path, inside: list[str], told: str) -> None:
    """With what is expected."""
    for name in inside:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(jpeg(noise(8, 8)))

    with pytest.raises(OddFolder, match=told):
        collect(tmp_path)
    with pytest.raises(OddFolder, match="is no folder"):
        collect(tmp_path / "none")


def test_a_folder_is_sorted_by_its_names(tmp_path: Path) -> None:
    """People, live ones, kinds of attack, films; what has no picture is named."""
    people = ("ben/1.PNG", "anna/2.jpg", "anna/1.jpg", "nobody/x.txt")
    for name in (*people, "live/1.jpg", "spoof/1.jpg", "spoof/print/1.jpg", "clips/a.mp4", "b.webm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    found = collect(tmp_path)

    assert {"anna": ["1.jpg", "2.jpg"], "ben": ["1.PNG"]} == {
        person: [path.name for path in paths] for person, paths in found.people.items()
    }
    assert (1, ["spoof", "print"]) == (len(found.live), list(found.spoof))
    assert ["a.mp4", "b.webm"] == [path.name for path in found.clips]
    assert ["nobody"] == found.ignored


def test_a_small_picture_is_enlarged_and_a_broken_one_is_none(tmp_path: Path) -> None:
    """Old collections have pictures of 92 x 112."""
    (tmp_path / "small.jpg").write_bytes(jpeg(noise(92, 112)))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "empty.jpg").touch()

    small = read_picture(tmp_path / "small.jpg")

    assert small is not None
    assert (480, 394) == small.shape[:2]
    assert read_picture(tmp_path / "broken.jpg") is None
    assert read_picture(tmp_path / "empty.jpg") is None


# ---------------------------------------------------------------- rates


def scores(values: list[float], each: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], list[object]]:
    """Some scores, so many of each pair of people."""
    return np.array(values, np.float32), [place // each for place in range(len(values))]


def test_the_limit_for_a_rate() -> None:
    """The lowest at which no more match than may; with fewer pairs than could show it, none is named."""
    impostors = [n / 10_000 for n in range(3_000)]
    genuine = scores([0.29, 0.2969, 0.2971, 0.5], 1)
    one, two, three = _at_targets(genuine, scores(impostors, 1))

    assert one.fmr is not None
    assert one.fnmr is not None
    assert (1e-2, 297, 30, 2) == (one.target, one.limit, one.fmr.errors, one.fnmr.errors)
    assert one.fmr.share < one.fmr.at_most <= one.fmr.at_most_people
    assert two.fmr is not None
    assert (300, 0, 0.001) == (two.limit, two.fmr.errors, two.fmr.at_most_people)
    assert (None, 3_000, 30_000) == (three.limit, three.pairs, three.pairs_needed)
    assert [(297, 1_500), (None, 1_500), (None, 1_500)] == [
        (each.limit, each.pairs) for each in _at_targets(genuine, scores(impostors, 2))
    ]


@pytest.mark.parametrize(
    ("errors", "trials", "bound"),
    [(0, 0, 1), (0, 1, 1), (0, 300, 0.01), (0, 29_956, 1.0015e-4), (1, 1000, 0.005643), (50, 100, 0.5962), (9, 9, 1)],
)
def test_bounds_are_those_of_the_books(errors: int, trials: int, bound: float) -> None:
    """The rule of three where nothing went wrong, Wilson's bound elsewhere."""
    assert bound == pytest.approx(upper_bound(errors, trials), rel=1e-3)


def test_people_are_counted_once() -> None:
    """Ten misses of one person are one person missed."""
    rate = _rate([True] * 10 + [False] * 10, ["anna"] * 10 + ["ben"] * 10)

    assert (10, 20, 1, 2) == (rate.errors, rate.trials, rate.people_wrong, rate.people)
    assert rate.at_most < rate.at_most_people


def test_trials_are_all_there_are() -> None:
    """Three people of six pictures: 45 own pairs, 108 of others; 20 draws of 3 own and 6 others."""
    chance = np.random.default_rng(1)
    people = {name: [normal(chance.normal(size=128).astype(np.float32)) for _ in range(6)] for name in "abc"}

    assert [45, 108] == [len(scores) for scores, _ in _singles(people)]
    assert [60, 120] == [len(scores) for scores, _ in _fused(people)]
    assert _fused(people)[0][0].tolist() == _fused(people)[0][0].tolist()


# ---------------------------------------------------------------- the collection beside the project


@functools.cache
def measured() -> Evaluation:
    collection = collect(data("orl"))
    return evaluate(collection, Nets(lock.checked_paths(models())), "tests")


@pytest.mark.slow
def test_twenty_people_are_told_apart() -> None:
    """No false match, and at least 99 % true ones, fused, at the default limit."""
    (default,) = (row for row in measured().fused if row.limit == measured().default_limit)

    assert (20, 200, 0, 0) == (measured().people, measured().pictures, measured().without_face, measured().unreadable)
    assert (0, 7600, 190) == (default.fmr.errors, default.fmr.trials, default.fmr.people)
    assert default.tmr >= 0.99
    assert "</svg>" in as_svg(measured())


@pytest.mark.slow
def test_the_heads_turns_in_a_film_are_found(tmp_path: Path) -> None:
    """To either side, and the mouth that opens twice."""
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").symlink_to(data("clips", "cap13_edit2.mp4"))

    (film,) = evaluate(collect(tmp_path), Nets(lock.checked_paths(models())), "tests").gestures

    assert (1, 1, 2, 0) == tuple(film.times[name] for name in ("turn-left", "turn-right", "open-mouth", "nod"))
