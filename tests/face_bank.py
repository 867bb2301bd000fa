"""A bank that compares faces, and people whose faces are real: those of the folder beside the project."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from foregate import bootstrap
from foregate.gateways.face.engine import Engine
from foregate.rules.gestures import Gesture
from tests.bank import LI, WANG, Answer, Bank, Visitor, open_bank
from tests.faces import data, frames, jpeg, models

FILM = "cap12_edit"
STILLS, ENROLLED = range(0, 25, 5), range(1050, 1100, 10)
GESTURES = {
    Gesture.TURN_RIGHT: range(484, 518, 3),
    Gesture.TURN_LEFT: range(515, 551, 3),
    Gesture.NOD: range(552, 598, 4),
    Gesture.OPEN_MOUTH: range(278, 312, 3),
    Gesture.COME_CLOSER: range(790, 830, 4),
}


@cache
def engine() -> Engine:
    """Return one engine for all tests: models take a while to load."""
    return Engine(models())


@pytest.fixture(name="bank")
async def face_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bank]:
    """Yield a bank that compares faces, with two customers."""
    data("clips", f"{FILM}.mp4")
    monkeypatch.setattr(bootstrap, "open_faces", lambda settings: engine())
    monkeypatch.setattr(engine(), "close", lambda: None)
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI, WANG)
    yield bank
    await bank.close()


def sent(pictures: Sequence[bytes]) -> list[str]:
    """Return pictures as they travel."""
    return [base64.b64encode(picture).decode() for picture in pictures]


def another_take(pictures: Sequence[bytes], quality: int) -> list[bytes]:
    """Return pictures as another take of the same camera would have them: other bytes."""
    return [jpeg(changed(picture), quality) for picture in pictures]


def changed(picture: bytes, light: float = 1.0) -> Any:
    seen = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return np.clip(np.asarray(seen) * light, 0, 255).astype(np.uint8) if light != 1 else seen


async def show(visitor: Visitor, step: str, **answer: Any) -> Answer:
    """Answer a step with pictures."""
    assert visitor.last is not None
    journey = visitor.last.journey
    body = {"version": journey["version"], "step": step, "answer": answer}
    raw = await visitor.client.post(f"/v1/journeys/{journey['id']}/pictures", json=body)
    return await visitor._keep(raw)


async def enrol(bank: Bank, visitor: Visitor, pictures: Sequence[bytes], consent: bool = True) -> Answer:
    """Renew a face: phone, card PIN, consent and pictures."""
    await visitor.start("renew-face", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    await visitor.answer(card_pin=LI.pin)
    return await show(visitor, "renew-face", pictures=sent(pictures), consent=consent)


async def come(bank: Bank) -> Visitor:
    """Come back by a remembered device, and choose the face."""
    visitor = bank.visitor()
    await bank.remember(visitor, LI)
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer("choose", way="face")
    await visitor.answer("begin")
    return visitor


def asked(visitor: Visitor) -> dict[str, Any]:
    """What is asked now."""
    assert visitor.last is not None
    facts: dict[str, Any] = visitor.last.journey["step"]["facts"]
    return facts


async def do(visitor: Visitor, pictures: Sequence[bytes], **other: Any) -> Answer:
    """Answer what is asked with pictures."""
    facts = asked(visitor)
    answer = {"challenge": facts["challenge"], "part": facts["part"], "pictures": sent(pictures)} | other
    return await show(visitor, "face", **answer)


async def do_all(visitor: Visitor, stills: Sequence[bytes], take: int = 85) -> Answer:
    """Look straight, then do each gesture as it is asked for."""
    answer = await do(visitor, stills)
    while answer.cause is None and answer.step == "face":
        answer = await do(visitor, another_take(frames(FILM, GESTURES[Gesture(asked(visitor)["part"])]), take))
    return answer


def stranger() -> list[bytes]:
    """Return pictures of somebody else, alive, held before the same camera."""
    seen = np.asarray(cv2.imread(str(data("spoof", "image_T1.jpg"))), np.uint8)
    return [jpeg(seen[n : seen.shape[0] - 8 + n, n : seen.shape[1] - 8 + n]) for n in range(5)]
