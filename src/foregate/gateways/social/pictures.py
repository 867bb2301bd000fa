"""Pictures from addresses that somebody else named: fetched by the server, and trusted in nothing.

Rules
  1. Only hosts of the list, only https, only the usual port, no credentials in the address, no redirects followed.
  2. The name is looked up once, every address that it has must be public, and the connection goes to the very one
     that was looked at: a name that answers differently the second time changes nothing.
  3. Bounded in time and bytes; the header is read before anything is decoded; what is kept is drawn anew, so nothing
     that came along (places, comments, scripts) is in it.

Without OpenCV (the extra `face`) there is nothing to draw with, and no picture is taken.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx2
import structlog

from foregate.gateways.bounded import body_of
from foregate.gateways.pool import Pool
from foregate.ports import Busy
from foregate.rules import limits

log = structlog.get_logger("foregate.pictures")

TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
QUALITY: Final = 85
QUEUE: Final = 16
NAT64: Final = IPv6Network("64:ff9b::/96")

Resolve = Callable[[str, int], Awaitable[list[str]]]


class NotFetched(Exception):
    """There is no picture to be had there; the text says why, for the log."""


class GuardedPictures:
    """Fits `ports.social.Pictures`.

    Args:
        hosts: names, and everything below them, that pictures may come from.
        allows_loopback: the providers' doubles are on this machine. For the demo alone.
        resolve, transport: replace the network in tests.
    """

    def __init__(
        self,
        hosts: tuple[str, ...],
        *,
        allows_loopback: bool = False,
        resolve: Resolve | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._hosts = tuple(host.lower().strip(".") for host in hosts)
        self._allows_loopback = allows_loopback
        self._resolve = resolve or look_up
        self._client = httpx2.AsyncClient(
            timeout=float(limits.PICTURE_SECONDS), follow_redirects=False, transport=transport, trust_env=False
        )
        self._pool = Pool("pictures", threads=1, queue=QUEUE)

    async def fetch(self, address: str) -> bytes | None:
        """Return a small JPEG made anew, or None when there is none to be had."""
        if not address:
            return None
        try:
            async with asyncio.timeout(limits.PICTURE_SECONDS):
                file = await self._fetched(address)
            return await self._pool.run(lambda: redrawn(file))
        except (NotFetched, Busy, TimeoutError, OSError, ValueError, httpx2.HTTPError, httpx2.InvalidURL) as wrong:
            # The address may name a person, so it is not written down.
            log.warning("no picture", why=str(wrong) if isinstance(wrong, NotFetched) else type(wrong).__name__)
            return None

    async def _fetched(self, address: str) -> bytes:
        parts = self._checked(address)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        pinned = await self._pinned(host, port)
        literal = f"[{pinned}]" if ":" in pinned else pinned
        place = f"{parts.scheme}://{literal}:{port}{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        headers = {"Host": parts.netloc, "Accept": ", ".join(sorted(TYPES))}
        # The certificate is checked against the name, the connection goes to the address that was looked at.
        extensions = {"sni_hostname": host} if parts.scheme == "https" else {}
        async with self._client.stream("GET", place, headers=headers, extensions=extensions) as answer:
            if answer.status_code != 200:
                raise NotFetched(f"status {answer.status_code}")
            if answer.headers.get("content-type", "").partition(";")[0].strip().lower() not in TYPES:
                raise NotFetched("no picture by its type")
            return await body_of(answer, limits.PICTURE_BYTES)

    def _checked(self, address: str) -> SplitResult:
        if len(address) > limits.FIELD_CHARS or not address.isascii() or not address.isprintable():
            raise NotFetched("no address")
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise NotFetched("an address with more than a place")
        if self._allows_loopback and host in ("127.0.0.1", "localhost"):
            return parts
        if not any(host == allowed or host.endswith(f".{allowed}") for allowed in self._hosts):
            raise NotFetched("a host that pictures do not come from")
        # WeChat still writes http:// for hosts that have TLS: what is fetched comes by TLS or not at all.
        if parts.scheme not in ("https", "http") or parts.port not in (None, 443, 80):
            raise NotFetched("neither https nor the usual port")
        return parts._replace(scheme="https", netloc=host)

    async def _pinned(self, host: str, port: int) -> str:
        found = await self._resolve(host, port)
        if not found:
            raise NotFetched("a name without an address")
        if not all(is_public(each) or (self._allows_loopback and is_loopback(each)) for each in found):
            raise NotFetched("an address that is not public")
        return found[0]

    async def close(self) -> None:
        """Close the connections."""
        self._pool.close()
        await self._client.aclose()


async def look_up(host: str, port: int) -> list[str]:
    """Ask the system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(address: str) -> bool:
    """Say whether an address is one of the open network: not ours, not a neighbour's, not dressed up as one."""
    try:
        ip = _bare(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    hidden = ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_reserved
    return ip.is_global and not hidden and not ip.is_unspecified


def is_loopback(address: str) -> bool:
    """Say whether an address is this machine's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _bare(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


def redrawn(file: bytes) -> bytes:
    """Return the picture as a small square JPEG, drawn anew. Raises NotFetched."""
    import cv2  # heavy, and only here when somebody agreed to a picture
    import numpy as np

    from foregate.gateways.face.frames import stripped
    from foregate.ports.face import BadPicture

    try:
        file, (width, height) = stripped(file)
    except BadPicture as bad:
        raise NotFetched(str(bad)) from None
    if not 0 < width * height <= limits.PICTURE_PIXELS:
        raise NotFetched("too many pixels")
    picture = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    if picture is None or picture.shape[0] * picture.shape[1] > limits.PICTURE_PIXELS:
        raise NotFetched("a picture that cannot be decoded")
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    size = min(side, int(limits.PICTURE_SIDE))
    square = cv2.resize(picture[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)
    done, small = cv2.imencode(".jpg", square, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise NotFetched("a picture that cannot be drawn")
    return small.tobytes()
