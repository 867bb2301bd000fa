"""ACL-04, ACL-05, REL-01: places at an outlet are never given twice, never lost, and are nobody else's business."""

import asyncio
import os
import re
import secrets
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import bindparam, update
from structlog.testing import capture_logs

from foregate.outlets.appointments import LINK_BYTES, LINK_CHARS
from foregate.rules import limits
from foregate.rules.appointments import State
from foregate.store.audit_check import verify
from foregate.store.keyring import load_keys, write_keys
from foregate.store.outlets.appointment_tables import appointment_unit
from foregate.store.statements import Statement
from tests.appointments import TOMORROW_TEN, book, hold, iso, number, put_outlet, rows, token_of, wanted
from tests.attack.bookings import SERVICE, play_rounds
from tests.bank import LI, ORIGIN, Bank, Visitor, open_bank

pytestmark = [pytest.mark.anyio, pytest.mark.attack]
ROUNDS = int(os.environ.get("FOREGATE_ROUNDS", "5"))  # the gate is 1000
LAPSE = Statement(update(appointment_unit).values(held_until=bindparam("now")))
NO_LIMIT = limits.Limit(10**9, "requests", "this test sends more than a person")


@pytest.mark.slow
async def test_acl_04_rel_01_exactly_as_many_as_places_whatever_dies(database: str, tmp_path: Path) -> None:
    """200 at once for 1 to 5 places, in two processes, one killed now and then: never one too many, none lost."""
    keys_file = tmp_path / "keys.toml"
    write_keys(keys_file)
    bank = await open_bank(database, keys=load_keys(keys_file))
    await put_outlet(bank)
    tally = await play_rounds(bank.house.store, database, keys_file, ROUNDS)
    findings = await verify(bank.house.store)
    await bank.close()
    print(tally)
    assert ROUNDS == tally.rounds
    assert [] == tally.overbooked
    assert [] == tally.lost
    assert [] == findings
    assert tally.acknowledged <= tally.confirmed


@pytest.mark.alone  # two hundred wait for one place: with somebody else at work they wait too long
async def test_acl_04_two_hundred_confirm_at_once_over_the_door(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 browsers, each with a hold that lapsed, type their codes together: three get a place, 197 hear why."""
    for name in ("STARTS_PER_MINUTE", "HOLDS_PER_MINUTE", "ANSWERS_PER_MINUTE"):
        monkeypatch.setattr(limits, name, NO_LIMIT)
    bank.house.store.database._wait_seconds = 60  # type: ignore[attr-defined]  # here everybody is meant to queue
    await put_outlet(bank, face_update=3)
    ready: list[tuple[Visitor, str]] = []
    for n in range(200):
        visitor = bank.visitor()
        assert "phone_code" == (await hold(visitor, number(n), service=SERVICE)).step
        ready.append((visitor, await bank.code(number(n))))
        # As if all came at once and each hold lapsed before the next: the codes are still good for those who typed.
        await lapse(bank)
    answers = await asyncio.gather(*(visitor.answer(code=code) for visitor, code in ready))
    causes = Counter(answer.cause for answer in answers)
    assert {None: 3, "place-taken": 197} == causes
    assert 3 == len(await rows(bank, State.CONFIRMED))
    refused = next(answer for answer in answers if answer.cause)
    assert (409, ["another-time", "visit-outlet"]) == (refused.status, refused.remedies)


async def lapse(bank: Bank) -> None:
    """Let every hold lapse now."""
    async with bank.house.store.database.transaction() as connection:
        await connection.run(LAPSE, now=bank.clock.now())


# ---------------------------------------------------------------- somebody else's


@pytest.mark.parametrize("what", ["", "/cancel", "/check-in", "/move", ".ics"])
async def test_acl_04_nobody_reads_or_changes_what_they_have_no_link_of(bank: Bank, what: str) -> None:
    """A guess, a token cut short, one in other letters, an id, a reference: each is as unknown as any other."""
    await put_outlet(bank)
    _, booked = await book(bank, number(1))
    (row,) = await rows(bank)
    token = token_of(booked)
    visitor = bank.visitor(headers={"origin": ORIGIN})
    guesses = (token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), token.swapcase(), token + "A",
               row.appointment_id, row.reference, (row.token_digest or b"").hex(), secrets.token_urlsafe(LINK_BYTES),
               "x" * 5000)  # fmt: skip
    for guess in guesses:
        for prefix in ("", "/v1") if what != ".ics" else ("",):
            place = f"{prefix}/appointments/{guess}{what}"
            if what in ("", ".ics"):
                raw = await visitor.client.get(place)
            else:
                body = {"starts_at": iso(TOMORROW_TEN)} if what == "/move" else {}
                post = visitor.client.post
                raw = await (post(place, json=body) if prefix else post(place, data=body))
            assert 404 == raw.status_code, (place, raw.status_code)
    assert [State.CONFIRMED] == [row.state for row in await rows(bank)]


def test_acl_04_a_link_is_too_long_to_guess() -> None:
    """More than 128 bits, in an address that stays in one piece."""
    assert LINK_BYTES * 8 >= 128
    assert LINK_BYTES % 3 == 0
    assert 24 == LINK_CHARS


async def test_acl_04_the_link_lies_nowhere_but_in_the_message(bank: Bank) -> None:
    """Neither the database nor the log holds it; looking at it changes nothing."""
    await put_outlet(bank)
    with capture_logs() as logged:
        _, booked = await book(bank, number(1))
        token = token_of(booked)
        before = await rows(bank)
        for place in (f"/appointments/{token}", f"/appointments/{token}/move", f"/appointments/{token}.ics",
                      f"/v1/appointments/{token}"):  # fmt: skip
            assert 200 == (await bank.visitor().client.get(place)).status_code
    assert before == await rows(bank)
    assert token not in repr(logged)
    if bank.house.settings.database.startswith("sqlite"):
        folder = Path(bank.house.settings.database.removeprefix("sqlite:///")).parent
        stored = b"".join(file.read_bytes() for file in folder.glob("bank.db*"))
        for secret in (token, number(1)[3:]):
            assert secret.encode() not in stored
        assert "王".encode() not in stored


async def test_acl_04_cancelling_needs_a_form_of_ours(bank: Bank) -> None:
    """A page elsewhere cannot cancel through somebody's browser, nor can a link alone."""
    await put_outlet(bank)
    _, booked = await book(bank, number(1))
    place = f"/appointments/{token_of(booked)}/cancel"
    elsewhere = bank.visitor(headers={"origin": "https://evil.example"})
    assert 403 == (await elsewhere.client.post(place)).status_code
    assert 405 == (await elsewhere.client.get(place)).status_code
    assert [State.CONFIRMED] == [row.state for row in await rows(bank)]


# ---------------------------------------------------------------- quotas


async def test_acl_05_a_script_holds_only_so_many_places(bank: Bank) -> None:
    """From one source HOLDS_PER_MINUTE and no more, however the holds are asked for."""
    await put_outlet(bank, other=50)
    statuses = []
    for n in range(limits.HOLDS_PER_MINUTE + 3):
        visitor = bank.visitor(headers={"origin": ORIGIN})
        wish = wanted(number(n), service="other")
        if n % 3 == 0:
            statuses.append((await visitor.start("book-appointment", "anybody", **wish)).status)
            continue
        begun = await visitor.start("book-appointment")
        if n % 3 == 1:
            statuses.append((await visitor.answer("anybody", **wish)).status)
        else:
            form = wish | {"step": "anybody", "version": "1"}
            statuses.append((await visitor.client.post(f"/j/{begun.journey['id']}", data=form)).status_code)
    assert {201, 200, 303} == set(statuses[: limits.HOLDS_PER_MINUTE])
    assert [429] * 3 == statuses[limits.HOLDS_PER_MINUTE :]


async def test_acl_05_what_was_held_and_not_confirmed_is_free_again(bank: Bank) -> None:
    """A hold lasts HOLD_SECONDS, whether or not anybody sweeps."""
    await put_outlet(bank, phone_change=1)
    await hold(bank.visitor(), number(1))
    bank.clock.turn(limits.HOLD_SECONDS - 1)
    assert "place-taken" == (await hold(bank.visitor(), number(2))).cause
    bank.clock.turn(1)
    assert "phone_code" == (await hold(bank.visitor(), number(3))).step


async def test_acl_05_limits_hold_for_bookings_at_once(bank: Bank) -> None:
    """Five browsers prove one number at the same moment for five services: two appointments come of it."""
    await put_outlet(bank, phone_change=5, other=5, document_update=5, password_reset=5)
    services = ("phone-change", "other", "document-update", "password-reset", "phone-change")
    visitors, codes = [], []
    for n, service in enumerate(services):
        visitor = bank.visitor()
        held = await hold(visitor, number(1), TOMORROW_TEN + n * 3600, service=service)
        assert "phone_code" == held.step, held.body
        visitors.append(visitor)
        codes.append(await bank.code(number(1)))
        bank.clock.turn(limits.RESEND_SECONDS)
    answers = await asyncio.gather(*(v.answer(code=code) for v, code in zip(visitors, codes, strict=True)))
    assert limits.BOOKINGS_PER_DAY == sum(answer.body.get("status") == "done" for answer in answers)
    assert limits.BOOKINGS_PER_DAY == len(await rows(bank, State.CONFIRMED))


async def test_acl_05_only_the_code_tells_about_the_number(bank: Bank) -> None:
    """A stranger who types somebody's number hears nothing of their appointments before the code."""
    await put_outlet(bank, phone_change=5)
    await book(bank, LI.phone)
    bank.clock.turn(limits.RESEND_SECONDS)
    about, nobody = bank.visitor(), bank.visitor()
    answers = [await hold(about, LI.phone), await hold(nobody, number(5))]
    assert [201, 201] == [answer.status for answer in answers]
    shown = [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{3}\*{4}\d{4}|\d{8}", "-", answer.raw.text) for answer in answers]
    assert shown[0] == shown[1]
    wrong = [await v.answer(code=await bank.wrong_code(p)) for v, p in ((about, LI.phone), (nobody, number(5)))]
    assert {"code-wrong"} == {answer.cause for answer in wrong}


async def test_aut_04_a_code_for_a_visit_opens_nothing_else(bank: Bank) -> None:
    """The code of a booking signs nobody in, and the code of a sign-in books nothing."""
    await put_outlet(bank)
    books, signs_in = bank.visitor(), bank.visitor()
    await hold(books, LI.phone)
    for_visit = await bank.code(LI.phone)
    bank.clock.turn(limits.RESEND_SECONDS)
    await signs_in.start("sign-in-basic", "phone", phone=LI.phone)
    for_sign_in = await bank.code(LI.phone)
    assert for_visit != for_sign_in
    assert "code-wrong" == (await signs_in.answer(code=for_visit)).cause
    assert "code-wrong" == (await books.answer(code=for_sign_in)).cause
    assert None is await signs_in.level()
    assert [] == await rows(bank, State.CONFIRMED)
    assert "done" == (await books.answer(code=for_visit)).body["status"]
    assert None is await books.level()


# ---------------------------------------------------------------- what a booker types

VECTORS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg/onload=alert(1)>", "{{7*7}}", "${7*7}",
    "=cmd|' /C calc'!A0", "+SUM(1)", "@SUM(1)", "-2+3", "王\u202e芳", "王\n[info] signed-in", "王\u0000",
    "王;DROP TABLE x", "王%0d%0aSet-Cookie:a=b", "javascript:alert(1)", "王\u2028x", "王" * 21,
)  # fmt: skip


@pytest.mark.parametrize("typed", VECTORS)
async def test_web_03_a_surname_is_inert(bank: Bank, typed: str) -> None:
    """Refused at its field, or brought to letters alone: nothing in a page, a message, a log or an export acts."""
    await put_outlet(bank)
    with capture_logs() as logged:
        visitor = bank.visitor()
        answer = await hold(visitor, number(1), surname=typed)
        if answer.cause is None:
            await visitor.answer(code=await bank.code(number(1)))
            (row,) = await rows(bank)
            assert re.fullmatch(r"[\w ·'-]+", row.surname or "")
            assert (row.surname or "-")[0] not in "=+-@"
        else:
            assert ["surname"] == [fault["name"] for fault in answer.body["fields"]]
    assert typed not in repr(logged)
    assert typed not in "".join(await bank.texts(number(1)))
