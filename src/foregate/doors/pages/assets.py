"""Style and script: read once, made small, named by what they hold.

The style stands inside every page, so the first request is enough to see it; the policy allows it by its hash, and
nothing else that is inline. The script is a file of its own, cached for a year under a name that changes with it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import brotli
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from foregate import leaflet
from foregate.doors.compression import coding_of
from foregate.doors.text import catalog

FOLDER: Final = Path(__file__).parent
YEAR_SECONDS: Final = 31_536_000
LINK_WORDS: Final = ("slow", "none", "away", "busy", "full", "in", "now", "over", "kept", "again", "check")
ASSET_NAME: Final = re.compile(r"/s/(\w+)\.[0-9a-f]{10}\.(\w+)")
# The one policy that may make an address of a script, made once by script.js: it yields the worker's and no other.
WORKER_POLICY: Final = "worker"


class Asset(msgspec.Struct, frozen=True):
    """A static file: where it is served, as which type, plain and compressed."""

    path: str
    media_type: str
    body: bytes
    small: bytes  # brotli
    zipped: bytes  # gzip, for who has no brotli, and for all where there is no TLS


@cache
def style(*sheets: str) -> str:
    """Return the style of a page, without comments and layout: every page's, and then the sheets of its subject."""
    return "".join(minified_css((FOLDER / f"{sheet}.css").read_text("utf-8")) for sheet in ("style", *sheets))


@cache
def script() -> Asset:
    """Return the script of the customer pages."""
    return asset("f", "js", minified_js((FOLDER / "script.js").read_text("utf-8")))


@cache
def watch() -> Asset:
    """Return the script of the page that waits for a file."""
    return asset("watch", "js", minified_js((FOLDER / "watch.js").read_text("utf-8")))


@cache
def finder() -> Asset:
    """Return the script of the outlet finder."""
    return asset("o", "js", minified_js((FOLDER / "outlets.js").read_text("utf-8")))


@cache
def capture() -> Asset:
    """Return the script of the camera."""
    return asset("c", "js", minified_js((FOLDER / "face.js").read_text("utf-8")))


def passkeys() -> Asset:
    """Return the script of the pages that take or make passkeys."""
    return asset("p", "js", minified_js((FOLDER / "passkeys.js").read_text("utf-8")))


@cache
def link(language: str) -> Asset:
    """Return the script for bad links, which comes after the page. It has its words with it: no page pays for them."""
    said = {key: catalog.text(language, f"link.{key}") for key in LINK_WORDS}
    text = (FOLDER / "link.js").read_text("utf-8")
    for name, value in (("WORDS = {}", said), ("OUTBOX = ''", outbox().path)):
        text = text.replace(name, f"{name.partition(' ')[0]} = {json.dumps(value, ensure_ascii=False)}")
    return asset(f"l_{language}", "js", minified_js(text))


def links() -> tuple[Asset, ...]:
    """Return it in every language."""
    return tuple(link(language) for language in catalog.languages())


@cache
def outbox() -> Asset:
    """Return the script that sends appointments which waited on the device."""
    return asset("w", "js", minified_js((FOLDER / "outbox.js").read_text("utf-8")))


@cache
def offline() -> Asset:
    """Return the script of the offline page."""
    return asset("d", "js", minified_js((FOLDER / "offline.js").read_text("utf-8")))


@cache
def worker_text() -> str:
    """Return what the worker does; `pages.offline` puts before it what it is to know."""
    return minified_js((FOLDER / "worker.js").read_text("utf-8"))


@cache
def icon() -> Asset:
    """Return the little gate that browsers show in tabs."""
    return asset("gate", "svg", (FOLDER / "gate.svg").read_text("utf-8").strip())


@cache
def maskable() -> Asset:
    """Return the gate on a ground that reaches to the edge: home screens cut their own shape out of it."""
    gate = re.sub(r"</?svg[^>]*>", "", icon().body.decode()).replace("#0d5b4a", "#fff")
    frame = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-14 -14 56 56">'
    return asset("home", "svg", f'{frame}<path fill="#0d5b4a" d="M-14-14h56v56h-56z"/>{gate}</svg>')


@cache
def map_files() -> tuple[Asset, ...]:
    """Return what the map page loads, in this order: our policy stands before what it holds. Needs the extra `map`."""
    return (
        asset("map", "js", minified_js((FOLDER / "map.js").read_text("utf-8"))),
        asset("leaflet", "js", leaflet.text(leaflet.SCRIPT)),
        asset("leaflet", "css", leaflet.text(leaflet.STYLE)),
        asset("map", "css", minified_css((FOLDER / "map.css").read_text("utf-8"))),
    )


MEDIA_TYPES: Final = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}


def asset(stem: str, suffix: str, text: str) -> Asset:
    """Return `text` as a file under `/s/`, named by its hash."""
    body = text.encode()
    digest = hashlib.sha256(body).hexdigest()[:10]
    small, zipped = brotli.compress(body, quality=11), gzip.compress(body, 9, mtime=0)
    return Asset(f"/s/{stem}.{digest}.{suffix}", MEDIA_TYPES[suffix], body, small, zipped)


def serve(request: Request, file: Asset, *, is_kept: bool = True) -> Response:
    """Answer with a static file. It never changes under its name, so browsers never ask again.

    Under a name of another release it is not to be kept at all: it is not what that name says.
    """
    age = f"public, max-age={YEAR_SECONDS}, immutable" if is_kept else "no-store"
    headers = {"Cache-Control": age, "Vary": "Accept-Encoding"}
    coding = coding_of(request.headers.get("accept-encoding", ""))
    if coding:
        headers["Content-Encoding"] = coding
    body = {"br": file.small, "gzip": file.zipped, None: file.body}[coding]
    return Response(body, media_type=file.media_type, headers=headers)


def same_stem(path: str, files: Iterable[Asset]) -> Asset | None:
    """Return the file that has `path` but for its hash: what it was in another release."""
    named = ASSET_NAME.fullmatch(path)
    parts = named.group(1, 2) if named else None
    return next((file for file in files if (own := ASSET_NAME.fullmatch(file.path)) and own.group(1, 2) == parts), None)


@cache
def style_hash(*sheets: str) -> str:
    """Return the source expression that allows the inline style of a page with these sheets: `sha256-...`."""
    return hash_of(style(*sheets))


def hash_of(text: str) -> str:
    """Return the source expression that allows an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def content_security_policy(*sheets: str, changed: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the policy of a page: our script, its one style, our forms, and nothing else at all.

    `sheets` are those of its style; `changed` is what a page that needs more says instead.
    """
    rules = {
        "default-src": "'none'",
        "style-src": f"'{style_hash(*sheets)}'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "require-trusted-types-for": "'script'",
        "trusted-types": WORKER_POLICY,
    }
    return "; ".join(f"{name} {value}" for name, value in (rules | dict(changed)).items())


def minified_css(text: str) -> str:
    """Return a style sheet without comments, layout, and what no browser needs."""
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    bare = re.sub(r"\s+", " ", bare)
    bare = re.sub(r"\s*([{};,>])\s*", r"\1", bare)
    bare = re.sub(r":\s+", ":", bare)
    return bare.replace(";}", "}").strip()


def minified_js(text: str) -> str:
    """Return a script without comments and indentation. Lines stay: our scripts leave no semicolon out, people may."""
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    lines = (line.strip() for line in bare.splitlines())
    return "\n".join(line for line in lines if line)
