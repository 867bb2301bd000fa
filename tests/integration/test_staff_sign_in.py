"""Staff sign in, enrol, are locked and leave: over HTTP, as their browsers do it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.counter import sign_in_enrol
from foregate.ports.counter import Role
from foregate.rules import limits
from tests.authenticator import Authenticator
from tests.bank import ORIGIN, Bank, open_bank
from tests.staff import PASSWORD, Console, Hired, hire, open_outlet

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """Yield a bank with one outlet that never closes."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await open_outlet(bank)
    yield bank
    await bank.close()


@pytest.fixture
async def teller(bank: Bank) -> Hired:
    return await hire(bank, "zhou.teller", Role.TELLER, outlet_id="0001")


@pytest.fixture
def console(bank: Bank) -> Console:
    return Console(bank)


async def enrolment(bank: Bank, hired: Hired) -> str:
    async with bank.house.store.begin() as tx:
        return await sign_in_enrol.issue(bank.house.world, tx, hired.member.staff_id, actor="test", source="")


async def kinds(bank: Bank, hired: Hired) -> list[str]:
    async with bank.house.store.begin() as tx:
        return [entry.kind for entry in await tx.trail.of(f"staff-{hired.member.staff_id}")][::-1]


async def test_password_and_code_open_a_session(bank: Bank, console: Console, teller: Hired) -> None:
    """The cookie is strict, unreadable and new; the record has the try and the session."""
    let_in = await console.sign_in(teller, back="/console/queue")
    assert (303, "/console/queue") == (let_in.status, let_in.location)
    cookie = let_in.raw.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("__host-staff=", "secure", "httponly", "samesite=strict", "path=/"))
    assert 200 == (await console.get("/console/queue")).status
    assert ["staff-enrolled", "staff-signed-in"] == (await kinds(bank, teller))[-2:]


async def test_a_one_time_code_works_once(bank: Bank, console: Console, teller: Hired) -> None:
    """Neither again, nor an older one after a newer; the next one does."""
    now = bank.clock.now()
    newest = teller.code(now, 1)
    assert 303 == (await console.sign_in(teller, code=newest)).status
    for code in (newest, teller.code(now), teller.code(now, -1)):
        assert 403 == (await Console(bank).sign_in(teller, code=code)).status
    bank.clock.turn(2 * limits.TOTP_STEP_SECONDS)
    assert 303 == (await Console(bank).sign_in(teller, code=teller.code(bank.clock.now()))).status


async def test_codes_of_the_neighbouring_steps_are_taken(bank: Bank, console: Console, teller: Hired) -> None:
    """A phone's clock may be half a minute off, not a minute."""
    bank.clock.turn(600)
    for shift, status in ((-2, 403), (2, 403), (1, 303)):
        code = teller.code(bank.clock.now(), shift)
        assert status == (await console.sign_in(teller, code=code)).status, shift


@pytest.mark.parametrize("changes", [{"password": "seven quiet otters 13"}, {"code": "000000"}, {"user_name": "nobody"},
                                     {"password": ""}, {"code": ""}, {"user_name": ""}])  # fmt: skip
async def test_what_is_wrong_is_refused_in_the_same_words(
    bank: Bank, console: Console, teller: Hired, changes: dict[str, str]
) -> None:
    """And what was typed as a name stays, what was typed as a secret does not."""
    refused = await console.sign_in(teller, **changes)
    assert 403 == refused.status
    assert "That did not work" in refused.words
    assert PASSWORD not in refused.text
    assert console.token is None
    if "user_name" not in changes:
        assert 'value="zhou.teller"' in refused.text


async def test_the_session_ends_when_left_alone(bank: Bank, console: Console, teller: Hired) -> None:
    """A quarter of an hour; what the page fetches by itself does not count as somebody being here."""
    await console.sign_in(teller)
    bank.clock.turn(int(limits.STAFF_IDLE_SECONDS) - 1)
    assert 200 == (await console.get("/console/queue")).status
    bank.clock.turn(int(limits.STAFF_IDLE_SECONDS) - 1)
    assert 200 == (await console.get("/console/queue", headers={"X-Part": "queue"})).status
    assert 200 == (await console.get("/console/left")).status
    bank.clock.turn(1)
    assert 303 == (await console.get("/console/queue")).status
    assert 401 == (await console.get("/console/left")).status
    assert "/console/sign-in?done=locked" == (await console.get("/console/locked")).location


async def test_one_press_keeps_the_session(bank: Bank, console: Console, teller: Hired) -> None:
    """The button of the warning, with a script and without."""
    await console.sign_in(teller)
    for _ in range(3):
        bank.clock.turn(int(limits.STAFF_IDLE_SECONDS) - 1)
        kept = await console.client.post("/console/left", headers={"Origin": ORIGIN})
        assert {"seconds": int(limits.STAFF_IDLE_SECONDS)} == kept.json()


async def test_no_session_outlives_a_shift(bank: Bank, console: Console, teller: Hired) -> None:
    """Twelve hours, however busy."""
    await console.sign_in(teller)
    for _ in range(int(limits.STAFF_SESSION_SECONDS // 600) - 1):
        bank.clock.turn(600)
        await console.client.post("/console/left", headers={"Origin": ORIGIN})
    assert 200 == (await console.get("/console/queue")).status
    bank.clock.turn(601)
    assert 303 == (await console.get("/console/queue")).status


async def test_signing_out_ends_it_on_the_server(bank: Bank, console: Console, teller: Hired) -> None:
    """The same cookie, kept by a thief, opens nothing."""
    await console.sign_in(teller)
    kept = console.token
    assert "/console/sign-in?done=signed-out" == (await console.post("/console/sign-out")).location
    console.client.cookies.set("__Host-staff", kept or "", domain="login.bank.test", path="/")
    assert 303 == (await console.get("/console/queue")).status


async def test_who_is_deactivated_is_out_with_the_next_click(bank: Bank, console: Console, teller: Hired) -> None:
    """And does not come in again."""
    await console.sign_in(teller)
    async with bank.house.store.begin() as tx:
        await tx.staff.deactivate(teller.member.staff_id)
    assert 303 == (await console.get("/console/queue")).status
    assert 403 == (await console.sign_in(teller)).status


async def test_signing_in_again_replaces_the_session(bank: Bank, console: Console, teller: Hired) -> None:
    """There is never an old secret that works."""
    await console.sign_in(teller)
    before = console.token
    await console.sign_in(teller)
    assert before != console.token
    console.client.cookies.set("__Host-staff", before or "", domain="login.bank.test", path="/")
    assert 303 == (await console.get("/console/queue")).status


# ---------------------------------------------------------------- enrolment


async def test_enrol_with_password_and_codes(bank: Bank, console: Console, teller: Hired) -> None:
    """The code shows who it is for; a weak password and a wrong code are said at their fields; then it is used up."""
    code = await enrolment(bank, teller)
    assert 403 == (await console.sign_in(teller)).status  # what was lost works no more
    shown = await console.post("/console/enrol", enrolment=code.lower().replace("-", " "))
    assert 200 == shown.status
    assert "zhou.teller" in shown.words
    assert "<svg" in shown.text
    again = await sign_in_enrol.look(bank.house.world, code)
    assert isinstance(again, sign_in_enrol.Invited)
    anew = Hired(teller.member, again.totp_secret, "an entirely new otter")
    wrong = await console.post("/console/enrol/password", enrolment=code, password="short pw 1", one_time_code="1")
    assert 422 == wrong.status
    assert 2 == wrong.text.count('aria-invalid="true"')
    good = {"enrolment": code, "password": anew.password, "one_time_code": anew.code(bank.clock.now())}
    assert "/console/sign-in?done=enrolled" == (await console.post("/console/enrol/password", **good)).location
    assert 404 == (await console.post("/console/enrol/password", **good)).status
    assert 403 == (await console.sign_in(anew, code=good["one_time_code"])).status  # taken at enrolment
    bank.clock.turn(60)
    assert 303 == (await console.sign_in(anew)).status


async def test_an_enrolment_code_dies_after_a_day(bank: Bank, console: Console, teller: Hired) -> None:
    """At the second."""
    code = await enrolment(bank, teller)
    bank.clock.turn(int(limits.ENROLMENT_SECONDS) - 1)
    assert 200 == (await console.post("/console/enrol", enrolment=code)).status
    bank.clock.turn(1)
    assert 404 == (await console.post("/console/enrol", enrolment=code)).status


async def with_passkey(bank: Bank, console: Console, hired: Hired) -> Authenticator:
    """Enrol anew, with a passkey."""
    code, key = await enrolment(bank, hired), Authenticator(ORIGIN)
    options = (await console.post("/console/enrol/passkey/options", enrolment=code)).raw.json()
    made = json.dumps(key.create(options))
    assert 303 == (await console.post("/console/enrol/passkey", enrolment=code, credential=made)).status
    return key


async def test_enrol_and_sign_in_with_a_passkey(bank: Bank, console: Console, teller: Hired) -> None:
    """Nothing is typed; the lock of the password does not matter."""
    key = await with_passkey(bank, console, teller)
    for _ in range(limits.STAFF_TRIES + 1):
        resting = await console.post("/console/sign-in", user_name="zhou.teller", password="x", code="1")
    assert 429 == resting.status
    for _ in range(2):
        options = (await console.post("/console/sign-in/passkey/options")).raw.json()
        assert "required" == options["userVerification"]
        signed = json.dumps(key.get(options))
        assert 303 == (await console.post("/console/sign-in/passkey", credential=signed, back="/console/queue")).status
        assert 200 == (await console.get("/console/queue")).status
    assert ["staff-enrolled", "staff-signed-in", "staff-signed-in"] == [
        kind for kind in await kinds(bank, teller) if kind != "staff-sign-in-refused"
    ][-3:]
