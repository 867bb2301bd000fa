"""SMPP without a link: what a text becomes, what a PDU is in bytes, how long a lost link is waited for."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import gsm, smpp

from foregate.doors.text import catalog
from foregate.gateways.sms import Postman
from foregate.gateways.sms.simulated import SimulatedPhones
from foregate.gateways.sms.smpp import pdus, texts
from foregate.gateways.sms.smpp.gateway import Centre, SmppSmsGateway, pause_seconds
from foregate.gateways.sms.smpp.pdus import Address, Malformed, Pdu
from foregate.gateways.sms.smpp.texts import GSM, UCS_2, Parts, TooLong
from foregate.ids import new_id
from foregate.ports import Message
from foregate.rules import limits
from tests.bank import Clock

CODES = re.compile(r"(?<![0-9A-Za-z])(?:[0-9]{6}|[0-9A-HJKMNP-TV-Z]{13})(?![0-9A-Za-z])")


def parts_of(text: str, *, is_ucs_2_only: bool = False) -> Parts:
    return texts.parts_of(text, 7, is_ucs_2_only=is_ucs_2_only)


def bare(parts: Parts) -> list[bytes]:
    """Return the pieces without their headers, which are looked at."""
    if not parts.has_headers:
        return list(parts.pieces)
    for place, piece in enumerate(parts.pieces, 1):
        assert bytes((5, 0, 3, 7, len(parts.pieces), place)) == piece[:6]
    return [piece[6:] for piece in parts.pieces]


def read(parts: Parts) -> list[str]:
    """Read each part by itself, strictly: half a character is an error."""
    if parts.data_coding == UCS_2:
        return [piece.decode("utf-16-be") for piece in bare(parts)]
    return [texts.text_from(piece, GSM) for piece in bare(parts)]


# ---------------------------------------------------------------- alphabets


def test_the_alphabet_is_that_of_the_standard() -> None:
    """Character for character as smpplib has it, whose table writes ` for § and for what is not there."""
    others = {character: code for code, character in enumerate(gsm.GSM_CHARACTER_TABLE) if character not in "`\x1b"}
    for character, code in others.items():
        (piece,) = parts_of(character).pieces
        assert (bytes([code]) if code < 128 else bytes([0x1B, code - 128])) == piece
    assert ((b"\x5f",), (b"\x1b\x65",)) == (parts_of("§").pieces, parts_of("€").pieces)


@pytest.mark.parametrize("text", ["验证码", "`", "\x1b", "𠮷", "ç", "“", "a\u00a0b"])
def test_what_the_alphabet_lacks_is_ucs_2(text: str) -> None:
    """All of the message then."""
    parts = parts_of(text + " 123456")
    assert (UCS_2, [text + " 123456"]) == (parts.data_coding, read(parts))


@pytest.mark.parametrize(
    ("text", "whole", "first"),
    [("a", 160, 153), ("码", 70, 67), ("€", 80, 76), ("𠮷", 35, 33)],
    ids=["seven-bits", "ucs-2", "escaped", "surrogates"],
)
def test_where_one_message_becomes_two(text: str, whole: int, first: int) -> None:
    """n characters are one message; n + 1 are two, and no character is halved."""
    assert [text * whole] == read(parts_of(text * whole))
    assert [text * first, text * (whole + 1 - first)] == read(parts_of(text * (whole + 1)))


def test_so_many_parts_and_not_one_more() -> None:
    """SMS_PARTS are paid for; a text that needs more is refused whole."""
    assert limits.SMS_PARTS == len(parts_of("码" * 67 * limits.SMS_PARTS).pieces)
    with pytest.raises(TooLong):
        parts_of("码" * (67 * limits.SMS_PARTS + 1))


def test_a_lone_surrogate_breaks_nothing() -> None:
    """It is no character, and a phone gets none."""
    assert UCS_2 == parts_of("\ud800 123456").data_coding


@given(st.text(max_size=330), st.booleans())
def test_any_text_comes_together_again(text: str, is_ucs_2_only: bool) -> None:
    """Whatever is in it, each part is whole characters, and all parts are the text."""
    try:
        parts = parts_of(text, is_ucs_2_only=is_ucs_2_only)
    except TooLong:
        return
    assert text == "".join(read(parts))
    assert all(len(piece) <= (160 if parts.data_coding == GSM else 140) for piece in parts.pieces)
    assert not is_ucs_2_only or parts.data_coding == UCS_2


@given(
    st.integers(0, 100),
    st.sampled_from(["123456", "0ABCDEFGHJKMN"]),
    st.sampled_from(["a ", "码", "好。", "€ ", "𠮷"]),
    st.sampled_from(["", " ", "：", "@login.bank.example #"]),
)
def test_a_code_is_never_cut(before: int, code: str, filler: str, clings: str) -> None:
    """Wherever it stands and whatever clings to it, the code lies in one part, and no part holds another."""
    text = filler * (before // len(filler)) + clings + code + "。" + filler * 20
    found = [match for part in read(parts_of(text)) for match in CODES.findall(part)]
    assert [code] == found


def test_an_address_longer_than_a_part_is_cut_beside_its_token() -> None:
    """What clings together and is too long is cut, but between words, not in them."""
    address = "https://login.bank.example/appointments/" + "-".join(["ABCDEFGHJK"] * 9)
    parts = read(parts_of("预约：" + address))
    assert "预约：" + address == "".join(parts)
    assert all(not re.search(r"\w$", left) or not re.match(r"\w", right) for left, right in pairwise(parts))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_our_own_messages_fit(language: str) -> None:
    """Each of ours, for a bank with a long name, has half of SMS_PARTS at most: room for a bank's own words."""
    counts = {template: len(parts_of(said).pieces) for template, said in _said(language)}
    assert max(counts.values()) <= limits.SMS_PARTS // 2


def _said(language: str) -> Iterable[tuple[str, str]]:
    host = "login.commercial-bank.example"
    facts = {"bank": "示例城市商业银行", "hotline": "4008895000", "host": host, "origin": f"https://{host}"}
    besides = {
        "outlet": "人民路" * 6, "when": "11月30日 10:00", "reference": "V60GXYC", "token": "T" * 26,
        "path": "/appointments/" + "T" * 40, "phone": "138****8000", "day": "2027-01-15", "days": "30",
        "expires_on": "2027-01-15", "amount": "CNY 3,000,000.00", "purpose": "sign-in",
    }  # fmt: skip
    postman = Postman(SimulatedPhones(Clock()), catalog.text, lambda nonce, is_long: "0ABCDEFGHJKMN", facts)
    for template in sorted(key for key in catalog.texts("zh") if key.startswith("sms.")):
        nonce = b"n" * 16 if template == "sms.code" else None
        message = Message(
            message_id=new_id(), customer_id=None, phone="+8613800138000", template=template, language=language,
            facts=besides, nonce=nonce,
        )  # fmt: skip
        yield template, postman.text_of(message)


# ---------------------------------------------------------------- bytes


class NoClient:
    sequence = 0

    def next_sequence(self) -> int:
        return 0


def test_a_submit_sm_as_others_read_it() -> None:
    """Every field lies where smpplib looks for it."""
    body = pdus.submit_sm(
        Address("BANK", 5, 0), pdus.to_phone("+8613800138000"), b"\x05\x00\x03\x07\x02\x01hello", data_coding=0,
        has_header=True,
    )  # fmt: skip
    read = smpp.parse_pdu(Pdu(pdus.SUBMIT_SM, 77, body=body).encode(), client=NoClient())
    assert ("submit_sm", 0, 77) == (read.command, read.status, read.sequence)
    assert (b"BANK", 5, 0, b"8613800138000", 1, 1) == (
        read.source_addr, read.source_addr_ton, read.source_addr_npi,
        read.destination_addr, read.dest_addr_ton, read.dest_addr_npi,
    )  # fmt: skip
    assert (0x40, 0, 0, 0, b"\x05\x00\x03\x07\x02\x01hello") == (
        read.esm_class, read.priority_flag, read.registered_delivery, read.data_coding, read.short_message,
    )  # fmt: skip
    assert (b"", b"", b"") == (read.service_type, read.schedule_delivery_time, read.validity_period)


@pytest.mark.parametrize(("name", "most"), [("system_id", 15), ("password", 8), ("system_type", 12)])
def test_a_field_holds_so_many_characters(name: str, most: int) -> None:
    """n are sent, n + 1 cannot be; neither can what is not ASCII."""
    fields = {"system_id": "a", "password": "b", "system_type": "c"}
    assert b"x" * most in pdus.bind_transceiver(**fields | {name: "x" * most})
    for value in ("x" * (most + 1), "é", "x\0y"):
        with pytest.raises(ValueError, match=f"longer than {most} characters, or not ASCII"):
            pdus.bind_transceiver(**fields | {name: value})


@pytest.mark.parametrize(
    ("length", "is_taken"),
    [(15, False), (16, True), (limits.SMPP_PDU_BYTES, True), (limits.SMPP_PDU_BYTES + 1, False), (2**32 - 1, False)],
)
def test_a_pdu_has_so_many_bytes(length: int, is_taken: bool) -> None:
    """A header at least, SMPP_PDU_BYTES at most."""
    first = struct.pack(">I", length)
    if is_taken:
        assert length == pdus.length_of(first)
        return
    with pytest.raises(Malformed):
        pdus.length_of(first)


@given(st.binary(max_size=80))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Bytes from outside are Malformed at worst."""
    with suppress(Malformed):
        pdus.read_deliver_sm(body)


def test_nothing_shows_what_it_holds() -> None:
    """Printed, in a traceback or in a log, a PDU has a command, a status and a length."""
    body = pdus.bind_transceiver("foregate", "pa55word", "")
    shown = [Pdu(pdus.BIND_TRANSCEIVER, 1, body=body), Address("+8613800138000", 1, 1), parts_of("code 123456")]
    delivered = pdus.Delivered(Address("+8613800138000", 1, 1), True, 0, b"48210377")
    assert not re.search("pa55|138|123456|4821", f"{shown} {delivered!r} {delivered}")


# ---------------------------------------------------------------- patience


def test_a_lost_link_is_waited_for_longer_and_longer() -> None:
    """Doubling from SMPP_RECONNECT_SECONDS to SMPP_RECONNECT_SECONDS_MAX, by chance down to half, and never more."""
    for failures in (1, 2, 3, 4, 5, 6, 100, 10_000):
        full = min(limits.SMPP_RECONNECT_SECONDS * 2 ** (min(failures, 20) - 1), limits.SMPP_RECONNECT_SECONDS_MAX)
        pauses = [pause_seconds(failures) for _ in range(300)]
        assert full / 2 <= min(pauses) < 0.6 * full
        assert 0.9 * full < max(pauses) <= full


@pytest.mark.anyio
async def test_an_answer_that_comes_last_takes_nothing_back() -> None:
    """The first part was given up for lost and sent again, and so was the second; then the first answer arrives."""
    centre = Centre(
        host="localhost", port=1, tls=None, system_id="x", password="x", system_type="",
        source=Address("1069095000", 0, 0), is_ucs_2_only=False,
    )  # fmt: skip

    async def take(phone: str, text: str) -> bool:
        return True

    gateway = SmppSmsGateway(centre, take)
    for place in (0, 1, 0):
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        answer.set_result(Pdu(pdus.SUBMIT_SM, 1).answered())
        gateway._note("message", place, answer)
    assert {"message": 2} == dict(gateway._taken)
