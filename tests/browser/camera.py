"""A camera for tests: the file that Chromium takes for its camera holds one frame, and is written anew all the time.

What it shows is filmed heads of the folder beside the project, enlarged to 640 x 480. Simulated are the hand that holds
the phone (a pixel or two), the noise of the sensor, and that whoever is filmed does what the page asks for: the film of
that gesture is put before the camera when the page says its name. Faces, gestures and all that judges them are real.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Error, Page

from tests.browser.bank import Visitor
from tests.face_bank import FILM, GESTURES
from tests.faces import SIZE, data, frames

Picture = NDArray[np.uint8]
STRAIGHT, LATER = range(1040, 1110, 5), range(0, 25, 5)  # to enrol; and as straight as the gestures begin
PICTURE_MS, FRAMES_SHOWN, STEPS_MAX, PATIENCE_SECONDS = 280, 3, 150, 8
PAUSES_MAX = 20
COUNT_FRAMES = (
    "(v => v && !v.hidden ? v.getVideoPlaybackQuality().totalVideoFrames : 0)(document.querySelector('#face video'))"
)


def film(wanted: range) -> list[Picture]:
    """Return frames of the filmed head."""
    return [_opened(file) for file in frames(FILM, wanted)]


def stranger() -> list[Picture]:
    """Return somebody else, alive, before the same camera."""
    seen = _opened(data("spoof", "image_T1.jpg").read_bytes())
    height, width = seen.shape[:2]
    high = min(height, width * 3 // 4)
    wide = high * 4 // 3
    return [_resized(seen[:high, (width - wide) // 2 : (width + wide) // 2])]


def dark(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the same with hardly any light."""
    return [np.asarray(picture * 0.12, np.uint8) for picture in pictures]


def beside(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the same with somebody else beside."""
    pairs = (cv2.resize(np.hstack([picture, picture]), (640, 240)) for picture in pictures)
    return [np.asarray(cv2.copyMakeBorder(pair, 120, 120, 0, 0, cv2.BORDER_REPLICATE), np.uint8) for pair in pairs]


class Camera:
    """What a browser takes for its camera. `show` puts pictures before it, `turn` the next of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pictures, self._index, self._is_frozen = film(STRAIGHT[:1]), 0, False
        self.written = 0
        self._chance, self._over = np.random.default_rng(7), threading.Event()
        path.write_bytes(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F30:1 Ip A1:1 C420jpeg\nFRAME\n".encode())
        self._start = path.stat().st_size
        self._file = path.open("r+b", buffering=0)
        self._write()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Camera:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._file.close()

    def show(self, pictures: Sequence[Picture], *, is_frozen: bool = False) -> None:
        """Put these before the camera. Frozen: one picture, the same to the last bit, for ever."""
        self._pictures, self._index, self._is_frozen = list(pictures), 0, is_frozen

    def turn(self) -> None:
        """The next picture; the last one stays."""
        self._index = min(self._index + 1, len(self._pictures) - 1)

    def _run(self) -> None:
        while not self._over.wait(0.03):
            self._write()

    def _write(self) -> None:
        pictures, index = self._pictures, self._index
        picture = pictures[min(index, len(pictures) - 1)]
        if not self._is_frozen:
            shaken = np.roll(picture, self._chance.integers(-2, 3, 2), (0, 1)) * self._chance.uniform(0.97, 1.03)
            noise = self._chance.integers(-4, 5, picture.shape, np.int16)
            picture = np.clip(shaken + noise, 0, 255).astype(np.uint8)
        self._file.seek(self._start)
        self._file.write(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())
        self.written += 1


def act(visitor: Visitor, camera: Camera, straight: Sequence[Picture] | None, until: str) -> None:
    """Do what the page asks for, one picture after the other, until it says `until`. None: nothing is changed."""
    page, shown = visitor.page, ""
    asked: dict[str, list[Picture]] = {}
    if straight is not None:
        asked = {visitor.t(f"face.part-{gesture}"): film(wanted) for gesture, wanted in GESTURES.items()}
        asked[visitor.t("face.part-look-straight")] = list(straight)
    pause(page)
    for _ in range(STEPS_MAX):
        said = said_by(page)
        if until in said or page.get_by_text(until).first.is_visible():
            page.clock.resume()
            return
        if said in asked and said != shown:
            camera.show([*asked[said][:1], *asked[said]])
        shown = said if said in asked else shown
        wait_for_frames(page, camera)
        with suppress(Error):  # gone to the next page meanwhile
            page.clock.run_for(PICTURE_MS)
        camera.turn()
    raise AssertionError(f"the page never said {until!r}; it says {said_by(page)!r}")


def pause(page: Page) -> None:
    """Let the page's time stand still. On a busy machine the moment that was meant may be over before it is said."""
    for _ in range(PAUSES_MAX):
        with suppress(Error):
            page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 0.05)
            return
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)


def wait_for_frames(page: Page, camera: Camera) -> None:
    """Wait until the browser has shown what the camera sees now; where there is nothing to see, a moment."""
    until, written = time.monotonic() + PATIENCE_SECONDS, camera.written
    # The picture that is being written was begun before; the next one is new for certain.
    while camera.written < written + 2 and time.monotonic() < until:
        page.wait_for_timeout(10)
    before = _count(page)
    while True:
        page.wait_for_timeout(20)
        now = _count(page)
        if not now or now < before or now >= before + FRAMES_SHOWN or time.monotonic() > until:
            return


def _count(page: Page) -> int:
    with suppress(Error):  # gone to the next page meanwhile
        return int(page.evaluate(COUNT_FRAMES))
    return 0


def said_by(page: Page) -> str:
    """Return what the camera page says now."""
    lines: list[str] = []
    with suppress(Error):  # gone to the next page meanwhile
        lines = page.locator("#face .say").all_inner_texts()
    return lines[0] if lines else ""


def _opened(file: bytes) -> Picture:
    return _resized(np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR), np.uint8))


def _resized(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, SIZE), np.uint8)
