"""An SMS centre reached by SMPP 3.4: one link, bound as a transceiver, kept while the house is open.

Rules
  1. A text goes out part by part, the next when the one before was taken. What was taken is remembered by message:
     a message that is tried again goes on where it stopped, with the same reference, and one that was taken whole is
     not sent again. The memory is this process's; SMPP has no key that would let the centre remember.
  2. A link that is lost is built anew after a pause that doubles, with chance in it. Meanwhile messages are told
     Unreachable, and the outbox tries them again.
  3. A number, a text, a password and a system id are never logged, nor in the text of an error.

Texts that customers send come in by the same link.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import msgspec
import structlog

from foregate.gateways.sms.smpp import pdus, texts
from foregate.gateways.sms.smpp.link import Gone, Link, in_time
from foregate.gateways.sms.smpp.pdus import Address, Delivered, Pdu
from foregate.ports import Rejected, Unreachable
from foregate.rules import limits

OnText = Callable[[str, str], Awaitable[bool]]

log: Final = structlog.get_logger("foregate.smpp")


class Centre(msgspec.Struct, frozen=True, kw_only=True):
    """Where the SMS centre is, and who we are there. `tls`: None for a link that ends on this machine."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    system_id: str
    password: str
    system_type: str
    source: Address
    is_ucs_2_only: bool

    def __repr__(self) -> str:
        return "Centre(***)"


class Refused(Exception):
    """The centre did not let us bind."""


class SmppSmsGateway:
    """Sends by one bound link. Fits `SmsGateway`."""

    def __init__(self, centre: Centre, on_text: OnText) -> None:
        self._centre, self._on_text = centre, on_text
        self._keeping: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._bound = asyncio.Event()
        self._why_not = "not connected yet"
        self._is_stopping = False
        self._taken: OrderedDict[str, int] = OrderedDict()

    async def open(self) -> None:
        """Begin to keep the link. It does not wait for it: pages work while the SMS centre is away."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())

    async def send(self, phone: str, text: str, message_id: str) -> None:
        """Send one message. Raises Unreachable to be called again, Rejected not to."""
        await self.open()
        reference = hashlib.sha256(message_id.encode()).digest()[0]
        try:
            parts = texts.parts_of(text, reference, is_ucs_2_only=self._centre.is_ucs_2_only)
        except texts.TooLong as wrong:
            raise Rejected(f"SMS centre: a text of {wrong}") from None
        for place in range(self._taken.get(message_id, 0), len(parts.pieces)):
            body = self._submit_sm(phone, parts, place)
            status = await self._submit(body, message_id, place)
            if status in pdus.PERMANENT:
                raise Rejected(f"SMS centre answered 0x{status:02x}")
            if status != pdus.OK:
                raise Unreachable(f"SMS centre answered 0x{status:02x}")

    async def close(self) -> None:
        """Take leave of the centre and close the connection."""
        self._is_stopping = True
        if self._link is not None:
            await self._link.unbind()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])

    # ------------------------------------------------------------ out

    def _submit_sm(self, phone: str, parts: texts.Parts, place: int) -> bytes:
        try:
            return pdus.submit_sm(
                self._centre.source,
                pdus.to_phone(phone),
                parts.pieces[place],
                data_coding=parts.data_coding,
                has_header=parts.has_headers,
            )
        except ValueError:
            raise Rejected("SMS centre: a number that SMPP cannot carry") from None

    async def _submit(self, body: bytes, message_id: str, place: int) -> int:
        link = await self._bound_link()
        try:
            answer = await link.submit(body)
            answer.add_done_callback(partial(self._note, message_id, place))
            status = (await in_time(answer, limits.SMPP_RESPONSE_SECONDS)).status
        except (Gone, TimeoutError) as wrong:
            raise Unreachable(f"SMS centre: {type(wrong).__name__}") from None
        if status == pdus.NOT_BOUND:
            link.end("the centre says that we are not bound")
        return status

    async def _bound_link(self) -> Link:
        try:
            async with asyncio.timeout(limits.SMPP_RESPONSE_SECONDS):
                await self._bound.wait()
        except TimeoutError:
            raise Unreachable(f"SMS centre: {self._why_not}") from None
        if self._link is None:  # it ended between the event and now
            raise Unreachable(f"SMS centre: {self._why_not}")
        return self._link

    def _note(self, message_id: str, place: int, answer: asyncio.Future[Pdu]) -> None:
        """Remember a part that was taken, even by an answer that came when nobody waited for it any more."""
        if answer.cancelled() or answer.exception() or answer.result().status != pdus.OK:
            return
        self._taken[message_id] = max(self._taken.get(message_id, 0), place + 1)  # an older answer may come last
        self._taken.move_to_end(message_id)
        while len(self._taken) > limits.SMPP_REMEMBERED:
            self._taken.popitem(last=False)

    # ------------------------------------------------------------ the link

    async def _keep(self) -> None:
        """Bind, and again whenever the link ends, until `close`."""
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                self._why_not = await self._session()
            except Exception as wrong:
                # Whatever went wrong with one connection, nobody else would build the next.
                self._why_not = _said(wrong)
            if self._is_stopping:
                return
            lasted = asyncio.get_running_loop().time() - began
            failures = 1 if lasted > limits.SMPP_RECONNECT_SECONDS_MAX else failures + 1
            seconds = pause_seconds(failures)
            log.warning("no link to the SMS centre", why=self._why_not, again_in_seconds=round(seconds, 1))
            await asyncio.sleep(seconds)

    async def _session(self) -> str:
        """Connect, bind and stay bound. Returns why the link ended. Raises what kept it from being bound."""
        centre = self._centre
        async with asyncio.timeout(limits.SMPP_RESPONSE_SECONDS):
            reader, writer = await asyncio.open_connection(centre.host, centre.port, ssl=centre.tls)
        link = Link(reader, writer, self._take, on_end=self._unbound)
        running = asyncio.create_task(link.run())
        try:
            body = pdus.bind_transceiver(centre.system_id, centre.password, centre.system_type)
            status = (await link.ask(pdus.BIND_TRANSCEIVER, body, seconds=limits.SMPP_RESPONSE_SECONDS)).status
            if status != pdus.OK:
                raise Refused(f"bind refused with 0x{status:02x}")
            if link.is_over:  # by the very bytes behind the answer
                return link.why_gone or "ended"
            log.info("bound to the SMS centre", over="TLS" if centre.tls else "this machine")
            self._link = link
            self._bound.set()
            await asyncio.wait([running])
            return link.why_gone or "ended"
        finally:
            link.end("not bound")
            await asyncio.wait([running])

    def _unbound(self) -> None:
        """Let no message begin on a link that has ended, while it still hangs up."""
        self._link = None
        self._bound.clear()

    # ------------------------------------------------------------ in

    async def _take(self, delivered: Delivered) -> int:
        """Hand on what a phone sent. Receipts are not asked for; one that comes all the same is thanked for."""
        if not delivered.is_text:
            return pdus.OK
        text = texts.text_from(delivered.data, delivered.data_coding)
        try:
            async with asyncio.timeout(limits.SMPP_RESPONSE_SECONDS):
                await self._on_text(pdus.from_phone(delivered.sender), text)
        except Exception as wrong:
            # The database may be busy: the centre keeps the text and brings it again.
            log.warning("a text was not kept", why=type(wrong).__name__)
            return pdus.TAKE_IT_LATER
        return pdus.OK


def pause_seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row: doubling, bounded, by chance down to half."""
    doubled = min(limits.SMPP_RECONNECT_SECONDS << min(failures - 1, 10), limits.SMPP_RECONNECT_SECONDS_MAX)
    return doubled * random.uniform(0.5, 1)  # noqa: S311  # no secret: a thousand banks shall not come back at once


def _said(wrong: Exception) -> str:
    if isinstance(wrong, Refused):
        return str(wrong)
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return f"its certificate: {wrong.verify_message}"
    return type(wrong).__name__
