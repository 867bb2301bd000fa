"""An SMS centre for tests: SMPP 3.4 read and written by smpplib, which shares no line with Foregate's own.

async with sms_centre() as centre:      # on loopback, with TLS when given a certificate
    centre.answers = [THROTTLED, SILENCE]   # for the next messages; then it takes everything
    centre.texts()                      # what lies on the phones, put together as a phone does
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from smpplib import consts, gsm, smpp

SYSTEM_ID, PASSWORD = "foregate", "pa55word"
OK, THROTTLED, QUEUE_FULL = 0, consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL
SYSTEM_ERROR, BAD_NUMBER, NOT_BOUND = (
    consts.SMPP_ESME_RSYSERR, consts.SMPP_ESME_RINVDSTADR, consts.SMPP_ESME_RINVBNDSTS,
)  # fmt: skip
WRONG_PASSWORD, BIND_FAILED = consts.SMPP_ESME_RINVPASWD, consts.SMPP_ESME_RBINDFAIL
SILENCE, HANG_UP, NACK, EMPTY_NACK, LATE = "silence", "hang up", "nack", "a nack that says OK", "late"
LATE_SECONDS = 1.0


class _NoClient:
    """smpplib numbers a request even when it reads one."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


@dataclass
class Link:
    """One connection, as the centre sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_bound: bool = False
    unanswered: int = 0
    unanswered_most: int = 0
    sequence: int = 0
    answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)

    def write(self, command: str, sequence: int, status: int = OK, **fields: Any) -> None:
        """Send a PDU. An answer that is an error has no body."""
        pdu = smpp.make_pdu(command, sequence=sequence, **fields)
        pdu.sequence, pdu.status = sequence, status
        if status != OK:
            pdu.params_order = ()
        self.writer.write(pdu.generate())

    async def ask(self, command: str, **fields: Any) -> Any:
        """Send a request and return its answer."""
        self.sequence += 1
        self.answers[self.sequence] = asyncio.get_running_loop().create_future()
        self.write(command, self.sequence, **fields)
        async with asyncio.timeout(5):
            return await self.answers[self.sequence]


@dataclass
class SmsCentre:
    """What it is told to do, and what it saw."""

    port: int = 0
    password: str = PASSWORD
    bind_status: int | None = None  # answer every bind with it
    answers: list[int | str] = field(default_factory=list)
    later_answers: int | str = OK
    delay_seconds: float = 0
    answers_enquiries: bool = True
    binds: list[Any] = field(default_factory=list)
    taken: list[Any] = field(default_factory=list)  # the submit_sm that were taken
    commands: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def texts(self) -> list[tuple[str, str]]:
        """Number and text of every message that is whole on a phone, the oldest first."""
        return [(number, "".join(read(pdu) for pdu in parts)) for number, parts in self._whole()]

    def parts(self) -> list[str]:
        """The text of each part as it came."""
        return [read(pdu) for pdu in self.taken]

    def _whole(self) -> Iterator[tuple[str, list[Any]]]:
        waiting: dict[tuple[str, int, int], dict[int, Any]] = {}
        for pdu in self.taken:
            number = "+" + pdu.destination_addr.decode()
            if not pdu.esm_class & consts.SMPP_GSMFEAT_UDHI:
                yield number, [pdu]
                continue
            length, kind, size, reference, count, place = pdu.short_message[:6]
            assert (5, 0, 3) == (length, kind, size)
            parts = waiting.setdefault((number, reference, count), {})
            parts[place] = pdu
            if len(parts) == count:
                yield number, [parts[n] for n in range(1, count + 1)]
                del waiting[number, reference, count]

    @property
    def bound(self) -> Link:
        """The newest link that is bound."""
        return next(link for link in reversed(self.links) if link.is_bound)

    async def until_bound(self) -> Link:
        """Wait for somebody to bind."""
        async with asyncio.timeout(5):
            while not any(link.is_bound for link in self.links):  # noqa: ASYNC110 -- a list rings no bell
                await asyncio.sleep(0.01)
        return self.bound

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client until either side ends."""
        link = Link(reader, writer)
        self.links.append(link)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._one(link):
                await writer.drain()
        link.is_bound = False
        writer.close()

    async def _one(self, link: Link) -> bool:
        """Read and answer one PDU. False: the link is over."""
        first = await link.reader.readexactly(4)
        pdu = smpp.parse_pdu(first + await link.reader.readexactly(int.from_bytes(first) - 4), client=_NoClient())
        self.commands.append(pdu.command)
        if pdu.is_response():
            if pdu.sequence in link.answers:
                link.answers.pop(pdu.sequence).set_result(pdu)
        elif pdu.command == "bind_transceiver":
            return self._bind(link, pdu)
        elif pdu.command == "submit_sm":
            return await self._submit(link, pdu)
        elif pdu.command == "unbind":
            link.write("unbind_resp", pdu.sequence)
            return False
        elif pdu.command == "enquire_link" and self.answers_enquiries:
            link.write("enquire_link_resp", pdu.sequence)
        return True

    def _bind(self, link: Link, pdu: Any) -> bool:
        self.binds.append(pdu)
        is_right = (pdu.system_id, pdu.password) == (SYSTEM_ID.encode(), self.password.encode())
        status = self.bind_status or (OK if is_right else WRONG_PASSWORD)
        link.write("bind_transceiver_resp", pdu.sequence, status, system_id="centre")
        link.is_bound = status == OK
        return link.is_bound

    async def _submit(self, link: Link, pdu: Any) -> bool:
        answer = self.answers.pop(0) if self.answers else self.later_answers
        if answer == HANG_UP:
            return False
        link.unanswered += 1
        link.unanswered_most = max(link.unanswered, link.unanswered_most)
        if not link.is_bound:
            answer = NOT_BOUND
        if answer in (NACK, EMPTY_NACK):
            link.write("generic_nack", pdu.sequence, SYSTEM_ERROR if answer == NACK else OK)
        elif answer != SILENCE:
            if answer in (OK, LATE):
                self.taken.append(pdu)
            seconds = LATE_SECONDS if answer == LATE else self.delay_seconds
            asyncio.get_running_loop().call_later(seconds, self._answer, link, pdu, answer)
        return True

    def _answer(self, link: Link, pdu: Any, answer: int | str) -> None:
        link.unanswered -= 1
        status = answer if isinstance(answer, int) else OK
        if not link.writer.is_closing():
            link.write("submit_sm_resp", pdu.sequence, status, message_id=f"{len(self.taken):08x}")


def read(pdu: Any) -> str:
    """Read a part as a phone does."""
    data = pdu.short_message[6:] if pdu.esm_class & consts.SMPP_GSMFEAT_UDHI else pdu.short_message or b""
    assert len(pdu.short_message or b"") <= (160 if pdu.data_coding == consts.SMPP_ENCODING_DEFAULT else 140)
    if pdu.data_coding == consts.SMPP_ENCODING_ISO10646:
        return str(data.decode("utf-16-be"))
    assert pdu.data_coding == consts.SMPP_ENCODING_DEFAULT
    table, said, octets = gsm.GSM_CHARACTER_TABLE, "", iter(data)
    for octet in octets:
        said += table[128 + next(octets)] if octet == 0x1B else table[octet]
    return said


@asynccontextmanager
async def sms_centre(tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[SmsCentre]:
    """Open a centre on loopback."""
    centre = SmsCentre()
    server = await asyncio.start_server(centre.serve, "127.0.0.1", port, ssl=tls)
    centre.port = server.sockets[0].getsockname()[1]
    try:
        yield centre
    finally:
        server.close()
        for link in centre.links:
            link.writer.close()
        await server.wait_closed()
