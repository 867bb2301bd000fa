"""Text messages: three gateways that keep one contract, what the messages say, and what customers text to us."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from foregate.doors.text import catalog
from foregate.gateways.sms import Postman, SmsGateway, http
from foregate.gateways.sms.http import HttpSmsGateway
from foregate.gateways.sms.simulated import KEPT, SimulatedPhones
from foregate.ids import new_id
from foregate.ports import Message, Rejected, Unreachable
from foregate.rules import limits
from tests import smsc
from tests.bank import LI, WANG, Bank, Clock, Visitor, open_bank
from tests.contract.smpp import open_smpp

pytestmark = pytest.mark.anyio

SECRET = b"Ud8/o0sWq3mXyZ1kP6vTnR5bLcHfJgA2eSiM4wQz7Bc="
PHONE, OTHER = "+8613800138000", "+8613900139000"


@dataclass(frozen=True)
class Seen:
    """One request as the SMS centre received it."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class SmsCentre:
    """A small SMS centre on loopback: drops a repeated key, as the contract lets it; answers what it is told to."""

    url: str = ""
    answers: list[bytes] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    @property
    def delivered(self) -> list[tuple[str, str]]:
        """What lies on the phones: number and text, the oldest first."""
        by_key = {seen.headers["idempotency-key"]: json.loads(seen.body) for seen in self.seen}
        return [(message["phone"], message["text"]) for message in by_key.values()]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request on one connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        answer = self.answers.pop(0) if self.answers else b"202 Accepted"
        if answer == b"silence":
            await reader.read()  # until the other side gives up
        elif answer != b"hang up":
            if answer.startswith(b"2"):
                self.seen.append(Seen(head[0], headers, body))
            writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def sms_centre() -> AsyncIterator[SmsCentre]:
    centre = SmsCentre()
    server = await asyncio.start_server(centre.serve, "127.0.0.1", 0)
    centre.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/send"
    async with server:
        yield centre


@pytest.fixture
async def centre(anyio_backend: str) -> AsyncIterator[SmsCentre]:
    async with sms_centre() as centre:
        yield centre


@pytest.fixture
async def gateway(centre: SmsCentre) -> AsyncIterator[HttpSmsGateway]:
    gateway = HttpSmsGateway(centre.url, SECRET)
    yield gateway
    await gateway.close()


# ---------------------------------------------------------------- what every gateway does


@dataclass
class Carried:
    """A gateway, and a look at what it carried: number and text, the oldest first."""

    gateway: SmsGateway
    look: Callable[[], Awaitable[list[tuple[str, str]]]]


@pytest.fixture(params=["http", "smpp", "simulated"])
async def carried(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Carried]:
    """Yield a gateway of each kind."""
    if request.param == "smpp":
        async with smsc.sms_centre() as far, open_smpp(far.port) as by_smpp:

            async def at_far() -> list[tuple[str, str]]:
                return far.texts()

            yield Carried(by_smpp, at_far)
        return
    if request.param == "simulated":
        phones = SimulatedPhones(Clock())

        async def on_phones() -> list[tuple[str, str]]:
            return [(message.phone, message.text) for message in reversed(await phones.messages())]

        yield Carried(phones, on_phones)
        await phones.close()
        return
    async with sms_centre() as centre:

        async def at_centre() -> list[tuple[str, str]]:
            return centre.delivered

        gateway = HttpSmsGateway(centre.url, SECRET)
        yield Carried(gateway, at_centre)
        await gateway.close()


async def test_messages_arrive_as_they_are(carried: Carried) -> None:
    """Number and words arrive whole, in order, whatever script they are in."""
    sent = [(PHONE, "测试银行：验证码 123456。\n@login.bank.test #123456"), (OTHER, 'Your "code": 𠮷 \\ 1')]
    for phone, text in sent:
        await carried.gateway.send(phone, text, new_id())
    assert sent == await carried.look()


async def test_a_repeated_message_arrives_once(carried: Carried) -> None:
    """The outbox sends again what it is not sure of; the id lets nobody read it twice."""
    message_id = new_id()
    for _ in range(3):
        await carried.gateway.send(PHONE, "once", message_id)
    await carried.gateway.send(PHONE, "once", new_id())
    assert [(PHONE, "once")] * 2 == await carried.look()


async def test_messages_go_out_side_by_side(carried: Carried) -> None:
    """Many at once all arrive."""
    await asyncio.gather(*(carried.gateway.send(PHONE, str(n), new_id()) for n in range(40)))
    assert {str(n) for n in range(40)} == {text for _, text in await carried.look()}


# ---------------------------------------------------------------- by HTTP


async def test_a_request_is_signed_and_names_itself(gateway: HttpSmsGateway, centre: SmsCentre) -> None:
    """The SMS centre can tell that it is from us, whole, and whether it had it before."""
    await gateway.send(PHONE, "你好", "message-1")
    (seen,) = centre.seen
    assert "POST /send HTTP/1.1" == seen.line
    assert {"phone": PHONE, "text": "你好", "message_id": "message-1"} == json.loads(seen.body)
    assert ("application/json", "message-1", hmac.new(SECRET, seen.body, hashlib.sha256).hexdigest()) == (
        seen.headers["content-type"], seen.headers["idempotency-key"], seen.headers["foregate-signature"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "answer", [b"500 Oops", b"502 Bad Gateway", b"503 Busy", b"408 Slow", b"429 Too Many", b"hang up"]
)
async def test_what_may_be_tried_again(gateway: HttpSmsGateway, centre: SmsCentre, answer: bytes) -> None:
    """A centre that cannot now is called again; the reason names no number and no text."""
    centre.answers = [answer]
    with pytest.raises(Unreachable) as caught:
        await gateway.send(PHONE, "code 123456", "message-1")
    assert not re.search("138|123456", str(caught.value))

    await gateway.send(PHONE, "code 123456", "message-1")
    assert [(PHONE, "code 123456")] == centre.delivered


@pytest.mark.parametrize("answer", [b"400 Bad", b"401 Who", b"403 No", b"404 Where", b"410 Gone", b"302 Elsewhere"])
async def test_what_is_given_up(gateway: HttpSmsGateway, centre: SmsCentre, answer: bytes) -> None:
    """A centre that will never take it is not called again, and no redirect is followed with a code in hand."""
    centre.answers = [answer + b"\r\nLocation: http://127.0.0.1:9/"]
    with pytest.raises(Rejected) as caught:
        await gateway.send(PHONE, "code 123456", "message-1")
    assert not re.search("138|123456", str(caught.value))


@pytest.mark.parametrize("answer", [b"200 OK", b"201 Created", b"202 Accepted", b"204 No Content"])
async def test_what_is_taken(gateway: HttpSmsGateway, centre: SmsCentre, answer: bytes) -> None:
    """Any 2xx is enough."""
    centre.answers = [answer]
    await gateway.send(PHONE, "hello", "message-1")
    assert 1 == len(centre.seen)


async def test_a_silent_centre_is_left_after_a_while(centre: SmsCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is as good as unreachable."""
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.2)
    gateway = HttpSmsGateway(centre.url, SECRET)
    centre.answers = [b"silence"]
    async with asyncio.timeout(5):
        with pytest.raises(Unreachable, match="Timeout"):
            await gateway.send(PHONE, "hello", "message-1")
    await gateway.close()


async def test_no_centre_at_all() -> None:
    """A closed port is unreachable too."""
    async with sms_centre() as gone:
        gateway = HttpSmsGateway(gone.url, SECRET)
    with pytest.raises(Unreachable):
        await gateway.send(PHONE, "hello", "message-1")
    await gateway.close()


# ---------------------------------------------------------------- simulated


async def test_a_simulated_phone_shows_the_newest_first_and_finds_the_code() -> None:
    """As a phone offers it for filling in: six digits, or the long form."""
    phones = SimulatedPhones(Clock())
    for n, text in enumerate(("no code: 95000", "code 123456, call 95000", "code 0ABCDEFGHJKMN")):
        await phones.send(PHONE, text, str(n))
    await phones.send(OTHER, "another's", "9")
    assert ["0ABCDEFGHJKMN", "123456", None] == [message.code for message in await phones.messages(PHONE)]
    assert 4 == len(await phones.messages())


async def test_a_simulated_phone_forgets_the_oldest() -> None:
    """A demo that runs for weeks keeps its memory: n messages lie there, of n + 1 the first is gone."""
    phones = SimulatedPhones(Clock())
    for n in range(KEPT + 1):
        await phones.send(PHONE, str(n), str(n))
    kept = [message.text for message in await phones.messages()]
    assert (KEPT, str(KEPT), "1") == (len(kept), kept[0], kept[-1])


async def test_a_simulated_phone_that_nobody_listens_to() -> None:
    """A text to a bank that takes none makes no sense to it."""
    assert not await SimulatedPhones(Clock()).text_us(PHONE, "12345678")


# ---------------------------------------------------------------- what messages say

TEMPLATES = sorted(key for key in catalog.texts("zh") if key.startswith("sms."))
FACTS = {"bank": "测试银行", "hotline": "95000", "host": "login.bank.test", "origin": "https://login.bank.test"}
# What some of them say besides: of a visit, of a document, of a replaced number.
BESIDES = {
    "outlet": "人民路支行", "when": "11月30日 10:00", "reference": "V60GXYC", "path": "/appointments/TOKEN",
    "token": "TOKEN", "phone": "138****8000", "day": "2027-01-15", "days": "30", "expires_on": "2027-01-15",
    "amount": "CNY 300.00",
}  # fmt: skip
# A visit is seen, moved and cancelled by its link; the old number stops what others may have begun with one tap.
WITH_A_LINK = {
    "sms.number-replaced-old", "sms.appointment-booked", "sms.appointment-moved", "sms.appointment-tomorrow",
    "sms.appointment-soon",
}  # fmt: skip


def postman(gateway: SmsGateway) -> Postman:
    return Postman(gateway, catalog.text, lambda nonce, is_long: "0ABCDEFGHJKMN" if is_long else "123456", FACTS)


def message(template: str, language: str = "zh", phone: str | None = PHONE, **facts: str) -> Message:
    nonce = b"n" * 16 if template == "sms.code" else None
    facts = {"purpose": "sign-in"} | facts if nonce else facts
    return Message(
        message_id=new_id(), customer_id=None, phone=phone, template=template, language=language, facts=facts,
        nonce=nonce,
    )  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_message_says_who_writes(template: str, language: str) -> None:
    """In both languages a message begins with the bank's name and leaves no gap open."""
    said = postman(SimulatedPhones(Clock())).text_of(message(template, language, **BESIDES))
    assert "测试银行" in said[:8]
    assert not re.search(r"[{}]|None", said)


@pytest.mark.parametrize(("language", "purpose"), [("zh", "登录"), ("en", "ign in")])
def test_a_code_says_what_it_is_for_and_where(language: str, purpose: str) -> None:
    """The purpose is in words, and the last line binds the code to our host for phones that fill it in."""
    said = postman(SimulatedPhones(Clock())).text_of(message("sms.code", language))
    assert purpose in said
    assert "@login.bank.test #123456" == said.splitlines()[-1]
    assert "http" not in said


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_long_code_is_sent_whole(language: str) -> None:
    """After a streak of wrong codes the message carries the long form."""
    said = postman(SimulatedPhones(Clock())).text_of(message("sms.code", language, long="yes"))
    assert said.endswith("@login.bank.test #0ABCDEFGHJKMN")


@pytest.mark.parametrize(
    ("language", "amount", "said"),
    [
        ("zh", "CNY 300.00", "收到人民币300.00元"),
        ("zh", "USD 5.00", "收到USD 5.00"),
        ("en", "CNY 300.00", "CNY 300.00 came"),
    ],
)
def test_an_amount_is_in_the_words_of_who_reads_it(language: str, amount: str, said: str) -> None:
    """Yuan in Chinese as people write them; what has no such word keeps its three letters."""
    assert said in postman(SimulatedPhones(Clock())).text_of(message("sms.money-in", language, amount=amount))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("template", sorted(set(TEMPLATES) - WITH_A_LINK - {"sms.code"}))
def test_a_notice_tells_what_to_do_if_it_was_not_you(template: str, language: str) -> None:
    """Each names the hotline or a way on, and carries no code and no link to tap."""
    said = postman(SimulatedPhones(Clock())).text_of(message(template, language, **BESIDES))
    assert "95000" in said or "冻结" in said or "freeze" in said
    assert not re.search(r"https?://|\b\d{6}\b", said)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("template", sorted(WITH_A_LINK))
def test_a_link_leads_to_us_alone(template: str, language: str) -> None:
    """The few that carry a link carry one, at their end, to the configured origin."""
    said = postman(SimulatedPhones(Clock())).text_of(message(template, language, **BESIDES))
    assert 1 == said.count("://")
    assert said.splitlines()[-1].startswith("https://login.bank.test/")


async def test_a_decoy_goes_nowhere() -> None:
    """A message for nobody is done with at once."""
    phones = SimulatedPhones(Clock())
    await postman(phones).deliver(message("sms.code", phone=None))
    await postman(phones).deliver(message("sms.code"))
    assert [PHONE] == [received.phone for received in await phones.messages()]


# ---------------------------------------------------------------- what customers text to us


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """Yield a bank whose SMS gateway brings texts in."""
    secret = tmp_path / "inbound"
    secret.write_bytes(SECRET + b"\n")
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", inbound_secret_file=str(secret))
    await bank.settle(LI, WANG)
    yield bank
    await bank.close()


def signed(body: bytes, secret: bytes = SECRET) -> dict[str, str]:
    signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "Foregate-Signature": signature}


async def asked_to_text(bank: Bank) -> tuple[Visitor, str]:
    """Begin a journey, and return the digits that its page asks to be texted."""
    visitor = bank.visitor()
    asked = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    return visitor, asked.journey["step"]["facts"]["text_us"]


async def bring_in(bank: Bank, body: object, **headers: str) -> int:
    raw_body = body if isinstance(body, bytes) else json.dumps(body).encode()
    raw = await bank.visitor().client.post("/v1/sms/inbound", content=raw_body, headers=signed(raw_body) | headers)
    return raw.status_code


@pytest.mark.parametrize("words", ["{}", "FG {}", " {} \n", "验证 {} 谢谢"])
@pytest.mark.parametrize("sender", ["+8613800138000", "8613800138000", "13800138000", "0086 138-0013-8000"])
async def test_a_signed_text_from_the_right_number_proves_it(bank: Bank, sender: str, words: str) -> None:
    """However the gateway spells the number and whatever stands around the digits."""
    visitor, digits = await asked_to_text(bank)
    assert 204 == await bring_in(bank, {"phone": sender, "text": words.format(digits)})
    await visitor.answer("text-us")
    assert "basic" == await visitor.level()


async def test_a_text_counts_once(bank: Bank) -> None:
    """The same text again opens no second journey."""
    visitor, digits = await asked_to_text(bank)
    other, _ = await asked_to_text(bank)
    body = {"phone": LI.phone, "text": digits}
    assert [204, 204] == [await bring_in(bank, body), await bring_in(bank, body)]
    await visitor.answer("text-us")
    assert "text-not-arrived" == (await other.answer("text-us")).cause


async def test_a_late_text_is_dropped(bank: Bank) -> None:
    """A text that nobody came for in time proves nothing later."""
    visitor, digits = await asked_to_text(bank)
    assert 204 == await bring_in(bank, {"phone": LI.phone, "text": digits})
    bank.clock.turn(limits.INBOUND_TTL_SECONDS + 1)
    assert "text-not-arrived" == (await visitor.answer("text-us")).cause


@pytest.mark.parametrize(
    "signature",
    ["", "0" * 64, "none", "é", hmac.new(b"another secret", b"", hashlib.sha256).hexdigest()],
)
async def test_an_unsigned_text_does_not_exist(bank: Bank, signature: str) -> None:
    """Without the gateway's signature over this very body there is no such address, and nothing is taken."""
    visitor, digits = await asked_to_text(bank)
    body = json.dumps({"phone": LI.phone, "text": digits}).encode()
    headers = {"Content-Type": "application/json", "Foregate-Signature": signature.encode()}
    raw = await bank.visitor().client.post("/v1/sms/inbound", content=body, headers=headers)  # type: ignore[arg-type]  # bytes keep what no text header holds
    assert (404, "not-found") == (raw.status_code, raw.json()["cause"])
    assert "text-not-arrived" == (await visitor.answer("text-us")).cause


async def test_a_signature_over_another_body_does_not_count(bank: Bank) -> None:
    """Number or words changed on the way: refused."""
    visitor, digits = await asked_to_text(bank)
    genuine = json.dumps({"phone": WANG.phone, "text": digits}).encode()
    forged = json.dumps({"phone": LI.phone, "text": digits}).encode()
    raw = await bank.visitor().client.post("/v1/sms/inbound", content=forged, headers=signed(genuine))
    assert 404 == raw.status_code
    assert "text-not-arrived" == (await visitor.answer("text-us")).cause


async def test_without_a_secret_nothing_comes_in(tmp_path: Path) -> None:
    """A bank that set no secret takes no texts, not even signed with an empty one."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'other.db'}")
    body = b'{"phone": "13800138000", "text": "12345678"}'
    for secret in (b"", SECRET):
        raw = await bank.visitor().client.post("/v1/sms/inbound", content=body, headers=signed(body, secret))
        assert 404 == raw.status_code
    await bank.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"phone": "13800138000", "text": "no digits"}, 204),
        ({"phone": "13800138000", "text": "1234567"}, 204),
        ({"phone": "95588", "text": "12345678"}, 204),
        ({"phone": "+1 212 555 0100", "text": "12345678"}, 204),
        ({"phone": "13800138000", "text": "x" * 400}, 204),
        ({"phone": "13800138000", "text": "x" * 401}, 422),
        ({"phone": "1" * 33, "text": "12345678"}, 422),
        ({"phone": "13800138000"}, 422),
        ({"phone": 13800138000, "text": "12345678"}, 422),
        ({"phone": "13800138000", "text": "12345678", "more": 1}, 422),
        ([], 422),
        (b"{", 422),
        (b'{"phone": "13800138000", "text": "\xff"}', 422),
    ],
)
async def test_a_signed_text_that_makes_no_sense(bank: Bank, body: object, status: int) -> None:
    """What people send is taken and dropped, so that the gateway does not come again; what none sends is refused."""
    assert status == await bring_in(bank, body)


async def test_a_text_is_not_logged(bank: Bank) -> None:
    """Neither number nor digits stand in the log."""
    _, digits = await asked_to_text(bank)
    with capture_logs() as logs:
        await bring_in(bank, {"phone": LI.phone, "text": digits})
    assert logs
    assert not re.search(f"{digits}|{LI.phone[3:]}", repr(logs))
