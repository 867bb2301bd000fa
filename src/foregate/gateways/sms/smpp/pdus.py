"""SMPP 3.4 on the wire: the few PDUs that a bound transceiver sends and receives, as bytes. No I/O, no state.

A PDU is a header of four 32-bit numbers (length of the whole, command, status, sequence) and a body. Strings in a
body end with a zero and have a size each, the zero included (SMPP 3.4 4 and 5.2). What is wrong is `Malformed`.
Bodies carry numbers, texts and a password: nothing here shows them when printed.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from foregate.rules import limits

VERSION: Final = 0x34
HEADER_BYTES: Final = 16

# Commands (5.1.2). An answer has the command's number with the highest bit set.
ANSWER: Final = 0x80000000
GENERIC_NACK: Final = 0x80000000
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
BIND_TRANSCEIVER: Final = 0x00000009
ENQUIRE_LINK: Final = 0x00000015
ALERT_NOTIFICATION: Final = 0x00000102  # the one request that wants no answer

# Statuses (5.1.3) that mean something to us.
OK: Final = 0x00
BAD_LENGTH: Final = 0x02  # ESME_RINVCMDLEN
BAD_COMMAND: Final = 0x03  # ESME_RINVCMDID
NOT_BOUND: Final = 0x04  # ESME_RINVBNDSTS
SYSTEM_ERROR: Final = 0x08  # ESME_RSYSERR
TAKE_IT_LATER: Final = 0x64  # ESME_RX_T_APPN
TAKE_IT_NEVER: Final = 0x65  # ESME_RX_P_APPN
# What this message or its addresses are wrong with will be wrong with them in a minute, too. All others may pass:
# among them are throttling, a full queue, a system's fault, and whatever an operator made up (from 0x400 on).
PERMANENT: Final = frozenset({
    0x01,  # ESME_RINVMSGLEN
    0x0A,  # ESME_RINVSRCADR
    0x0B,  # ESME_RINVDSTADR
    0x15,  # ESME_RINVSERTYP
    0x43,  # ESME_RINVESMCLASS
    0x48,  # ESME_RINVSRCTON
    0x49,  # ESME_RINVSRCNPI
    0x50,  # ESME_RINVDSTTON
    0x51,  # ESME_RINVDSTNPI
    0x65,  # ESME_RX_P_APPN
    0x66,  # ESME_RX_R_APPN
})  # fmt: skip

# esm_class (5.2.12).
HAS_HEADER: Final = 0x40  # the text begins with a user data header
_MESSAGE_TYPE: Final = 0x3C  # zero for a text; a receipt or an acknowledgement otherwise
_MESSAGE_PAYLOAD: Final = 0x0424  # the optional parameter that holds a long text in place of short_message (5.3.2.32)

SYSTEM_ID_CHARS: Final = 15
PASSWORD_CHARS: Final = 8
SYSTEM_TYPE_CHARS: Final = 12
ADDRESS_CHARS: Final = 20
_TON_INTERNATIONAL: Final = 1
_NPI_E164: Final = 1


class Malformed(Exception):
    """Bytes that are no PDU of SMPP 3.4, or a longer one than is taken."""


class Pdu(msgspec.Struct, frozen=True):
    """One PDU. `sequence` joins an answer to what it answers."""

    command: int
    sequence: int
    status: int = OK
    body: bytes = b""

    def encode(self) -> bytes:
        """Return it as it is sent."""
        return struct.pack(">4I", HEADER_BYTES + len(self.body), self.command, self.status, self.sequence) + self.body

    def answered(self, status: int = OK, body: bytes = b"") -> Pdu:
        """Return the answer to it."""
        return Pdu(self.command | ANSWER, self.sequence, status, body)

    @property
    def is_answer(self) -> bool:
        """Whether it answers something."""
        return bool(self.command & ANSWER)

    def __repr__(self) -> str:
        return f"Pdu(command=0x{self.command:08x}, status=0x{self.status:08x}, body={len(self.body)} bytes)"


class Address(msgspec.Struct, frozen=True):
    """A number or a name, with its type of number and numbering plan (5.2.5, 5.2.6)."""

    text: str
    ton: int
    npi: int

    def __repr__(self) -> str:
        return "Address(***)"


class Delivered(msgspec.Struct, frozen=True):
    """What a deliver_sm brings. `data` is without its user data header."""

    sender: Address
    is_text: bool
    data_coding: int
    data: bytes

    def __repr__(self) -> str:
        return "Delivered(***)"


def length_of(first: bytes) -> int:
    """Return how many bytes the whole PDU has, by its first four. Raises Malformed."""
    (length,) = struct.unpack(">I", first)
    if not HEADER_BYTES <= length <= limits.SMPP_PDU_BYTES:
        raise Malformed(f"a PDU of {length} bytes")
    return int(length)


def decode(data: bytes) -> Pdu:
    """Read one whole PDU."""
    _, command, status, sequence = struct.unpack_from(">4I", data)
    return Pdu(command, sequence, status, data[HEADER_BYTES:])


def to_phone(number: str) -> Address:
    """Return the address of a number in E.164."""
    return Address(number.removeprefix("+"), _TON_INTERNATIONAL, _NPI_E164)


def from_phone(address: Address) -> str:
    """Return a sender's number as people write it."""
    is_abroad = address.ton == _TON_INTERNATIONAL and not address.text.startswith("+")
    return f"+{address.text}" if is_abroad else address.text


def bind_transceiver(system_id: str, password: str, system_type: str) -> bytes:
    """Return the body of a bind (4.1.5). The centre knows our addresses: we name no range."""
    return (
        _string(system_id, SYSTEM_ID_CHARS)
        + _string(password, PASSWORD_CHARS)
        + _string(system_type, SYSTEM_TYPE_CHARS)
        + bytes((VERSION, 0, 0))
        + _string("", ADDRESS_CHARS)
    )


def submit_sm(source: Address, destination: Address, data: bytes, *, data_coding: int, has_header: bool) -> bytes:
    """Return the body of a submit_sm (4.4.1): at once, at the centre's own validity, without a receipt."""
    protocol_id = priority = registered_delivery = replace = default_message = 0
    at_once = own_validity = service_type = b"\0"
    return b"".join(
        (
            service_type,
            _address(source),
            _address(destination),
            bytes((HAS_HEADER if has_header else 0, protocol_id, priority)),
            at_once,
            own_validity,
            bytes((registered_delivery, replace, data_coding, default_message, len(data))),
            data,
        )
    )


def read_deliver_sm(body: bytes) -> Delivered:
    """Read the body of a deliver_sm (4.6.1). Raises Malformed."""
    reader = _Reader(body)
    reader.string()  # service_type
    sender = reader.address()
    reader.address()  # ours
    esm_class = reader.number()
    reader.take(2)  # protocol_id, priority
    reader.string()
    reader.string()
    reader.take(2)  # registered_delivery, replace_if_present
    data_coding = reader.number()
    reader.take(1)  # sm_default_msg_id
    data = reader.take(reader.number()) or reader.optional(_MESSAGE_PAYLOAD)
    if esm_class & HAS_HEADER and data:
        data = data[1 + data[0] :]
    return Delivered(sender, not esm_class & _MESSAGE_TYPE, data_coding, data)


class _Reader:
    """Takes a body apart from its beginning."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def take(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise Malformed("a body that ends early")
        self._at += count
        return taken

    def number(self) -> int:
        return self.take(1)[0]

    def string(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise Malformed("a string without an end")
        taken = self.take(end - self._at)
        self._at += 1
        return taken.decode("ascii", "replace")

    def address(self) -> Address:
        ton, npi = self.take(2)
        return Address(self.string(), ton, npi)

    def optional(self, wanted: int) -> bytes:
        """Return an optional parameter (5.3), or nothing."""
        while self._at < len(self._body):
            tag, length = struct.unpack(">2H", self.take(4))
            value = self.take(length)
            if tag == wanted:
                return value
        return b""


def _string(text: str, chars_max: int) -> bytes:
    if len(text) > chars_max or not text.isascii() or "\0" in text:
        raise ValueError(f"longer than {chars_max} characters, or not ASCII")
    return text.encode() + b"\0"


def _address(address: Address) -> bytes:
    return bytes((address.ton, address.npi)) + _string(address.text, ADDRESS_CHARS)
