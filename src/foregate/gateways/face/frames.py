"""Pictures as they come in: bounded by what their header says, stripped, and only then decoded.

Three formats that a browser's canvas or a phone's camera writes: JPEG, PNG, WebP. The header is read here, byte by
byte, before a decoder sees anything: size in pixels, one still picture, no format that nobody needs. What a decoder
could be made to work hard on is dropped or refused: PNG's and WebP's extra chunks (compressed texts, animations), JPEG
files of hundreds of scans.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from foregate.gateways.face.arrays import Picture
from foregate.ports.face import BadPicture
from foregate.rules import limits

PNG: Final = b"\x89PNG\r\n\x1a\n"
PNG_KEPT: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
JPEG_FRAMES: Final = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
JPEG_OTHER_FRAMES: Final = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
JPEG_BARE: Final = {0x01, *range(0xD0, 0xD9)}  # markers without a length
SCAN, END = 0xDA, 0xD9
GREY, COLOURS = 1, 3


def decode_each(files: Sequence[bytes]) -> Iterator[Picture]:
    """Check a set of pictures, then decode one after the other: never is more than one in memory, unpacked.

    Raises BadPicture, before decoding any, when the header of one of them is refused.
    """
    if not 1 <= len(files) <= limits.FACE_FRAMES:
        raise BadPicture(f"a set has 1 to {limits.FACE_FRAMES:d} pictures, not {len(files)}")
    if sum(map(len, files)) > limits.FACE_SET_BYTES:
        raise BadPicture(f"a set has at most {limits.FACE_SET_BYTES:d} bytes")
    checked = [checked_picture(file) for file in files]
    return (_decoded(file, size) for file, size in checked)


def checked_picture(file: bytes) -> tuple[bytes, tuple[int, int]]:
    """Return the bytes that a decoder may see, and the size in pixels that it must find. Raises BadPicture."""
    if len(file) > limits.FACE_FRAME_BYTES:
        raise BadPicture(f"a picture has at most {limits.FACE_FRAME_BYTES:d} bytes")
    file, size = stripped(file)
    width, height = size
    if width * height > limits.FACE_FRAME_PIXELS:
        raise BadPicture(f"{width} x {height} pixels are more than {limits.FACE_FRAME_PIXELS:d}")
    if min(size) < limits.FACE_FRAME_SIDE:
        raise BadPicture(f"{width} x {height} pixels are too few for a face")
    return file, size


def stripped(file: bytes) -> tuple[bytes, tuple[int, int]]:
    """Return what makes the picture and nothing else, and its width and height. Raises BadPicture."""
    try:
        if file.startswith(b"\xff\xd8\xff"):
            return file, _jpeg_size(file)
        if file.startswith(PNG):
            return _plain_png(file)
        if file[:4] == b"RIFF" and file[8:12] == b"WEBP":
            return _plain_webp(file)
    except (struct.error, IndexError):
        raise BadPicture("a picture that ends too early") from None
    raise BadPicture("neither JPEG nor PNG nor WebP")


def _decoded(file: bytes, size: tuple[int, int]) -> Picture:
    # The camera's note of which way is up is followed: an upside-down face is found, and matches nobody.
    picture = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise BadPicture("a picture that cannot be decoded")
    if {picture.shape[0], picture.shape[1]} != set(size):
        raise BadPicture("a picture of another size than its header says")
    return picture.astype(np.uint8, copy=False)


# ---------------------------------------------------------------- JPEG


def _jpeg_size(file: bytes) -> tuple[int, int]:
    size: tuple[int, int] | None = None
    scans = 0
    for marker, body in _jpeg_segments(file):
        if marker in JPEG_OTHER_FRAMES:
            raise BadPicture("a kind of JPEG that no camera writes")
        if marker in JPEG_FRAMES:
            depth, height, width, components = struct.unpack_from(">BHHB", body)
            if size is not None or depth != 8 or components not in (GREY, COLOURS):
                raise BadPicture("a kind of JPEG that no camera writes")
            size = width, height
        elif marker == SCAN:
            scans += 1
            if size is None or scans > limits.FACE_JPEG_SCANS:
                raise BadPicture("a JPEG of too many passes")
    if size is None or not scans:
        raise BadPicture("a JPEG without a picture")
    return size


def _jpeg_segments(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield markers with what they hold, jumping over the picture data between them, up to the end mark."""
    at = 2
    while True:
        at = file.find(b"\xff", at)
        if at < 0 or at + 1 >= len(file):
            raise BadPicture("a picture that ends too early")
        marker = file[at + 1]
        if marker == END:
            return
        if marker in (0x00, 0xFF) or marker in JPEG_BARE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", file, at + 2)
        if length < 2 or at + 2 + length > len(file):
            raise BadPicture("a picture that ends too early")
        yield marker, file[at + 4 : at + 2 + length]
        at += 2 + length


# ---------------------------------------------------------------- PNG, WebP


def _plain_png(file: bytes) -> tuple[bytes, tuple[int, int]]:
    """Keep what makes the picture: texts and profiles may unpack to anything, and an animation is no still."""
    kept = [PNG]
    kind, at = b"", len(PNG)
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", file, at)
        end = at + 12 + length
        if end > len(file):
            raise BadPicture("a picture that ends too early")
        if kind in PNG_KEPT:
            kept.append(file[at:end])
        at = end
    width, height, depth = struct.unpack_from(">IIB", kept[1], 8)
    if kept[1][4:8] != b"IHDR" or depth != 8:
        raise BadPicture("a kind of PNG that no camera writes")
    return b"".join(kept), (width, height)


def _plain_webp(file: bytes) -> tuple[bytes, tuple[int, int]]:
    """Keep the one still picture. An animation holds none at this level."""
    at, end = 12, 8 + struct.unpack_from("<I", file, 4)[0]
    if end > len(file):
        raise BadPicture("a picture that ends too early")
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", file, at)
        if at + 8 + length > end:
            raise BadPicture("a picture that ends too early")
        body = file[at + 8 : at + 8 + length]
        if kind in (b"VP8 ", b"VP8L"):
            chunk = file[at : at + 8 + length] + b"\0" * (length & 1)
            return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk, _webp_size(kind, body)
        at += 8 + length + (length & 1)
    raise BadPicture("a WebP without a still picture")


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8 ":
        if body[3:6] != b"\x9d\x01\x2a":
            raise BadPicture("a WebP without a still picture")
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if body[0] != 0x2F:
        raise BadPicture("a WebP without a still picture")
    (bits,) = struct.unpack_from("<I", body, 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
