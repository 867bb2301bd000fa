"""Sign in by face over the API, with real pictures: those of the folder beside the project."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from foregate.rules import limits
from foregate.rules.gestures import Gesture
from foregate.rules.permission import lane_of
from tests.bank import LI, WANG, Answer, Bank, Visitor, open_bank
from tests.faces import data, frames, jpeg, models

pytestmark = pytest.mark.anyio

FILM = "cap12_edit"
STILLS, ENROLLED = range(0, 25, 5), range(1050, 1100, 10)
GESTURES = {
    Gesture.TURN_RIGHT: range(484, 518, 3),
    Gesture.TURN_LEFT: range(514, 550, 3),
    Gesture.NOD: range(552, 598, 4),
    Gesture.OPEN_MOUTH: range(278, 312, 3),
    Gesture.COME_CLOSER: range(790, 830, 4),
}


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """Yield a bank that compares faces, with two customers."""
    data("clips", f"{FILM}.mp4")
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", face_models=str(models()))
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


async def test_enrol_then_sign_in_by_device_and_face(bank: Bank) -> None:
    """A remembered phone and a face are two categories: signed in, one gesture after the other."""
    answer = await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    assert "done" == answer.journey["status"]
    assert any("人脸" in text for text in await bank.texts(LI.phone))

    visitor = await come(bank)
    assert {"challenge", "part", "parts_left", "challenge_expires_in_seconds"} == set(asked(visitor))
    answer = await do_all(visitor, frames(FILM, STILLS))
    assert (None, "done") == (answer.cause, answer.journey["status"])
    assert "full" == await visitor.level()
    assert "face-renewed" in await bank.events(LI)


async def test_without_consent_nothing_is_kept(bank: Bank) -> None:
    """Consent is a thing of its own: without it the pictures are not even looked at."""
    answer = await enrol(bank, bank.visitor(), frames(FILM, ENROLLED), consent=False)
    assert ("input-invalid", "consent") == (answer.cause, answer.body["fields"][0]["name"])


async def test_a_face_that_was_withdrawn_is_gone(bank: Bank) -> None:
    """Signed in, one step: the template is destroyed, and the face is offered no more."""
    visitor = bank.visitor()
    await enrol(bank, visitor, frames(FILM, ENROLLED))
    bank.clock.turn(limits.RESEND_SECONDS)
    await visitor.sign_in(LI)
    assert "done" == (await visitor.start("withdraw-face")).journey["status"]
    async with bank.house.store.begin() as tx:
        assert await tx.faces.find(bank.customer_id(LI)) is None
    other = bank.visitor()
    await bank.remember(other, LI)
    answer = await other.start("sign-in", "phone", phone=LI.phone)
    assert "face" not in {way["name"] for way in answer.journey["other_ways"]}


async def test_a_flaw_is_told_and_costs_no_try(bank: Bank) -> None:
    """Too dark, somebody else in the picture: said as it is, and the challenge goes on."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    dark = [jpeg(changed(picture, 0.2)) for picture in frames(FILM, STILLS)]
    answer = await do(visitor, dark)
    assert ("face-too-dark", None) == (answer.cause, answer.body.get("tries_left"))
    two = [jpeg(np.hstack([changed(picture)] * 2)) for picture in frames(FILM, STILLS)]
    answer = await do(visitor, two)
    assert ("several-faces", None) == (answer.cause, answer.body.get("tries_left"))
    assert {"another-way", "visit-outlet"} <= set(answer.remedies)
    assert "done" == (await do_all(visitor, frames(FILM, STILLS))).journey["status"]


async def test_another_person_is_not_let_in(bank: Bank) -> None:
    """Somebody else's face is on file: not recognised, without a number, and a try less."""
    stranger = np.asarray(cv2.imread(str(data("spoof", "image_T1.jpg"))), np.uint8)
    held = [jpeg(stranger[n : stranger.shape[0] - 8 + n, n : stranger.shape[1] - 8 + n]) for n in range(5)]
    assert "done" == (await enrol(bank, bank.visitor(), held)).journey["status"]
    visitor = await come(bank)
    answer = await do_all(visitor, frames(FILM, STILLS))
    assert ("face-not-you", limits.ROW_FAILURES - 1) == (answer.cause, answer.body["tries_left"])
    assert "score" not in answer.raw.text
    assert await visitor.level() is None


async def test_what_was_accepted_once_is_refused(bank: Bank) -> None:
    """The pictures of a success, sent again in another journey, are known."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    assert "done" == (await do_all(await come(bank), frames(FILM, STILLS))).journey["status"]
    visitor = await come(bank)
    assert "face-not-live" == (await do(visitor, frames(FILM, STILLS))).cause
    assert {} == asked(visitor)


async def test_another_journeys_challenge_is_refused(bank: Bank) -> None:
    """A challenge belongs to the journey that it was made for, and dies after a minute."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    one, other = await come(bank), await come(bank)
    answer = await do(one, frames(FILM, STILLS), challenge=asked(other)["challenge"])
    assert "face-challenge-over" == answer.cause
    facts = asked(one)
    bank.clock.turn(limits.FACE_CHALLENGE_SECONDS)
    answer = await show(
        one, "face", challenge=facts["challenge"], part=facts["part"], pictures=sent(frames(FILM, STILLS))
    )
    assert "face-challenge-over" == answer.cause


async def test_a_gesture_before_it_was_asked_for_is_refused(bank: Bank) -> None:
    """Every gesture sent first, in the hope that one is right: none counts before its turn."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    for gesture, film in GESTURES.items():
        assert "face-challenge-over" == (await do(visitor, frames(FILM, film), part=gesture.value)).cause
    assert "look-straight" == asked(visitor)["part"]


async def test_what_a_client_claims_does_not_exist(bank: Bank) -> None:
    """A vector, a score, `live: true`: not part of an answer, and pictures have no room elsewhere."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    for claim in ({"live": True}, {"vector": ["1"] * 20}, {"score": "0.99"}):
        assert "input-invalid" == (await do(visitor, frames(FILM, STILLS), **claim)).cause
    assert visitor.last is not None
    body = {"version": 1, "step": "face", "answer": {"x": "y" * limits.BODY_BYTES}}
    raw = await visitor.client.post(f"/v1/journeys/{visitor.last.journey['id']}/answers", json=body)
    assert "too-large" == raw.json()["cause"]


async def test_pictures_that_nobody_asked_for_are_not_read(bank: Bank) -> None:
    """The large route takes nothing from a journey that does not ask for a face."""
    visitor = bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    answer = await show(visitor, "face", challenge="x", part="nod", pictures=["AAAA"])
    assert "journey-moved-on" == answer.cause


async def test_an_expired_face_is_renewed(bank: Bank) -> None:
    """Expired, the face says so and where to renew it; renewed, it signs in."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    bank.clock.turn(limits.FACE_DAYS * limits.DAY)
    async with bank.house.store.begin() as tx:
        await tx.customers.signed_in(bank.customer_id(LI), bank.clock.now())
    visitor = await come(bank)
    assert visitor.last is not None
    assert "face-expired" == visitor.last.cause
    assert "renew-face" in visitor.last.remedies
    renewed = await enrol(bank, bank.visitor(), another_take(frames(FILM, ENROLLED), 90))
    assert "done" == renewed.journey["status"]
    assert "done" == (await do_all(await come(bank), frames(FILM, STILLS))).journey["status"]


async def document_ends(bank: Bank, day: str) -> None:
    """The customer's identity document has this last day."""
    await bank.house.core.set_document_expiry(LI.core_ref, day)


async def test_a_face_that_keeps_failing_tells_of_the_expired_document(bank: Bank) -> None:
    """The third failure in a row looks further: the document is over, and renewing it is the way on."""
    stranger = np.asarray(cv2.imread(str(data("spoof", "image_T1.jpg"))), np.uint8)
    held = [jpeg(stranger[n : stranger.shape[0] - 8 + n, n : stranger.shape[1] - 8 + n]) for n in range(5)]
    await enrol(bank, bank.visitor(), held)
    await document_ends(bank, "2027-01-01")
    visitor = bank.visitor()
    lane = lane_of(await bank.remember(visitor, LI))
    async with bank.house.store.begin() as tx:
        for _ in range(limits.FACE_DIAGNOSED_FROM - 1):
            await tx.counters.charge(bank.customer_id(LI), "face", lane, bank.clock.now())
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer("choose", way="face")
    await visitor.answer("begin")
    answer = await do_all(visitor, frames(FILM, STILLS))
    assert "face-document-expired" == answer.cause
    assert {"another-way", "renew-document"} <= set(answer.remedies)


@pytest.mark.parametrize(("born", "ends", "cause"), [
    ("2010-01-16", "2035-01-01", "too-young"), ("1999-01-10", "2027-01-01", "document-expired"),
])  # fmt: skip
async def test_whose_face_is_not_taken(bank: Bank, born: str, ends: str, cause: str) -> None:
    """A minor, and somebody whose document is over, hear so before a picture is looked at."""
    await bank.settle(replace(LI, birth_date=born), registered=False)
    await document_ends(bank, ends)
    assert cause == (await enrol(bank, bank.visitor(), [b"not looked at"])).cause


async def test_ten_failures_turn_it_off_until_it_is_renewed(bank: Bank) -> None:
    """Not for ever: a renewed face counts from nothing."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    async with bank.house.store.begin() as tx:
        for _ in range(limits.FACE_FAILURES):
            bank.clock.turn(limits.DAY)
            assert await tx.counters.charge(
                bank.customer_id(LI), "face", "unknown", bank.clock.now(), limits.FACE_FAILURES
            )
    other = bank.visitor()
    await bank.remember(other, LI)
    answer = await other.start("sign-in", "phone", phone=LI.phone)
    assert "face" not in {way["name"] for way in answer.journey["other_ways"]}
    await enrol(bank, bank.visitor(), another_take(frames(FILM, ENROLLED), 90))
    assert "look-straight" == asked(await come(bank))["part"]


async def test_nothing_of_a_face_stays_behind(bank: Bank, tmp_path: Path) -> None:
    """After the decision no table holds a picture, nor what was seen in one, but the sealed template."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    await do_all(visitor, frames(FILM, STILLS))
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("bank.db*"))  # noqa: ASYNC240 -- a test may wait
    for picture in (*frames(FILM, ENROLLED), *frames(FILM, STILLS)):
        assert picture[200:260] not in kept
        assert base64.b64encode(picture)[300:360] not in kept


async def test_without_models_face_is_not_open(tmp_path: Path) -> None:
    """The house runs on, says so, and neither asks for a face nor takes one."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    visitor = bank.visitor()
    assert "not open" == (await visitor.get("/healthz")).body["face"]
    names = {row["journey"] for row in (await visitor.get("/v1/journeys")).body["list"]}
    assert "renew-face" not in names
    assert "withdraw-face" in names
    await bank.close()
