"""What a text becomes on its way to a phone: GSM 03.38 where it fits, UCS-2 where not, in parts that cut no code.

Sources: 3GPP TS 23.038 6.2.1 (alphabet, extension table), TS 23.040 9.2.3.24.1 (concatenation), SMPP 3.4 5.2.19
(data_coding). An octet carries one character of seven bits here: packing them is the SMS centre's work.

A phone puts the parts together again, so a cut is seen by nobody, unless a part comes late or never: then a code that
was cut would be read as a shorter one. So a run of letters and digits stays whole wherever a part has room for it.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from foregate.rules import limits

GSM: Final = 0  # data_coding: the SMS centre's default alphabet
LATIN_1: Final = 3
UCS_2: Final = 8

# One message holds 140 octets: 160 characters of seven bits, or 70 of sixteen. The header of a part takes six of them.
_WHOLE: Final = {GSM: 160, UCS_2: 140}
_PART: Final = {GSM: 153, UCS_2: 134}

_ESCAPE: Final = 0x1B
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_OCTETS: Final = {character: bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE} | {
    character: bytes([_ESCAPE, code]) for code, character in _EXTENSION.items()
}
# What is kept whole, the longest first: an address or a code with what clings to it, a code alone, a character.
_PIECES: Final = (re.compile(r"[!-~]+|.", re.DOTALL), re.compile(r"[0-9A-Za-z]+|.", re.DOTALL), re.compile(r"(?s:.)"))


class TooLong(Exception):
    """More parts than a message may have."""


class Parts(msgspec.Struct, frozen=True):
    """A text as it is submitted: in one piece without a header, or in several with one each."""

    data_coding: int
    pieces: tuple[bytes, ...]

    @property
    def has_headers(self) -> bool:
        """Whether each piece begins with a user data header."""
        return len(self.pieces) > 1

    def __repr__(self) -> str:
        return f"Parts({len(self.pieces)})"  # a code may be in it


def parts_of(text: str, reference: int, *, is_ucs_2_only: bool) -> Parts:
    """Encode `text`. `reference` (0 to 255) tells the parts of one message from another's. Raises TooLong."""
    coding = UCS_2 if is_ucs_2_only or not all(character in _OCTETS for character in text) else GSM
    whole = _encoded(text, coding)
    if len(whole) <= _WHOLE[coding]:
        return Parts(coding, (whole,))
    pieces = _cut(text, coding)
    if len(pieces) > limits.SMS_PARTS:
        raise TooLong(f"{len(pieces)} parts")
    headers = (bytes((5, 0, 3, reference, len(pieces), place)) for place in range(1, len(pieces) + 1))
    return Parts(coding, tuple(header + piece for header, piece in zip(headers, pieces, strict=True)))


def text_from(data: bytes, data_coding: int) -> str:
    """Read a text that a phone sent, without its header. What cannot be read becomes a replacement character."""
    if data_coding == UCS_2:
        return data.decode("utf-16-be", "replace")
    if data_coding == LATIN_1:
        return data.decode("latin-1")
    if data_coding != GSM:
        return data.decode("ascii", "replace")
    characters = []
    octets = iter(data)
    for octet in octets:
        found = _EXTENSION.get(next(octets, -1)) if octet == _ESCAPE else _BASIC[octet : octet + 1]
        characters.append(found or "\N{REPLACEMENT CHARACTER}")
    return "".join(characters)


def _encoded(text: str, coding: int) -> bytes:
    if coding == UCS_2:
        return text.encode("utf-16-be", "replace")  # phones read surrogate pairs; a lone half would be none
    return b"".join(_OCTETS[character] for character in text)


def _cut(text: str, coding: int) -> list[bytes]:
    """Fill parts with pieces that are kept whole. A character outside the plane of 65,536 is never halved either."""
    room = _PART[coding]
    parts = [b""]
    for piece in _pieces(text, coding, room):
        if len(parts[-1]) + len(piece) > room:
            parts.append(b"")
        parts[-1] += piece
    return parts


def _pieces(text: str, coding: int, room: int, depth: int = 0) -> list[bytes]:
    found: list[bytes] = []
    for match in _PIECES[depth].finditer(text):
        piece = _encoded(match[0], coding)
        found += [piece] if len(piece) <= room else _pieces(match[0], coding, room, depth + 1)
    return found
