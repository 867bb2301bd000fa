"""Sign in by face over the API, with real pictures: those of the folder beside the project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from foregate.rules import documents, limits
from foregate.rules.consents import TEXT_VERSION, Purpose
from foregate.rules.permission import lane_of
from tests.bank import LI, Bank, open_bank
from tests.face_bank import (
    ENROLLED,
    FILM,
    STILLS,
    another_take,
    asked,
    changed,
    come,
    do,
    do_all,
    enrol,
    face_bank,
    stranger,
)  # fmt: skip
from tests.faces import frames, jpeg

__all__ = ["face_bank"]
pytestmark = pytest.mark.anyio


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
        consent = (await tx.consents.of(bank.customer_id(LI)))[Purpose.FACE]
    assert (TEXT_VERSION, False) == (consent.text_version, consent.holds)
    (row,) = (await visitor.get("/v1/consents")).body["list"]
    assert ("face", False, TEXT_VERSION) == (row["purpose"], row["is_agreed"], row["text_version"])
    assert 'id="face"' in (await visitor.client.get("/linked")).text
    async with bank.house.store.begin() as tx:
        assert await tx.faces.find(bank.customer_id(LI)) is None
    other = bank.visitor()
    await bank.remember(other, LI)
    answer = await other.start("sign-in", "phone", phone=LI.phone)
    assert "face" not in {way["name"] for way in answer.journey["other_ways"]}


async def test_an_expired_face_stays_among_ones_ways_with_what_renews_it(bank: Bank) -> None:
    """It is shown as over, and is no way in any more: nothing that is promised rests on it."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    bank.clock.turn(limits.RESEND_SECONDS)
    for is_over in (False, True):
        visitor = bank.visitor()
        if is_over:
            async with bank.house.store.begin() as tx:
                row = await tx.faces.find(bank.customer_id(LI))
                assert row is not None
                await tx.faces.put(msgspec.structs.replace(row, expires_at=bank.clock.now()))
        await visitor.sign_in(LI)
        view = (await visitor.get("/v1/me/ways")).body
        assert ["expired" if is_over else "good"] == [
            way["state"] for way in view["ways"] if way["proof"] == "face"
        ]  # fmt: skip
        assert is_over == ("face" not in {still["loss"] for still in view["if_lost"]})
        assert is_over == ('action="/renew-face"' in (await visitor.client.get("/ways")).text)
        bank.clock.turn(limits.RESEND_SECONDS)


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
    held = stranger()
    assert "done" == (await enrol(bank, bank.visitor(), held)).journey["status"]
    visitor = await come(bank)
    answer = await do_all(visitor, frames(FILM, STILLS))
    assert ("face-not-you", limits.ROW_FAILURES - 1) == (answer.cause, answer.body["tries_left"])
    assert "score" not in answer.raw.text
    assert await visitor.level() is None


async def told_of_the_face(bank: Bank) -> list[str]:
    """Let a day's notices be given; return those about a face, the newest first."""
    await bank.house.notices.sweep()
    return [template for template in await bank.messages_about(LI) if "face-e" in template]


async def test_a_face_that_ends_is_told_ahead(bank: Bank) -> None:
    """From thirty days before its end, at home and by one message; once more when it has ended."""
    await enrol(bank, bank.visitor(), frames(FILM, ENROLLED))
    bank.clock.turn(limits.RESEND_SECONDS)
    async with bank.house.store.begin() as tx:
        row = await tx.faces.find(bank.customer_id(LI))
    assert row is not None
    ahead = limits.FACE_AHEAD_DAYS * limits.DAY
    visitor, seen = bank.visitor(), []
    for at in (row.expires_at - ahead - 1, row.expires_at - ahead, row.expires_at - 1, row.expires_at):
        is_long_after = at > bank.clock.now() + limits.DAY
        bank.clock.turn(at - bank.clock.now())
        if is_long_after:
            async with bank.house.store.begin() as tx:
                await tx.customers.signed_in(bank.customer_id(LI), at)
            await visitor.sign_in_basic(LI)
        me = (await visitor.get("/v1/me")).body
        seen.append((me["face"]["state"], me["face"]["days_left"], me["may_withdraw_face"]))
        if at == row.expires_at - 1:
            day = documents.day_of(row.expires_at - limits.DAY // 2).isoformat()
            await bank.house.core.set_document_expiry(LI.core_ref, day)  # the document is told of in its place
            assert 1 == len(await told_of_the_face(bank))
            await bank.house.core.set_document_expiry(LI.core_ref, None)
        told = [await told_of_the_face(bank), await told_of_the_face(bank)]
        assert told[0] == told[1]
        assert {"valid": 0, "expiring": 1, "expired": 2}[me["face"]["state"]] == len(told[0])
    assert [("valid", 31, True), ("expiring", 30, True), ("expiring", 1, True), ("expired", 0, True)] == seen
    assert ["sms.face-expired", "sms.face-expiring"] == sorted(told[0])


async def test_who_has_no_face_is_not_told_of_one(bank: Bank) -> None:
    """Neither on file nor consented to: nothing to stop using."""
    visitor = bank.visitor()
    await visitor.sign_in_basic(LI)
    me = (await visitor.get("/v1/me")).body
    assert (None, False) == (me["face"], me["may_withdraw_face"])


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


@pytest.mark.parametrize(("ends_on", "cause", "ways"), [
    ("2027-01-01", "face-document-expired", ["another-way", "renew-document", "visit-outlet"]),
    ("2037-01-01", "face-nothing-expired", ["another-way", "visit-outlet", "renew-face", "try-again"]),
])  # fmt: skip
async def test_a_face_that_keeps_failing_tells_what_has_expired(
    bank: Bank, ends_on: str, cause: str, ways: list[str]
) -> None:
    """The third failure in a row looks further: the document is over, or nothing is, and trying again comes last."""
    held = stranger()
    await enrol(bank, bank.visitor(), held)
    await document_ends(bank, ends_on)
    visitor = bank.visitor()
    lane = lane_of(await bank.remember(visitor, LI))
    async with bank.house.store.begin() as tx:
        for _ in range(limits.FACE_DIAGNOSED_FROM - 1):
            await tx.counters.charge(bank.customer_id(LI), "face", lane, bank.clock.now())
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer("choose", way="face")
    await visitor.answer("begin")
    answer = await do_all(visitor, frames(FILM, STILLS))
    assert (cause, ways) == (answer.cause, answer.remedies)


@pytest.mark.parametrize(("born", "ends", "cause"), [
    ("2010-01-16", "2035-01-01", "face-too-young"), ("1999-01-10", "2027-01-01", "document-expired"),
])  # fmt: skip
async def test_whose_face_is_not_taken(bank: Bank, born: str, ends: str, cause: str) -> None:
    """A minor, and somebody whose document is over, hear so before a picture is looked at."""
    await bank.settle(replace(LI, birth_date=born), registered=False)
    await document_ends(bank, ends)
    assert cause == (await enrol(bank, bank.visitor(), [b"not looked at"])).cause


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
