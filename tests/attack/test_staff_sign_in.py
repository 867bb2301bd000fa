"""TEL-06 and PKY at the console: guessing, twins, replays, planted cookies, and fifty ways to bend a passkey."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import pytest

from foregate.counter import sign_in_enrol
from foregate.passkey_site import Site
from foregate.ports.counter import Role
from foregate.rules import limits
from tests.authenticator import ATTESTED, PRESENT, VERIFIED, Authenticator, b64, unb64
from tests.bank import LI, ORIGIN, Bank, open_bank
from tests.staff import Console, Hired, hire, open_outlet

pytestmark = [pytest.mark.anyio, pytest.mark.attack]


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """Yield a bank. What the store guards is tested over both databases, in the contract of the credentials."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    yield bank
    await bank.close()


@pytest.fixture
async def teller(bank: Bank) -> Hired:
    await open_outlet(bank)
    return await hire(bank, "zhou.teller", Role.TELLER, outlet_id="0001")


def without_secrets(text: str) -> str:
    """What of a page depends on nothing that was typed."""
    return text.replace("zhou.teller", "NAME").replace("nobody.here", "NAME")


async def test_tel_06_ten_tries_in_a_row_and_a_rest_of_half_an_hour(bank: Bank, teller: Hired) -> None:
    """The eleventh is not even compared; after the rest the right one is let in."""
    thief = Console(bank)
    for _ in range(limits.STAFF_TRIES):
        assert 403 == (await thief.sign_in(teller, password="wrong wrong wrong")).status
    resting = await Console(bank).sign_in(teller)
    assert 429 == resting.status
    assert "30 minutes" in resting.words
    bank.clock.turn(int(limits.STAFF_LOCK_SECONDS) - 31)
    assert 429 == (await Console(bank).sign_in(teller)).status
    bank.clock.turn(62)
    assert 303 == (await Console(bank).sign_in(teller)).status


async def test_tel_06_parallel_guesses_are_ten(bank: Bank, teller: Hired, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of forty that arrive together ten are compared."""
    compared = 0
    verify = bank.house.hasher.verify

    async def counted(hashed: str | None, secret: str) -> bool:
        nonlocal compared
        compared += 1
        return await verify(hashed, secret)

    monkeypatch.setattr(bank.house.hasher, "verify", counted)
    thief = Console(bank)
    fields = {"user_name": "zhou.teller", "password": "wrong wrong wrong", "code": "000000"}
    await asyncio.gather(*(thief.post("/console/sign-in", **fields) for _ in range(40)))
    assert limits.STAFF_TRIES == compared


async def test_a_name_that_nobody_has_is_its_twin(bank: Bank, teller: Hired) -> None:
    """The same page, status and headers, the same number of tries, the same rest."""
    answers = []
    for name in ("zhou.teller", "nobody.here"):
        thief, seen = Console(bank), []
        for _ in range(limits.STAFF_TRIES + 1):
            page = await thief.post("/console/sign-in", user_name=name, password="wrong wrong wrong", code="123456")
            headers = sorted(k for k in page.raw.headers if k != "content-length")
            seen.append((page.status, without_secrets(page.text), headers))
        answers.append(seen)
    assert answers[0] == answers[1]


@pytest.mark.alone
async def test_a_name_that_nobody_has_takes_as_long(bank: Bank, teller: Hired) -> None:
    """It is hashed and compared like any other."""
    thief = Console(bank)
    took: dict[str, list[float]] = {"zhou.teller": [], "nobody.here": []}
    for _ in range(4):
        for name, times in took.items():
            began = time.perf_counter()
            await thief.post("/console/sign-in", user_name=name, password="wrong wrong wrong", code="123456")
            times.append(time.perf_counter() - began)
    known, unknown = (median(times) for times in took.values())
    assert 0.5 < known / unknown < 2


async def test_ses_01_a_planted_cookie_is_not_taken_up(bank: Bank, teller: Hired) -> None:
    """The session that opens has a secret of its own, and what was planted opens nothing."""
    console = Console(bank)
    planted = "A" * 86
    console.client.cookies.set("__Host-staff", planted, domain="login.bank.test", path="/")
    assert 303 == (await console.get("/console")).status
    await console.sign_in(teller)
    assert console.token not in (None, planted)


async def test_a_customers_cookie_opens_no_console_and_a_members_no_account(bank: Bank, teller: Hired) -> None:
    """Two tables, two cookies; neither token is the other's."""
    customer, console = bank.visitor(), Console(bank)
    await customer.sign_in(LI)
    await console.sign_in(teller)
    session = customer.client.cookies.get("__Host-session")
    for name, value, client, path in (
        ("__Host-staff", session, customer.client, "/console"),
        ("__Host-session", console.token, console.client, "/v1/me"),
    ):
        client.cookies.clear()
        client.cookies.set(name, value or "", domain="login.bank.test", path="/")
        assert (await client.get(path)).status_code in (303, 401), name


async def test_ses_05_forms_from_elsewhere_are_refused(bank: Bank, teller: Hired) -> None:
    """Another origin, null, and none at all."""
    console = Console(bank)
    await console.sign_in(teller)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        answer = await console.client.post("/console/queue/next", data={"desk": "1"}, headers=headers)
        assert 403 == answer.status_code, headers


async def test_web_04_after_sign_in_only_our_own_pages(bank: Bank, teller: Hired) -> None:
    """Whatever `back` says."""
    for back in (
        "//evil.example", "https://evil.example", "/\\evil", "/console//evil.example", "/console/../evil",
        "javascript:1",
        "/console/x?y=//evil", "/console%2f..", "\t/console", "/consolex", "/console/a\nb", "",
    ):  # fmt: skip
        assert "/console" == (await Console(bank).sign_in(teller, back=back)).location, back


async def test_an_enrolment_code_is_not_guessed_nor_used_twice_at_once(bank: Bank, teller: Hired) -> None:
    """Sixty-five bits, and of ten who use one together one is enrolled."""
    async with bank.house.store.begin() as tx:
        code = await sign_in_enrol.issue(bank.house.world, tx, teller.member.staff_id, actor="t", source="")
    assert limits.LONG_CODE_SYMBOLS == len(code.replace("-", ""))
    invited = await sign_in_enrol.look(bank.house.world, code)
    assert isinstance(invited, sign_in_enrol.Invited)
    hired = Hired(teller.member, invited.totp_secret)
    fields = {"enrolment": code, "password": "an entirely new otter", "one_time_code": hired.code(bank.clock.now())}
    thieves = [Console(bank) for _ in range(10)]
    pages = await asyncio.gather(*(thief.post("/console/enrol/password", **fields) for thief in thieves))
    assert 1 == sum(page.status == 303 for page in pages)


# ---------------------------------------------------------------- passkeys

Credential = dict[str, Any]


async def with_passkey(bank: Bank, hired: Hired) -> tuple[Console, Authenticator]:
    console, key = Console(bank), Authenticator(ORIGIN)
    async with bank.house.store.begin() as tx:
        code = await sign_in_enrol.issue(bank.house.world, tx, hired.member.staff_id, actor="t", source="")
    options = (await console.post("/console/enrol/passkey/options", enrolment=code)).raw.json()
    page = await console.post("/console/enrol/passkey", enrolment=code, credential=json.dumps(key.create(options)))
    assert 303 == page.status
    return console, key


async def signed(console: Console, key: Authenticator) -> Credential:
    return key.get((await console.post("/console/sign-in/passkey/options")).raw.json())


def in_response(name: str, change: Callable[[bytes], bytes]) -> Callable[[Credential, Authenticator], None]:
    def bend(credential: Credential, _: Authenticator) -> None:
        credential["response"][name] = b64(change(unb64(credential["response"][name])))

    return bend


def client_data(**changes: Any) -> Callable[[Credential, Authenticator], None]:
    """Bend what the browser says, and sign it properly all the same."""

    def bend(credential: Credential, key: Authenticator) -> None:
        client = json.loads(unb64(credential["response"]["clientDataJSON"])) | changes
        resign(credential, key, json.dumps(client).encode(), unb64(credential["response"]["authenticatorData"]))

    return bend


def authenticator_data(change: Callable[[bytes], bytes]) -> Callable[[Credential, Authenticator], None]:
    """Bend what the authenticator says, and sign it properly all the same."""

    def bend(credential: Credential, key: Authenticator) -> None:
        data = change(unb64(credential["response"]["authenticatorData"]))
        resign(credential, key, unb64(credential["response"]["clientDataJSON"]), data)

    return bend


def resign(credential: Credential, key: Authenticator, client: bytes, data: bytes) -> None:
    credential["response"] |= {
        "clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(key.sign(data, client)),
    }  # fmt: skip


def put(**fields: Any) -> Callable[[Credential, Authenticator], None]:
    return lambda credential, _: credential.update(fields)


def put_response(**fields: Any) -> Callable[[Credential, Authenticator], None]:
    return lambda credential, _: credential["response"].update(fields)


def drop(name: str) -> Callable[[Credential, Authenticator], None]:
    return lambda credential, _: credential["response"].pop(name)


def flags(value: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:32] + bytes([value]) + data[33:]


OTHER_ID = b64(b"another credential of 32 bytes..")
MUTANTS: dict[str, Callable[[Credential, Authenticator], None]] = {
    **{f"client-{name}-{value!r:.24}": client_data(**{name: value}) for name, value in [
        ("origin", "https://evil.example"), ("origin", "http://login.bank.test"), ("origin", ORIGIN + ":8443"),
        ("origin", ORIGIN + ".evil.example"), ("origin", "null"), ("origin", ""), ("origin", ORIGIN + "/"),
        ("origin", ORIGIN.upper()), ("type", "webauthn.create"), ("type", "payment.get"), ("type", ""),
        ("challenge", b64(b"0" * 32)), ("challenge", ""), ("challenge", "!!!"),
    ]},
    **{f"flags-{value:02x}": authenticator_data(flags(value)) for value in (
        0, PRESENT, VERIFIED, ATTESTED, PRESENT | 0x10, 0x80 | PRESENT | VERIFIED, ATTESTED | PRESENT | VERIFIED,
    )},
    "rp-id": authenticator_data(lambda data: b"x" * 32 + data[32:]),
    "rp-id-short": authenticator_data(lambda data: data[1:]),
    "data-empty": authenticator_data(lambda _: b""),
    "data-cut": authenticator_data(lambda data: data[:36]),
    "data-longer": authenticator_data(lambda data: data + b"x"),
    "count-zero": authenticator_data(lambda data: data[:33] + bytes(4)),
    **{f"signature-{n}": in_response("signature", change) for n, change in enumerate((
        lambda s: b"", lambda s: s[:-1], lambda s: s + b"\0", lambda s: bytes(len(s)), lambda s: s[::-1],
        lambda s: bytes([s[0]]) + bytes([s[1] ^ 1]) + s[2:], lambda s: s[:-1] + bytes([s[-1] ^ 1]),
    ))},
    "client-bytes": in_response("clientDataJSON", lambda c: c + b" "),
    "client-none": in_response("clientDataJSON", lambda c: b""),
    "client-list": in_response("clientDataJSON", lambda c: b"[]"),
    "client-number": in_response("clientDataJSON", lambda c: b"7"),
    "data-unsigned": in_response("authenticatorData", lambda d: d[:-1] + b"\xff"),
    "other-id": put(id=OTHER_ID, rawId=OTHER_ID),
    "id-differs": put(id=OTHER_ID),
    "raw-id-differs": put(rawId=OTHER_ID),
    "type-other": put(type="password"),
    "type-none": put(type=None),
    "id-none": put(id=None, rawId=None),
    "handle-other": put_response(userHandle=b64(b"0123456789abcdef")),
    "handle-empty": put_response(userHandle=""),
    "handle-none": put_response(userHandle=None),
    **{f"without-{name}": drop(name) for name in ("signature", "clientDataJSON", "authenticatorData", "userHandle")},
}  # fmt: skip


async def test_pky_02_every_bent_answer_is_refused(bank: Bank, teller: Hired, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each field bent by itself; where it matters, with a good signature over what is bent."""
    monkeypatch.setattr(limits, "STARTS_PER_MINUTE", 1000)
    console, key = await with_passkey(bank, teller)
    assert len(MUTANTS) >= 40
    straight = await signed(console, key)
    assert 303 == (await console.post("/console/sign-in/passkey", credential=json.dumps(straight))).status
    let_in = []
    for name, bend in MUTANTS.items():
        bank.clock.turn(2)
        credential = copy.deepcopy(await signed(console, key))
        bend(credential, key)
        page = await console.post("/console/sign-in/passkey", credential=json.dumps(credential))
        if page.status != 403:
            let_in.append((name, page.status))
    assert [] == let_in
    straight = await signed(console, key)
    assert 303 == (await console.post("/console/sign-in/passkey", credential=json.dumps(straight))).status


@pytest.mark.parametrize("rubbish", ["", "null", "[]", "7", "{}", '"x"', "{" * 200, '{"id": 1}', "\0", "é" * 100])
async def test_pky_02_rubbish_is_refused(bank: Bank, teller: Hired, rubbish: str) -> None:
    """With a reply, not with an error."""
    console, _ = await with_passkey(bank, teller)
    await console.post("/console/sign-in/passkey/options")
    assert 403 == (await console.post("/console/sign-in/passkey", credential=rubbish)).status


async def test_pky_01_a_challenge_is_ours_fresh_used_once_and_of_this_browser(bank: Bank, teller: Hired) -> None:
    """A replayed answer, an old one, one of another browser, and a client's own challenge are refused."""
    console, key = await with_passkey(bank, teller)
    first = json.dumps(await signed(console, key))
    assert 303 == (await console.post("/console/sign-in/passkey", credential=first)).status
    assert 403 == (await console.post("/console/sign-in/passkey", credential=first)).status
    late = json.dumps(await signed(console, key))
    bank.clock.turn(int(limits.CHALLENGE_SECONDS))
    assert 403 == (await console.post("/console/sign-in/passkey", credential=late)).status
    stolen = json.dumps(await signed(console, key))
    assert 403 == (await Console(bank).post("/console/sign-in/passkey", credential=stolen)).status
    own = json.dumps(key.get({"challenge": b64(b"c" * 32)}))
    assert 403 == (await console.post("/console/sign-in/passkey", credential=own)).status


async def test_pky_04_a_count_that_goes_back_is_written_down(bank: Bank, teller: Hired) -> None:
    """A copied key is refused, and the record says why."""
    console, key = await with_passkey(bank, teller)
    for _ in range(3):
        assert (
            303
            == (
                await console.post("/console/sign-in/passkey", credential=json.dumps(await signed(console, key)))
            ).status
        )
    key.count = 0
    copied = json.dumps(await signed(console, key))
    assert 403 == (await console.post("/console/sign-in/passkey", credential=copied)).status
    async with bank.house.store.begin() as tx:
        newest = (await tx.trail.of(f"staff-{teller.member.staff_id}"))[0]
    assert ("staff-sign-in-refused", "counted-back") == (newest.kind, newest.details["why"])


async def test_a_passkey_without_verification_is_not_made(bank: Bank, teller: Hired) -> None:
    """Neither one of another site, nor one whose owner was not verified."""
    async with bank.house.store.begin() as tx:
        code = await sign_in_enrol.issue(bank.house.world, tx, teller.member.staff_id, actor="t", source="")
    for key in (Authenticator(ORIGIN, flags=PRESENT), Authenticator("https://evil.example")):
        console = Console(bank)
        options = (await console.post("/console/enrol/passkey/options", enrolment=code)).raw.json()
        made = json.dumps(key.create(options))
        assert 403 == (await console.post("/console/enrol/passkey", enrolment=code, credential=made)).status
        assert 403 == (await console.post("/console/enrol/passkey", enrolment=code, credential=made)).status


async def test_passkeys_of_the_demo_are_made_for_localhost(bank: Bank) -> None:
    """Browsers make none for a bare address; a bank's are made for its own host."""
    settings = bank.house.settings
    assert Site("login.bank.test", ORIGIN, "测试银行") == Site.of(settings)
    demo = msgspec.structs.replace(settings, origin="http://127.0.0.1:8000")
    assert Site("localhost", "http://localhost:8000", "测试银行") == Site.of(demo)
