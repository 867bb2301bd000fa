"""An SMS centre by SMPP: what goes over the link, how it fails, and what is told of it. The centre is not ours."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from smpplib import consts
from structlog.testing import capture_logs

from foregate import bootstrap
from foregate.doors.text import catalog
from foregate.gateways.sms import Postman
from foregate.gateways.sms.opened import tls_context
from foregate.gateways.sms.smpp import pdus
from foregate.gateways.sms.smpp.gateway import SmppSmsGateway
from foregate.ids import new_id
from foregate.ports import Rejected, Unreachable
from foregate.rules import limits
from foregate.store import outbox
from foregate.store.outbox import Dispatcher
from foregate.store.unit_of_work import SqlStore
from tests import certificates, smsc
from tests.bank import LI, open_bank
from tests.contract import samples
from tests.contract.smpp import open_smpp
from tests.smsc import SmsCentre, sms_centre

pytestmark = pytest.mark.anyio

PHONE = "+8613800138000"
CODE = "0ABCDEFGHJKMN"
LONG = "【测试银行】" + "您的预约已改到人民路支行，请带身份证和银行卡，提前十分钟到。" * 5 + f"验证码{CODE}，𠮷。"


@pytest.fixture
async def centre(anyio_backend: str) -> AsyncIterator[SmsCentre]:
    async with sms_centre() as centre:
        yield centre


@pytest.fixture
async def gateway(centre: SmsCentre) -> AsyncIterator[SmppSmsGateway]:
    async with open_smpp(centre.port) as gateway:
        yield gateway


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers be due in half a second, and a lost link be built anew in a hundredth."""
    monkeypatch.setattr(limits, "SMPP_RESPONSE_SECONDS", 0.5)
    monkeypatch.setattr(limits, "SMPP_UNBIND_SECONDS", 0.5)
    monkeypatch.setattr("foregate.gateways.sms.smpp.gateway.pause_seconds", lambda failures: 0.01)


# ---------------------------------------------------------------- what goes over the link


async def test_a_bind_says_who_we_are(centre: SmsCentre) -> None:
    """As a transceiver of version 3.4, with system id, password and type as the operator gave them."""
    async with open_smpp(centre.port, system_type="bank") as gateway:
        await gateway.send(PHONE, "hello", new_id())
    (bind,) = centre.binds
    assert ("bind_transceiver", b"foregate", b"pa55word", b"bank", 0x34) == (
        bind.command, bind.system_id, bind.password, bind.system_type, bind.interface_version,
    )  # fmt: skip


async def test_a_message_names_both_ends(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """From our number as the settings type it, to an international number without its plus; no receipt is asked for."""
    await gateway.send(PHONE, "hello", new_id())
    (sent,) = centre.taken
    assert (b"1069095000", 0, 1) == (sent.source_addr, sent.source_addr_ton, sent.source_addr_npi)
    assert (b"8613800138000", 1, 1) == (sent.destination_addr, sent.dest_addr_ton, sent.dest_addr_npi)
    assert (0, 0, b"hello") == (sent.registered_delivery, sent.esm_class, sent.short_message)


async def test_one_link_carries_all(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """Bound once, in sequence numbers that count up."""
    for _ in range(3):
        await gateway.send(PHONE, "hello", new_id())
    assert (1, [2, 3, 4]) == (len(centre.binds), [sent.sequence for sent in centre.taken])


async def test_a_long_chinese_text_arrives_equal(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """In parts that a phone puts together; the code lies in one of them, whole."""
    await gateway.send(PHONE, LONG, new_id())
    assert [(PHONE, LONG)] == centre.texts()
    assert 3 == len(centre.parts())
    assert 1 == sum(CODE in part for part in centre.parts())


async def test_parts_of_many_messages_are_kept_apart(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """Side by side to one phone, each with a reference of its own."""
    texts = [f"{n}{LONG}" for n in range(8)]
    # Ids whose references differ: among 256, eight by chance might not.
    await asyncio.gather(*(gateway.send(PHONE, text, f"message-{n}") for n, text in enumerate(texts)))
    assert 8 == len({sent.short_message[3] for sent in centre.taken})
    assert set(texts) == {text for _, text in centre.texts()}


async def test_ucs_2_alone_where_the_centre_has_another_alphabet(centre: SmsCentre) -> None:
    """Then nothing is sent in the centre's own."""
    async with open_smpp(centre.port, is_ucs_2_only=True) as gateway:
        await gateway.send(PHONE, "@login.bank.test #123456", new_id())
    assert [consts.SMPP_ENCODING_ISO10646] == [sent.data_coding for sent in centre.taken]
    assert [(PHONE, "@login.bank.test #123456")] == centre.texts()


async def test_the_window_holds_so_many_and_not_one_more(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """SMPP_WINDOW messages wait for an answer at once; the next waits for a place."""
    centre.delay_seconds = 0.05
    await asyncio.gather(*(gateway.send(PHONE, str(n), new_id()) for n in range(3 * limits.SMPP_WINDOW)))
    assert limits.SMPP_WINDOW == centre.bound.unanswered_most
    assert 3 * limits.SMPP_WINDOW == len(centre.taken)


# ---------------------------------------------------------------- how a message fails


@pytest.mark.parametrize(
    "answer",
    [smsc.THROTTLED, smsc.QUEUE_FULL, smsc.SYSTEM_ERROR, 0x45, 0x64, 0x410, smsc.NACK, smsc.EMPTY_NACK],
)
async def test_what_may_be_tried_again(gateway: SmppSmsGateway, centre: SmsCentre, answer: int | str) -> None:
    """A centre that cannot now is called again, by the same link; the reason names no number and no text."""
    centre.answers = [answer]
    with pytest.raises(Unreachable) as caught:
        await gateway.send(PHONE, "code 123456", "message-1")
    assert re.fullmatch(r"SMS centre answered 0x[0-9a-f]{2,3}", str(caught.value))

    await gateway.send(PHONE, "code 123456", "message-1")
    assert ([(PHONE, "code 123456")], 1) == (centre.texts(), len(centre.binds))


@pytest.mark.parametrize("answer", [0x01, 0x0A, smsc.BAD_NUMBER, 0x15, 0x43, 0x48, 0x49, 0x50, 0x51, 0x65, 0x66])
async def test_what_is_given_up(gateway: SmppSmsGateway, centre: SmsCentre, answer: int) -> None:
    """What is wrong with the message or its addresses will be wrong in a minute, too."""
    centre.answers = [answer]
    with pytest.raises(Rejected) as caught:
        await gateway.send(PHONE, "code 123456", "message-1")
    assert not re.search("138|123456", str(caught.value))


async def test_a_text_of_too_many_parts_is_given_up(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """SMS_PARTS go out; of a text that needs one more, nothing does."""
    await gateway.send(PHONE, "码" * 67 * limits.SMS_PARTS, new_id())
    with pytest.raises(Rejected, match="parts"):
        await gateway.send(PHONE, "码" * (67 * limits.SMS_PARTS + 1), new_id())
    assert limits.SMS_PARTS == len(centre.taken)


async def test_a_number_that_cannot_be_carried_is_given_up(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """SMPP has room for twenty characters."""
    await gateway.send("+" + "8" * 20, "hello", new_id())
    with pytest.raises(Rejected, match="number"):
        await gateway.send("+" + "8" * 21, "hello", new_id())


async def test_a_slow_centre_is_waited_for(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """Slower than usual is not lost."""
    centre.delay_seconds = 1
    await gateway.send(PHONE, "hello", new_id())
    assert [(PHONE, "hello")] == centre.texts()


@pytest.mark.usefixtures("hasty")
async def test_a_silent_centre_is_left_after_a_while(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """Silence is as good as unreachable, for this message; the link stays."""
    centre.answers = [smsc.SILENCE]
    with pytest.raises(Unreachable, match="Timeout"):
        await gateway.send(PHONE, "hello", "message-1")
    await gateway.send(PHONE, "hello", "message-1")
    assert ([(PHONE, "hello")], 1) == (centre.texts(), len(centre.binds))


@pytest.mark.usefixtures("hasty")
async def test_an_answer_that_comes_late_still_counts(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """A message that was taken after all is not sent twice."""
    centre.answers = [smsc.LATE]
    with pytest.raises(Unreachable):
        await gateway.send(PHONE, "hello", "message-1")
    await asyncio.sleep(smsc.LATE_SECONDS)
    await gateway.send(PHONE, "hello", "message-1")
    assert [(PHONE, "hello")] == centre.texts()


@pytest.mark.usefixtures("hasty")
async def test_a_window_of_silence_ends_the_link(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """A centre that says it is there and takes nothing is bound anew, and messages go out again."""
    centre.answers = [smsc.SILENCE] * limits.SMPP_WINDOW
    ids = [new_id() for _ in range(limits.SMPP_WINDOW + 1)]
    outcomes = await asyncio.gather(*(gateway.send(PHONE, "hello", one) for one in ids), return_exceptions=True)
    assert {Unreachable} == {type(outcome) for outcome in outcomes}
    await until(lambda: len(centre.binds) == 2)
    for one in ids:
        await gateway.send(PHONE, "hello", one)
    assert len(ids) == len(centre.texts())


@pytest.mark.usefixtures("hasty")
async def test_what_was_taken_is_not_sent_again(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """A link that drops between two parts: the message goes on where it stopped, and is one message."""
    centre.answers = [smsc.OK, smsc.HANG_UP]
    with pytest.raises(Unreachable, match="Gone"):
        await gateway.send(PHONE, LONG, "message-1")
    await gateway.send(PHONE, LONG, "message-1")
    assert ([(PHONE, LONG)], 3, 2) == (centre.texts(), len(centre.taken), len(centre.binds))


@pytest.mark.usefixtures("hasty")
async def test_whoever_stops_waiting_holds_up_nobody(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """The outbox gives a message up at its own time; its place in the window comes back with the answer."""
    centre.later_answers, cut = smsc.LATE, 2 * limits.SMPP_WINDOW
    for n in range(cut):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02 if n < limits.SMPP_WINDOW else 0.001):
                await gateway.send(PHONE, str(n), new_id())
    await asyncio.sleep(2 * smsc.LATE_SECONDS)
    centre.later_answers = smsc.OK
    await asyncio.gather(*(gateway.send(PHONE, "hello", new_id()) for _ in range(limits.SMPP_WINDOW)))
    assert 1 == len(centre.binds)


async def test_so_many_messages_are_remembered(
    gateway: SmppSmsGateway, centre: SmsCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMPP_REMEMBERED of them; of one more, the oldest would be sent again."""
    monkeypatch.setattr(limits, "SMPP_REMEMBERED", 3)
    for n in (1, 2, 3, 1, 2, 3):
        await gateway.send(PHONE, "hello", str(n))
    assert 3 == len(centre.taken)
    for n in (4, 1):
        await gateway.send(PHONE, "hello", str(n))
    assert 5 == len(centre.taken)


# ---------------------------------------------------------------- how the link fails


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("status", [smsc.BIND_FAILED, 0x05, smsc.WRONG_PASSWORD, 0x0F, smsc.THROTTLED])
async def test_a_refused_bind_is_tried_again(gateway: SmppSmsGateway, centre: SmsCentre, status: int) -> None:
    """Messages are told why, and go out as soon as the centre lets us in."""
    centre.bind_status = status
    with pytest.raises(Unreachable, match=f"bind refused with 0x{status:02x}"):
        await gateway.send(PHONE, "hello", "message-1")
    assert ([], True) == (centre.taken, len(centre.binds) > 1)
    centre.bind_status = None
    await gateway.send(PHONE, "hello", "message-1")
    assert [(PHONE, "hello")] == centre.texts()


@pytest.mark.usefixtures("hasty")
async def test_a_wrong_password_binds_nobody(centre: SmsCentre) -> None:
    """And is not told to anybody."""
    async with open_smpp(centre.port, password="wr0ngone") as gateway:
        with capture_logs() as logs, pytest.raises(Unreachable, match="bind refused with 0x0e") as caught:
            await gateway.send(PHONE, "hello", "message-1")
    assert {"no link to the SMS centre"} == {line["event"] for line in logs}
    assert "wr0ngone" not in f"{logs} {caught.value!r} {gateway._centre!r}"


@pytest.mark.usefixtures("hasty")
async def test_no_centre_at_all() -> None:
    """A closed port is unreachable, and bound as soon as somebody listens."""
    async with sms_centre() as gone:
        port = gone.port
    async with open_smpp(port) as gateway:
        with pytest.raises(Unreachable, match="ConnectionRefusedError"):
            await gateway.send(PHONE, "hello", "message-1")
        async with sms_centre(port=port) as back:
            await gateway.send(PHONE, "hello", "message-1")
            assert [(PHONE, "hello")] == back.texts()


@pytest.mark.usefixtures("hasty")
async def test_a_lost_link_is_built_anew(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """Also when nobody sends: customers' texts come in by it."""
    await gateway.open()
    for n in range(1, 4):
        (await centre.until_bound()).writer.close()
        await until(lambda bound=n: len(centre.binds) > bound)
    await gateway.send(PHONE, "hello", new_id())
    assert [(PHONE, "hello")] == centre.texts()


@pytest.mark.usefixtures("hasty")
async def test_a_centre_that_unbinds_is_answered_and_bound_anew(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """It may do so for its own maintenance."""
    await gateway.open()
    link = await centre.until_bound()
    answer = await link.ask("unbind")
    assert ("unbind_resp", 0) == (answer.command, answer.status)
    await until(lambda: len(centre.binds) == 2)
    await gateway.send(PHONE, "hello", new_id())
    assert [(PHONE, "hello")] == centre.texts()


@pytest.mark.usefixtures("hasty")
async def test_a_centre_that_forgot_the_bind_is_bound_anew(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """It says that we are not bound: then we bind."""
    centre.answers = [smsc.NOT_BOUND]
    with pytest.raises(Unreachable):
        await gateway.send(PHONE, "hello", "message-1")
    await until(lambda: len(centre.binds) == 2)
    await gateway.send(PHONE, "hello", "message-1")
    assert [(PHONE, "hello")] == centre.texts()


async def test_the_centre_may_ask_whether_we_are_there(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """It is told so, at once and any number of times."""
    await gateway.open()
    link = await centre.until_bound()
    for _ in range(3):
        answer = await link.ask("enquire_link")
        assert ("enquire_link_resp", 0) == (answer.command, answer.status)


@pytest.mark.usefixtures("hasty")
async def test_a_silent_link_is_tried(
    gateway: SmppSmsGateway, centre: SmsCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After SMPP_ENQUIRE_SECONDS of silence; a link that answers stays, one that does not is built anew."""
    monkeypatch.setattr(limits, "SMPP_ENQUIRE_SECONDS", 0.1)
    await gateway.open()
    await until(lambda: centre.commands.count("enquire_link") >= 3)
    assert 1 == len(centre.binds)
    centre.answers_enquiries = False
    await until(lambda: len(centre.binds) == 2)


async def test_a_link_in_use_is_not_tried(
    gateway: SmppSmsGateway, centre: SmsCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer to a message says as much."""
    monkeypatch.setattr(limits, "SMPP_ENQUIRE_SECONDS", 0.3)
    for n in range(8):
        await gateway.send(PHONE, str(n), new_id())
        await asyncio.sleep(0.1)
    assert "enquire_link" not in centre.commands


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("length", [0, 15, limits.SMPP_PDU_BYTES + 1, 0xFFFFFFFF])
async def test_bytes_that_are_no_pdu_end_the_link(gateway: SmppSmsGateway, centre: SmsCentre, length: int) -> None:
    """Nobody knows where the next one begins; it is said so, and bound anew."""
    await gateway.open()
    link = await centre.until_bound()
    link.writer.write(struct.pack(">4I", length, 0x15, 0, 1))
    await until(lambda: len(centre.binds) == 2)
    assert "generic_nack" in centre.commands


async def test_the_longest_pdu_is_read(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """A PDU of SMPP_PDU_BYTES that makes no sense is answered, and the link stays."""
    await gateway.open()
    link = await centre.until_bound()
    body = b"x" * (limits.SMPP_PDU_BYTES - 16)
    link.writer.write(struct.pack(">4I", limits.SMPP_PDU_BYTES, 0x05, 0, 7) + body)
    await until(lambda: "deliver_sm_resp" in centre.commands)
    await gateway.send(PHONE, "hello", new_id())
    assert 1 == len(centre.binds)


async def test_what_is_not_understood_is_said_to_be_so(gateway: SmppSmsGateway, centre: SmsCentre) -> None:
    """A request that we do not know gets a generic_nack; an alert, and an answer to nothing, get none."""
    await gateway.open()
    link = await centre.until_bound()
    answer = await link.ask("query_sm", message_id="1", source_addr_ton=0, source_addr_npi=0, source_addr="1")
    assert ("generic_nack", consts.SMPP_ESME_RINVCMDID) == (answer.command, answer.status)
    link.write("submit_sm_resp", 4711, message_id="1")
    link.writer.write(struct.pack(">4I", 16, 0x102, 0, 5))
    await link.ask("enquire_link")
    assert 1 == centre.commands.count("generic_nack")


async def test_we_take_leave(centre: SmsCentre) -> None:
    """A server that stops unbinds and waits for the answer; that is no loss, and no warning."""
    with capture_logs() as logs:
        async with open_smpp(centre.port) as gateway:
            await gateway.send(PHONE, "hello", new_id())
    assert ("unbind", ["bound to the SMS centre"]) == (centre.commands[-1], [line["event"] for line in logs])


@pytest.mark.usefixtures("hasty")
async def test_a_centre_that_does_not_take_leave_is_left(centre: SmsCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping does not wait for anybody's manners."""

    async def deaf(link: Any) -> bool:
        await asyncio.sleep(5)
        return False

    async with open_smpp(centre.port) as gateway:
        await gateway.send(PHONE, "hello", new_id())
        monkeypatch.setattr(centre, "_one", deaf)
        began = asyncio.get_running_loop().time()
        await gateway.close()
    assert asyncio.get_running_loop().time() - began < 2


async def test_closing_what_was_never_open() -> None:
    """A bank that stops before it began, or whose centre is away, stops all the same."""
    async with open_smpp(9):
        pass
    async with open_smpp(9) as gateway:
        await gateway.open()


# ---------------------------------------------------------------- TLS


def server_context(pair: certificates.Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.mark.usefixtures("hasty")
async def test_tls_to_a_centre_whose_authority_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encrypted, when the certificate is for this host and by an authority that the settings name."""
    monkeypatch.setattr(limits, "SMPP_RESPONSE_SECONDS", 2)
    pair = certificates.make(tmp_path, "127.0.0.1")
    async with sms_centre(server_context(pair)) as centre:
        async with open_smpp(centre.port, tls=tls_context(str(pair.certificate))) as gateway:
            await gateway.send(PHONE, LONG, new_id())
        assert [(PHONE, LONG)] == centre.texts()
        assert "unbind" == centre.commands[-1]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("host", "is_known"), [("127.0.0.1", False), ("smsc.operator.example", True)])
async def test_tls_to_a_stranger_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, is_known: bool
) -> None:
    """Nobody's authority, or another's name: the password is not sent."""
    monkeypatch.setattr(limits, "SMPP_RESPONSE_SECONDS", 1)
    pair = certificates.make(tmp_path, host)
    context = tls_context(str(pair.certificate) if is_known else "")
    async with sms_centre(server_context(pair)) as centre, open_smpp(centre.port, tls=context) as gateway:
        with pytest.raises(Unreachable, match="its certificate"):
            await gateway.send(PHONE, "hello", new_id())
        assert [] == centre.binds


# ---------------------------------------------------------------- what comes in

TEXT = {
    "source_addr": "8613800138000", "source_addr_ton": 1, "source_addr_npi": 1,
    "dest_addr_ton": 0, "dest_addr_npi": 1, "destination_addr": "1069095000",
}  # fmt: skip


class Desk:
    """Takes texts as it is told to."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.fault: Exception | None = None

    async def take(self, phone: str, text: str) -> bool:
        await self.is_open.wait()
        if self.fault:
            raise self.fault
        self.texts.append((phone, text))
        return True


@pytest.fixture
async def desk(anyio_backend: str, centre: SmsCentre) -> AsyncIterator[Desk]:
    desk = Desk()
    async with open_smpp(centre.port, desk.take) as gateway:
        await gateway.open()
        await centre.until_bound()
        yield desk


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"short_message": b"FG 48210377"}, "FG 48210377"),
        ({"short_message": b"\x1b\x65 \x00 48210377"}, "€ @ 48210377"),
        ({"short_message": b"48210377", "data_coding": 1}, "48210377"),
        ({"short_message": b"\xe9 48210377", "data_coding": 3}, "é 48210377"),
        ({"short_message": "验证 48210377".encode("utf-16-be"), "data_coding": 8}, "验证 48210377"),
        ({"short_message": b"\x05\x00\x03\x01\x01\x0148210377", "esm_class": 0x40}, "48210377"),
        ({"message_payload": b"48210377"}, "48210377"),
        ({"message_payload": b"48210377", "user_message_reference": 5, "privacy_indicator": 1}, "48210377"),
        ({"short_message": b"\xff\x80 48210377", "data_coding": 1}, "\ufffd\ufffd 48210377"),
        ({"short_message": b"4821\x1b", "data_coding": 0}, "4821\ufffd"),
    ],
)
async def test_a_customer_s_text_comes_in(desk: Desk, centre: SmsCentre, fields: dict[str, Any], text: str) -> None:
    """In whatever alphabet, with or without a header; the number is international again."""
    answer = await centre.bound.ask("deliver_sm", **{"esm_class": 0, "data_coding": 0} | TEXT | fields)
    assert ("deliver_sm_resp", 0) == (answer.command, answer.status)
    assert [(PHONE, text)] == desk.texts


async def test_a_national_number_comes_as_it_is(desk: Desk, centre: SmsCentre) -> None:
    """Whoever reads it knows where the bank is."""
    fields = TEXT | {"source_addr": "13800138000", "source_addr_ton": 2, "esm_class": 0, "data_coding": 0}
    await centre.bound.ask("deliver_sm", **fields, short_message=b"48210377")
    assert [("13800138000", "48210377")] == desk.texts


@pytest.mark.parametrize("esm_class", [0x04, 0x08, 0x10, 0x20])
async def test_a_receipt_is_no_text(desk: Desk, centre: SmsCentre, esm_class: int) -> None:
    """Receipts are not asked for; one that comes is thanked for, and its digits are nobody's."""
    answer = await centre.bound.ask(
        "deliver_sm", **TEXT, esm_class=esm_class, data_coding=0, short_message=b"id:12345678 stat:DELIVRD"
    )
    assert (0, []) == (answer.status, desk.texts)


async def test_a_text_that_could_not_be_kept_comes_again(desk: Desk, centre: SmsCentre) -> None:
    """The centre is told to bring it later; the link goes on."""
    desk.fault = RuntimeError("+8613800138000 48210377")
    fields = {**TEXT, "esm_class": 0, "data_coding": 0, "short_message": b"48210377"}
    with capture_logs() as logs:
        answer = await centre.bound.ask("deliver_sm", **fields)
    assert consts.SMPP_ESME_RX_T_APPN == answer.status
    assert not re.search("138|4821", str(logs))
    desk.fault = None
    assert 0 == (await centre.bound.ask("deliver_sm", **fields)).status


async def test_so_many_texts_wait_and_not_one_more(desk: Desk, centre: SmsCentre) -> None:
    """SMPP_INBOUND of them; the next is sent back at once, and nobody is lost."""
    desk.is_open.clear()
    fields = {**TEXT, "esm_class": 0, "data_coding": 0, "short_message": b"48210377"}
    waiting = [asyncio.create_task(centre.bound.ask("deliver_sm", **fields)) for _ in range(limits.SMPP_INBOUND)]
    await asyncio.sleep(0.05)
    assert consts.SMPP_ESME_RX_T_APPN == (await centre.bound.ask("deliver_sm", **fields)).status
    assert not any(task.done() for task in waiting)
    desk.is_open.set()
    assert {0} == {(await task).status for task in waiting}
    assert limits.SMPP_INBOUND == len(desk.texts)


async def test_a_text_that_is_none_is_not_brought_again(desk: Desk, centre: SmsCentre) -> None:
    """A body that ends early is refused for good."""
    centre.bound.writer.write(struct.pack(">4I", 20, pdus.DELIVER_SM, 0, 9) + b"\0\1\1x")
    future = centre.bound.answers[9] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(5):
        assert 0x65 == (await future).status


# ---------------------------------------------------------------- by the outbox, and in a house


def postman(gateway: SmppSmsGateway) -> Postman:
    facts = {"bank": "测试银行", "hotline": "95000", "host": "login.bank.test", "origin": "https://login.bank.test"}
    return Postman(gateway, catalog.text, lambda nonce, is_long: CODE if is_long else "123456", facts)


async def test_what_was_throttled_goes_out_later(
    store: SqlStore, clock: samples.Clock, gateway: SmppSmsGateway, centre: SmsCentre
) -> None:
    """The outbox tries again after its pause: each message once, and the one to a bad number is given up."""
    dispatcher = Dispatcher(store, postman(gateway).deliver)
    centre.answers = [smsc.THROTTLED, smsc.QUEUE_FULL, smsc.BAD_NUMBER]
    messages = [samples.a_message() for _ in range(5)]
    async with store.begin() as tx:
        for message in messages:
            await tx.outbox.put(message, clock.now())
    await dispatcher.dispatch()
    assert ["failed", "sent", "sent", "waiting", "waiting"] == await _statuses(store)
    clock.at += 2 * outbox.BACKOFF_SECONDS
    await dispatcher.dispatch()
    assert ["failed", "sent", "sent", "sent", "sent"] == await _statuses(store)
    assert 4 == len(centre.texts())


@pytest.mark.usefixtures("hasty")
async def test_a_centre_that_is_away_for_a_while(store: SqlStore, clock: samples.Clock) -> None:
    """What was committed meanwhile goes out when it is back."""
    async with sms_centre() as gone:
        port = gone.port
    async with open_smpp(port) as gateway:
        dispatcher = Dispatcher(store, postman(gateway).deliver)
        async with store.begin() as tx:
            await tx.outbox.put(samples.a_message(), clock.now())
        await dispatcher.dispatch()
        assert ["waiting"] == await _statuses(store)
        async with sms_centre(port=port) as back:
            clock.at += 2 * outbox.BACKOFF_SECONDS
            await dispatcher.dispatch()
            assert (["sent"], 1) == (await _statuses(store), len(back.texts()))


async def _statuses(store: SqlStore) -> list[str]:
    return [row["status"] for row in await samples.sql(store, "SELECT status FROM outbox ORDER BY status")]


async def test_a_house_that_is_set_to_smpp(tmp_path: Path, centre: SmsCentre) -> None:
    """From the settings alone: bound as it opens, a code goes out, a customer's text comes in, and it takes leave."""
    password = tmp_path / "password"
    password.write_text(smsc.PASSWORD + "\n")
    settings: dict[str, Any] = {
        "sms_gateway": f"smpp://127.0.0.1:{centre.port}",
        "smpp_system_id": smsc.SYSTEM_ID,
        "smpp_password_file": str(password),
        "smpp_source": "1069095000",
        "smpp_source_ton": 3,
    }
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", parts={"gateway": None}, **settings)
    await bank.settle(LI)
    async with bootstrap._running(bank.house):
        await centre.until_bound()
        visitor, other = bank.visitor(), bank.visitor()
        await visitor.start("sign-in-basic", "phone", phone=LI.phone)
        await until(lambda: centre.texts())
        ((number, text),) = centre.texts()
        await visitor.answer(code=text[-6:])
        assert (LI.phone, "basic") == (number, await visitor.level())
        assert (b"1069095000", 3) == (centre.taken[0].source_addr, centre.taken[0].source_addr_ton)

        asked = await other.start("sign-in-basic", "phone", phone=LI.phone)
        digits = asked.journey["step"]["facts"]["text_us"].encode()
        answer = await centre.bound.ask("deliver_sm", **TEXT, esm_class=0, data_coding=0, short_message=digits)
        await other.answer("text-us")
        assert (0, "basic") == (answer.status, await other.level())
        for each in (visitor, other):
            await each.client.aclose()
    assert "unbind" == centre.commands[-1]


# ---------------------------------------------------------------- what is told


@pytest.mark.usefixtures("hasty")
async def test_no_number_and_no_text_is_logged(
    centre: SmsCentre, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever happens, in structlog, in logging and on the streams: no number, code, text or password."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    desk = Desk()
    with capture_logs() as logs:
        async with open_smpp(centre.port, desk.take) as gateway:
            for answer in (smsc.OK, smsc.THROTTLED, smsc.BAD_NUMBER, smsc.SILENCE, smsc.NOT_BOUND, smsc.HANG_UP):
                centre.answers = [answer]
                try:
                    await gateway.send(PHONE, f"码 {CODE} 123456", new_id())
                except (Unreachable, Rejected) as why:
                    logging.getLogger("foregate.store").warning("given up: %s", why)
                await until(lambda: any(link.is_bound for link in centre.links))
            await centre.bound.ask("deliver_sm", **TEXT, esm_class=0, data_coding=0, short_message=b"48210377")
            centre.bound.writer.close()
            await asyncio.sleep(0.1)
            seen = f"{gateway._link!r} {gateway!r} {gateway._centre!r} {asyncio.all_tasks()}"
    out, err = capfd.readouterr()
    told = "\n".join([str(logs), caplog.text, out, err, seen])
    assert "bound to the SMS centre" in told
    assert not re.search(
        f"138001|{CODE}|123456|4821|{smsc.PASSWORD}|{smsc.SYSTEM_ID}[^.]", told.replace("foregate/", "")
    )


async def until(happens: Any) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(5):
        while not happens():  # noqa: ASYNC110 -- the centre's lists ring no bell
            await asyncio.sleep(0.01)
