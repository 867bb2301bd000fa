"""One bound session with an SMS centre: requests out and in on one connection, until it ends.

Rules
  1. Of submit_sm at most SMPP_WINDOW are without an answer. A place is given back by the answer, or by the end of the
     link; whoever stops waiting for an answer gives nothing back, since the centre still owes it.
  2. A centre that was silent for SMPP_ENQUIRE_SECONDS is asked whether it is there. Any PDU says yes.
  3. A link ends once: by either side's unbind, by the connection, by bytes that are no PDU, by silence. Whoever waits
     for an answer then is told Gone. What the centre did with it is not known.
  4. What the centre asks is answered, always. A text is answered when it was kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from foregate.gateways.sms.smpp import pdus
from foregate.gateways.sms.smpp.pdus import Delivered, Malformed, Pdu
from foregate.rules import limits

Take = Callable[[Delivered], Awaitable[int]]


class Gone(Exception):
    """The link has ended; the text says why, in words without a number or a text of anybody."""


class Link:
    """A connection that speaks SMPP.

    `take` is given what phones send, and returns the status to answer with. `on_end` is called at once when it ends.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Take, on_end: Callable[[], None]
    ) -> None:
        self._reader, self._writer, self._take, self._on_end = reader, writer, take, on_end
        self._waiting: dict[int, tuple[int, asyncio.Future[Pdu]]] = {}
        self._sequence = 0
        self._places = asyncio.Semaphore(limits.SMPP_WINDOW)
        self._now = asyncio.get_running_loop().time
        self._heard_at = self._submit_answered_at = self._now()
        self._inbound: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self.why_gone: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.why_gone is not None

    async def run(self) -> None:
        """Read and answer until the link ends; then hang up."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._ask_when_silent())]
        try:
            await self._over.wait()
        finally:
            self.end("stopped")
            for task in tasks:
                task.cancel()
            await self._hang_up()

    async def ask(self, command: int, body: bytes, *, seconds: float) -> Pdu:
        """Send a request and return its answer. Raises Gone, TimeoutError."""
        return await in_time(self._request(command, body), seconds)

    async def submit(self, body: bytes) -> asyncio.Future[Pdu]:
        """Send a submit_sm as soon as the window has room, and return what its answer will be. Raises Gone."""
        try:
            async with asyncio.timeout(limits.SMPP_RESPONSE_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            if self._now() - self._submit_answered_at >= limits.SMPP_RESPONSE_SECONDS:
                self.end("no answer to any message")  # it may say that it is there, but it takes nothing
            raise
        if self.why_gone is not None:
            self._places.release()
            raise Gone(self.why_gone)
        answer = self._request(pdus.SUBMIT_SM, body)
        answer.add_done_callback(self._give_back)
        return answer

    async def unbind(self) -> None:
        """Finish what came in, take leave, and end. It takes SMPP_UNBIND_SECONDS twice at most, then hangs up."""
        if self._inbound:
            await asyncio.wait(self._inbound, timeout=limits.SMPP_UNBIND_SECONDS)
        with suppress(Gone, TimeoutError):  # it ends all the same
            await self.ask(pdus.UNBIND, b"", seconds=limits.SMPP_UNBIND_SECONDS)
        self.end("unbound by us")

    def end(self, why: str) -> None:
        """End the link, unless it has ended."""
        if self.why_gone is not None:
            return
        self.why_gone = why
        self._over.set()
        self._on_end()
        for _, answer in self._waiting.values():
            answer.set_exception(Gone(why))
        self._waiting.clear()

    def _request(self, command: int, body: bytes = b"") -> asyncio.Future[Pdu]:
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_read_error)
        if self.why_gone is not None:
            answer.set_exception(Gone(self.why_gone))
            return answer
        self._sequence = self._sequence % 0x7FFFFFFF + 1  # 1 to 0x7FFFFFFF (SMPP 3.4 5.1.4)
        self._waiting[self._sequence] = command, answer
        self._write(Pdu(command, self._sequence, body=body))
        return answer

    def _write(self, pdu: Pdu) -> None:
        if not self._writer.is_closing():
            self._writer.write(pdu.encode())

    async def _hang_up(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(limits.SMPP_UNBIND_SECONDS):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()

    async def _read(self) -> None:
        try:
            while self.why_gone is None:
                await self._handle(await self._next())
        except Malformed as wrong:
            self._write(Pdu(pdus.GENERIC_NACK, 0, pdus.BAD_LENGTH))
            self.end(str(wrong))
        except (OSError, EOFError) as wrong:
            self.end(type(wrong).__name__)

    async def _next(self) -> Pdu:
        first = await self._reader.readexactly(4)
        pdu = pdus.decode(first + await self._reader.readexactly(pdus.length_of(first) - 4))
        self._heard_at = self._now()
        return pdu

    async def _handle(self, pdu: Pdu) -> None:
        if pdu.is_answer:
            self._settle(pdu)
            return
        if pdu.command == pdus.DELIVER_SM:
            self._take_in(pdu)
        elif pdu.command in (pdus.ENQUIRE_LINK, pdus.UNBIND):
            self._write(pdu.answered())
        elif pdu.command != pdus.ALERT_NOTIFICATION:
            self._write(Pdu(pdus.GENERIC_NACK, pdu.sequence, pdus.BAD_COMMAND))
        await self._writer.drain()  # a centre that asks and does not read is not read either
        if pdu.command == pdus.UNBIND:
            self.end("unbound by the centre")

    def _settle(self, pdu: Pdu) -> None:
        command, answer = self._waiting.get(pdu.sequence, (None, None))
        if command is None or answer is None or pdu.command not in (command | pdus.ANSWER, pdus.GENERIC_NACK):
            return  # nobody asked
        del self._waiting[pdu.sequence]
        if command == pdus.SUBMIT_SM:
            self._submit_answered_at = self._heard_at
        is_no = pdu.command == pdus.GENERIC_NACK and pdu.status == pdus.OK  # whatever it says, it is no yes
        answer.set_result(pdu.answered(pdus.SYSTEM_ERROR) if is_no else pdu)

    def _take_in(self, pdu: Pdu) -> None:
        if len(self._inbound) >= limits.SMPP_INBOUND:
            self._write(pdu.answered(pdus.TAKE_IT_LATER, b"\0"))
            return
        task = asyncio.create_task(self._take_one(pdu))
        self._inbound.add(task)
        task.add_done_callback(self._inbound.discard)

    async def _take_one(self, pdu: Pdu) -> None:
        try:
            status = await self._take(pdus.read_deliver_sm(pdu.body))
        except Malformed:
            status = pdus.TAKE_IT_NEVER
        self._write(pdu.answered(status, b"\0"))

    def _give_back(self, answer: asyncio.Future[Pdu]) -> None:
        self._places.release()

    async def _ask_when_silent(self) -> None:
        while True:
            seconds = self._heard_at + limits.SMPP_ENQUIRE_SECONDS - self._now()
            if seconds > 0:
                await asyncio.sleep(seconds)
                continue
            asked_at = self._now()
            await asyncio.wait([self._request(pdus.ENQUIRE_LINK)], timeout=limits.SMPP_RESPONSE_SECONDS)
            if self._heard_at < asked_at:
                self.end("no answer to enquire_link")
                return


async def in_time(answer: asyncio.Future[Pdu], seconds: float) -> Pdu:
    """Wait for an answer. It may still come when nobody waits any more. Raises Gone, TimeoutError."""
    done, _ = await asyncio.wait([answer], timeout=seconds)
    if not done:
        raise TimeoutError
    return answer.result()


def _read_error(answer: asyncio.Future[Pdu]) -> None:
    """Whoever asked may have left; then nobody else reads why it failed, and asyncio would say so in the log."""
    if not answer.cancelled():
        answer.exception()
