"""Pictures made to hurt: refused by their header, quickly, in little memory; and never anything but refused."""

from __future__ import annotations

import random
import resource
import struct
import time
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from foregate.gateways.face.frames import checked_picture, decode_each
from foregate.ports.face import BadPicture
from foregate.rules import limits
from tests.faces import jpeg, noise

pytestmark = pytest.mark.attack

GOOD = jpeg(cv2.GaussianBlur(noise(320, 240), (0, 0), 3))
SECONDS_MAX = 0.2
GROWTH_MAX_KIB = 100 * 1024


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *extra: bytes, rows: bytes = b"", depth: int = 8) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    body = b"".join(extra) + chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def jpeg_of_size(width: int, height: int) -> bytes:
    """The good picture with another size written into its header."""
    at = GOOD.index(b"\xff\xc0")
    return GOOD[: at + 5] + struct.pack(">HH", height, width) + GOOD[at + 9 :]


def jpeg_of_scans(scans: int) -> bytes:
    """The good picture, its passes repeated."""
    at = GOOD.index(b"\xff\xda")
    return GOOD[:at] + GOOD[at:-2] * scans + b"\xff\xd9"


def webp(kind: bytes, body: bytes) -> bytes:
    parts = b"WEBP" + kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
    return b"RIFF" + struct.pack("<I", len(parts)) + parts


def exif(body: bytes) -> bytes:
    """The good picture with such a note of its camera."""
    return GOOD[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 8) + b"Exif\0\0" + body + GOOD[2:]


GIF_PICTURE = b"!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"
GIF = b"GIF89a" + struct.pack("<HH", 320, 240) + b"\0\0\0" + GIF_PICTURE * 10_000 + b";"
ANIMATION = webp(b"VP8X", b"\x02" + bytes(9)) + webp(b"ANIM", bytes(6))[12:] + webp(b"ANMF", bytes(24))[12:] * 10_000

HOSTILE = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": b"hello " * 100,
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "GIF of ten thousand pictures": GIF,
    "BMP": bytes(cv2.imencode(".bmp", noise())[1])[:200_000],
    "TIFF": bytes(cv2.imencode(".tiff", noise(200, 200))[1]),
    "PGM": b"P5 320 240 255\n" + bytes(320 * 240),
    "PNG of 50,000 x 50,000": png(50_000, 50_000, rows=bytes(10**6)),
    "PNG of 2 x 4,000,000,000": png(2, 4_000_000_000),
    "PNG of 1 x 1": png(1, 1, rows=bytes(4)),
    "PNG of 16 bits": png(320, 240, depth=16),
    "PNG without an end": png(320, 240)[:-12],
    "PNG whose chunk is longer than it": b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31) + b"IHDR" + bytes(50),
    "PNG without pixels": png(320, 240, rows=b""),
    "PNG of another size within": png(320, 240, rows=bytes(100)),
    "JPEG of 65,535 x 65,535": jpeg_of_size(65_535, 65_535),
    "JPEG of 1 x 1": jpeg(noise(1, 1)),
    "JPEG of no height": jpeg_of_size(320, 0),
    "JPEG of more passes than any": jpeg_of_scans(limits.FACE_JPEG_SCANS + 1),
    "JPEG without an end": GOOD[:-2],
    "JPEG of markers alone": b"\xff\xd8" + b"\xff\xd0" * 100_000,
    "JPEG of stuffing alone": b"\xff\xd8\xff" + b"\x00\xff" * 100_000,
    "JPEG with two sizes": GOOD[:2] + GOOD[GOOD.index(b"\xff\xc0") : GOOD.index(b"\xff\xc4")] * 2 + GOOD[2:],
    "JPEG, arithmetic": GOOD.replace(b"\xff\xc0", b"\xff\xc9", 1),
    "JPEG, lossless": GOOD.replace(b"\xff\xc0", b"\xff\xc3", 1),
    "JPEG without a picture": b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9",
    "WebP of 16,383 x 16,383": webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383) + bytes(50)),
    "WebP, lossless, of 16,384 x 16,384": webp(b"VP8L", b"\x2f" + struct.pack("<I", 0x0FFFFFFF) + bytes(50)),
    "WebP of ten thousand pictures": ANIMATION[:4] + struct.pack("<I", len(ANIMATION) - 8) + ANIMATION[8:],
    "WebP that says it is longer": webp(b"VP8 ", bytes(20))[:20],
    "WebP without anything": webp(b"VP8 ", b""),
    "more bytes than any": GOOD + bytes(limits.FACE_FRAME_BYTES),
}


LARGEST = GOOD + bytes(limits.FACE_FRAME_BYTES - len(GOOD))


def decoded(file: bytes) -> list[object]:
    return list(decode_each([file]))


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_quickly_and_in_little_memory(name: str) -> None:
    """With a reason that holds nothing of the picture."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()

    with pytest.raises(BadPicture) as why:
        decoded(HOSTILE[name])

    assert time.process_time() - began < SECONDS_MAX
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_MAX_KIB
    assert len(str(why.value)) < 100


def test_the_good_picture_is_none_of_them() -> None:
    """What is refused above is refused for what was done to it."""
    (picture,) = decode_each([GOOD])
    assert (240, 320, 3) == picture.shape
    for ending in (".png", ".webp"):
        assert 1 == len(decoded(bytes(cv2.imencode(ending, cv2.GaussianBlur(noise(), (0, 0), 9))[1])))
    progressive = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    assert 1 == len(decoded(bytes(cv2.imencode(".jpg", noise(), progressive)[1])))
    assert 1 == len(decoded(bytes(cv2.imencode(".jpg", noise()[:, :, 0])[1])))


def test_what_unpacks_to_much_is_dropped_unread() -> None:
    """A PNG's texts and profiles, an animation's further pictures: the decoder never sees them."""
    bomb = zlib.compress(bytes(40_000_000), 9)
    extra = [chunk(b"zTXt", b"a\0\0" + bomb), chunk(b"iCCP", b"a\0\0" + bomb), chunk(b"acTL", bytes(8))]
    rows = b"".join(b"\0" + bytes(960) for _ in range(240))

    kept, _ = checked_picture(png(320, 240, *extra, rows=rows))

    assert kept == png(320, 240, rows=rows)
    assert len(kept) < 10_000
    assert 1 == len(decoded(png(320, 240, *extra, rows=rows)))


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08" + b"\xff\xff" + b"\x01\x12\0\x03\xff\xff\xff\xff" * 5000,
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\xff\xff\0\0\0\0\0\0",
        bytes(65_000),
    ],
    ids=["empty", "pointing nowhere", "endless", "way up 65,535", "zeros"],
)
def test_a_spoiled_note_of_the_camera_does_no_harm(note: bytes) -> None:
    """The picture is decoded as it lies."""
    (picture,) = decode_each([exif(note)])

    assert (240, 320, 3) == picture.shape


def test_every_cut_of_a_file_is_refused() -> None:
    """Wherever the line broke."""
    for file in (GOOD, png(320, 240, rows=bytes(961 * 240)), bytes(cv2.imencode(".webp", noise())[1])):
        for length in range(0, len(file) - 1, max(1, len(file) // 150)):
            with pytest.raises(BadPicture):
                decoded(file[:length])


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp"])
def test_spoiled_bytes_are_a_small_picture_or_refused(kind: str) -> None:
    """Three hundred files with bytes changed at random: never another error, never a large picture."""
    chance = random.Random(7)  # noqa: S311 -- spoils files, the same way each time
    file = bytes(cv2.imencode(kind, cv2.GaussianBlur(noise(200, 200), (0, 0), 5))[1])

    for _ in range(300):
        spoiled = bytearray(file)
        for _ in range(chance.randint(1, 8)):
            spoiled[chance.randrange(min(len(spoiled), chance.choice((64, len(spoiled)))))] = chance.randrange(256)
        try:
            (picture,) = decode_each([bytes(spoiled)])
        except BadPicture:
            continue
        assert np.prod(picture.shape[:2]) <= limits.FACE_FRAME_PIXELS


# ---------------------------------------------------------------- n and n + 1


def sized(width: int, height: int) -> bytes:
    return jpeg(np.full((height, width, 3), 128, np.uint8))


@pytest.mark.parametrize(
    ("just", "beyond"),
    [
        (lambda: [GOOD] * limits.FACE_FRAMES, lambda: [GOOD] * (limits.FACE_FRAMES + 1)),
        (lambda: [LARGEST], lambda: [LARGEST + b"!"]),
        (lambda: [LARGEST] * 6, lambda: [LARGEST] * 6 + [GOOD]),
        (lambda: [sized(2000, 1050)], lambda: [sized(2000, 1051)]),
        (lambda: [sized(limits.FACE_FRAME_SIDE, 200)], lambda: [sized(limits.FACE_FRAME_SIDE - 1, 200)]),
        (lambda: [jpeg_of_scans(limits.FACE_JPEG_SCANS)], lambda: [jpeg_of_scans(limits.FACE_JPEG_SCANS + 1)]),
        (lambda: [GOOD], list),
    ],
    ids=["pictures", "bytes of one", "bytes of all", "pixels", "side", "scans", "none"],
)  # fmt: skip
def test_every_bound_holds_at_n_and_beyond(just: Callable[[], list[bytes]], beyond: Callable[[], list[bytes]]) -> None:
    """The largest that is taken, and one more."""
    assert len(just()) == len([checked_picture(file) for file in just()])
    decode_each(just())
    with pytest.raises(BadPicture):
        decode_each(beyond())


def test_a_set_is_checked_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One bad header among good pictures costs no decoding."""
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))

    with pytest.raises(BadPicture):
        decode_each([GOOD] * 5 + [HOSTILE["PNG of 50,000 x 50,000"]])
    with pytest.raises(BadPicture, match="1 to 24"):
        decode_each([GOOD] * 10_000)
