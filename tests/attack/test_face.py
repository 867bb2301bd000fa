"""BIO: what somebody tries who holds the phone and has not got the face."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from foregate.ports import Busy
from foregate.rules import limits
from foregate.rules.gestures import Gesture
from tests.bank import LI, WANG, Bank, Visitor
from tests.face_bank import (
    ENROLLED,
    FILM,
    GESTURES,
    STILLS,
    another_take,
    asked,
    come,
    do,
    do_all,
    engine,
    enrol,
    face_bank,
    sent,
    show,
    stranger,
)  # fmt: skip
from tests.faces import frames

__all__ = ["face_bank"]
pytestmark = [pytest.mark.anyio, pytest.mark.attack]


def draw(monkeypatch: pytest.MonkeyPatch, *gestures: Gesture) -> None:
    """Let chance ask for these gestures, in this order, again and again."""
    left, drawn = list(Gesture), []
    for gesture in gestures:
        drawn.append(left.index(gesture))
        left.remove(gesture)

    def randbelow(below: int) -> int:
        return drawn[len(Gesture) - below]

    monkeypatch.setattr("foregate.proofs.face.secrets.randbelow", randbelow)


async def charged(bank: Bank) -> int:
    """How many failures are counted against the face."""
    async with bank.house.store.begin() as tx:
        return sum(row.total for row in await tx.counters.of(bank.customer_id(LI)) if row.counter == "face")


async def test_what_was_accepted_once_is_refused(bank: Bank) -> None:
    """The pictures of a success, sent again in another journey, are known."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    assert "done" == (await do_all(await come(bank), frames(FILM, STILLS))).journey["status"]
    visitor = await come(bank)
    assert "face-not-live" == (await do(visitor, frames(FILM, STILLS))).cause
    assert {} == asked(visitor)


async def test_a_recorded_success_does_not_answer_another_challenge(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every picture of a success written down again, in its order or shifted: other gestures are asked now."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    draw(monkeypatch, Gesture.TURN_LEFT, Gesture.NOD)
    assert "done" == (await do_all(await come(bank), frames(FILM, STILLS))).journey["status"]
    draw(monkeypatch, Gesture.OPEN_MOUTH, Gesture.TURN_RIGHT)
    recorded = another_take(frames(FILM, GESTURES[Gesture.TURN_LEFT]), 70)
    for quality, shift in ((80, 0), (75, 4)):
        visitor = await come(bank)
        assert (await do(visitor, another_take(frames(FILM, STILLS), quality))).cause is None
        assert "open-mouth" == asked(visitor)["part"]
        shifted = another_take(recorded[shift:] + recorded[:shift], quality)
        assert (await do(visitor, shifted)).cause in ("face-gesture-missed", "face-not-live")
        assert {} == asked(visitor)
        assert await visitor.level() is None


async def test_stills_are_no_gesture(bank: Bank) -> None:
    """Somebody who holds five good pictures, and shows them again when a gesture is asked for."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    await do(visitor, frames(FILM, STILLS))
    assert (await do(visitor, another_take(frames(FILM, STILLS), 80))).cause in ("face-gesture-missed", "face-not-live")
    assert 1 == await charged(bank)


async def test_somebody_else_may_not_do_the_gesture(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """The customer's pictures first, a living stranger for the rest: the face changed, and that ends it."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    draw(monkeypatch, Gesture.COME_CLOSER, Gesture.NOD)
    visitor = await come(bank)
    await do(visitor, frames(FILM, STILLS))
    assert "face-not-live" == (await do(visitor, stranger())).cause
    assert await visitor.level() is None


async def at_once(visitor: Visitor, times: int) -> list[dict[str, Any]]:
    """Send one set for what is asked, so often at the same moment; return what was said."""
    facts, journey = asked(visitor), visitor.last.journey if visitor.last else {}
    answer = {"challenge": facts["challenge"], "part": facts["part"], "pictures": sent(frames(FILM, STILLS))}
    body = {"version": journey["version"], "step": "face", "answer": answer}
    path = f"/v1/journeys/{journey['id']}/pictures"
    return [raw.json() for raw in await asyncio.gather(*(visitor.client.post(path, json=body) for _ in range(times)))]


async def test_one_set_sent_eight_times_at_once_counts_once(bank: Bank) -> None:
    """One of them moves the journey on by one part; no other skips a gesture."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    left = asked(visitor)["parts_left"]
    moved = [said for said in await at_once(visitor, 8) if "cause" not in said]
    assert [left - 1] == [said["step"]["facts"]["parts_left"] for said in moved]


async def test_four_replays_at_once_are_one_failure(bank: Bank) -> None:
    """The first ends the challenge; what came with it is told nothing, and takes no more of the customer's tries."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    assert "done" == (await do_all(await come(bank), frames(FILM, STILLS))).journey["status"]
    visitor = await come(bank)
    said = [each["cause"] for each in await at_once(visitor, 4)]
    assert ["face-challenge-over"] * 3 + ["face-not-live"] == sorted(said)
    assert 1 == await charged(bank)


async def test_five_failures_in_a_row_rest(bank: Bank) -> None:
    """BIO-05: the fifth is told with how long it rests; other ways stay, and right pictures have to wait as well."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    assert "done" == (await do_all(await come(bank), frames(FILM, STILLS))).journey["status"]
    visitor = await come(bank)
    for _ in range(limits.ROW_FAILURES - 1):
        assert "face-not-live" == (await do(visitor, frames(FILM, STILLS))).cause
        await visitor.answer("begin")
    answer = await do(visitor, frames(FILM, STILLS))
    assert ("proof-blocked", limits.BLOCK_SECONDS) == (answer.cause, answer.body["retry_in_seconds"])
    assert "password" == answer.step
    assert "face" not in {way["name"] for way in answer.journey["other_ways"]}


async def test_before_possession_nobody_learns_who_has_a_face(bank: Bank) -> None:
    """Enrolled, not enrolled, nobody at all: asked for a face too early, the same is said."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    bank.clock.turn(limits.RESEND_SECONDS)
    heard = []
    for number in (LI.phone, WANG.phone, "+8613900000099"):
        visitor = bank.visitor()
        await visitor.start("sign-in", "phone", phone=number)
        said = [await visitor.answer("choose", way="face"), await visitor.answer("begin")]
        said.append(await show(visitor, "face", challenge="x", part="look-straight", pictures=["AAAA"]))
        heard.append([(answer.status, answer.cause, answer.remedies, answer.step) for answer in said])
    assert heard[0] == heard[1] == heard[2]


async def test_a_busy_engine_costs_nothing_and_lets_nobody_in(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """BIO-11: no room in the pool. The try is given back, the challenge stands, the password works."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)

    async def busy(pictures: Any) -> Any:
        raise Busy("no room")

    monkeypatch.setattr(engine(), "look", busy)
    assert "busy" == (await do(visitor, frames(FILM, STILLS))).cause
    assert 0 == await charged(bank)
    await visitor.answer("choose", way="password")
    assert "done" == (await visitor.answer(password=LI.password)).journey["status"]


async def test_what_is_no_picture_is_told_and_costs_no_try(bank: Bank) -> None:
    """BIO-09: a bomb, a script, half a file, no base64: one answer, at once."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    bomb = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (50_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    for files in ([bomb] * 5, [b"<svg onload=alert(1)>"] * 5, [frames(FILM, STILLS)[0][:500]] * 5):
        assert "face-unreadable" == (await do(visitor, files)).cause
    facts = asked(visitor)
    asks = {"challenge": facts["challenge"], "part": facts["part"]}
    assert "face-unreadable" == (await show(visitor, "face", **asks, pictures=["%%%"] * 5)).cause
    assert 0 == await charged(bank)
    too_many = ["AAAA"] * (limits.FACE_FRAMES + 1)
    assert "input-invalid" == (await show(visitor, "face", **asks, pictures=too_many)).cause


async def test_flawed_pictures_have_an_end(bank: Bank) -> None:
    """They cost no try, so their number is bounded: at n the round is over, and so is every other in this journey."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    for _ in range(limits.FACE_FAULTS):
        assert "face-unreadable" == (await do(visitor, [b"no picture"] * 5)).cause
    assert {} == asked(visitor)
    assert "face-challenge-over" == (await visitor.answer("begin")).cause
    assert 0 == await charged(bank)


async def test_a_challenge_lives_a_minute_and_belongs_to_its_journey(bank: Bank) -> None:
    """Another journey's, an old one, one with a later end, one made up: none is taken, and none costs the customer."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    one, other = await come(bank), await come(bank)
    mine, theirs = asked(one)["challenge"], asked(other)["challenge"]
    nonce, ends_at, signature = mine.split(".")
    later = f"{nonce}.{int(ends_at) + 600}.{signature}"
    unsigned = f"{nonce}.{ends_at}"
    for name in (theirs, later, unsigned, f"{unsigned}.{'0' * 64}", f"{nonce}.9e9.{signature}", "..", "x"):
        assert "face-challenge-over" == (await do(one, frames(FILM, STILLS), challenge=name)).cause
    await one.answer("begin")
    assert "face-challenge-over" == (await do(one, frames(FILM, STILLS), challenge=mine)).cause
    facts = asked(one)
    bank.clock.turn(limits.FACE_CHALLENGE_SECONDS)
    late = {"challenge": facts["challenge"], "part": facts["part"], "pictures": sent(frames(FILM, STILLS))}
    assert "face-challenge-over" == (await show(one, "face", **late)).cause
    assert 0 == await charged(bank)


async def test_what_lasts_asks_for_a_nearer_face(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same face signs in at one limit, and sets a new password only at the higher one."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    engine, asked_of = bank.house.world.faces, []
    assert engine is not None
    compare = engine.compare

    def compared(looks: Any, template: bytes, key: bytes, limit: int) -> Any:
        asked_of.append(limit)
        return compare(looks, template, key, limit)

    monkeypatch.setattr(engine, "compare", compared)
    assert "done" == (await do_all(await come(bank), frames(FILM, STILLS))).journey["status"]
    visitor = bank.visitor()
    bank.clock.turn(limits.RESEND_SECONDS)
    await visitor.start("reset-password", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    await visitor.answer("choose", way="face")
    await visitor.answer("begin")
    assert "set-password" == (await do_all(visitor, another_take(frames(FILM, STILLS), 80), 70)).step
    assert [limits.FACE_MATCH, limits.FACE_MATCH_STEP_UP] == asked_of


async def test_in_the_last_second_a_challenge_still_lives(bank: Bank) -> None:
    """The bound holds at n: one second less, and the pictures are looked at."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    bank.clock.turn(limits.FACE_CHALLENGE_SECONDS - 1)
    assert (await do(visitor, frames(FILM, STILLS))).cause is None


@pytest.mark.parametrize(
    ("waited", "sending", "cause"),
    [
        (limits.FACE_CHALLENGE_SECONDS - 1, limits.FACE_SENDING_SECONDS, None),
        (limits.FACE_CHALLENGE_SECONDS - 1, limits.FACE_SENDING_SECONDS + 1, "face-challenge-over"),
        (limits.FACE_CHALLENGE_SECONDS, 0, "face-challenge-over"),
        (limits.FACE_CHALLENGE_SECONDS, limits.FACE_SENDING_SECONDS, "face-challenge-over"),
    ],
)
async def test_a_slow_line_is_no_late_answer(bank: Bank, waited: int, sending: int, cause: str | None) -> None:
    """What began in time may take a while to come in, with an end to it; what began late is late however it comes."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    visitor = await come(bank)
    assert visitor.last is not None
    facts, journey = asked(visitor), visitor.last.journey
    answer = {"challenge": facts["challenge"], "part": facts["part"], "pictures": sent(frames(FILM, STILLS))}
    body = json.dumps({"version": journey["version"], "step": "face", "answer": answer}).encode()

    async def dribble() -> AsyncIterator[bytes]:
        yield body[:1000]
        bank.clock.turn(int(sending))
        yield body[1000:]

    bank.clock.turn(int(waited))
    raw = await visitor.client.post(
        f"/v1/journeys/{journey['id']}/pictures", content=dribble(), headers={"Content-Type": "application/json"}
    )
    assert cause == raw.json().get("cause")


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


async def test_no_table_and_no_event_holds_a_picture_or_a_score(bank: Bank, tmp_path: Path) -> None:
    """BIO-08: after a success and a failure nothing of the pictures is anywhere, and no number that says how near."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    await do_all(await come(bank), frames(FILM, STILLS))
    await do(await come(bank), frames(FILM, STILLS))
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("bank.db*"))  # noqa: ASYNC240 -- a test may wait
    for picture in (*frames(FILM, ENROLLED), *frames(FILM, STILLS)):
        assert picture[200:260] not in kept
        assert base64.b64encode(picture)[300:360] not in kept
    for word in (b"score", b"cosine", b"surely-same", b"closeness"):
        assert word not in kept
