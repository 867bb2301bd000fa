"""The lock of the models, and what is made of them byte by byte."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec
import pytest

from foregate.gateways.face import lock, minifasnet
from foregate.gateways.face import onnx_wire as wire
from tests.faces import WEIGHTS

MODELS = {model.name: model for model in lock.read_lock()}
ROOT = Path(__file__).parents[2]

each_model = pytest.mark.parametrize("name", MODELS)


@each_model
def test_a_model_is_named_to_the_byte(name: str) -> None:
    """Two hashes, two sizes, a licence, and at least one source that is pinned."""
    model = MODELS[name]

    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in (model.sha256, model.kept_sha256))
    assert 0 < model.kept_size <= model.size
    assert model.licence in ("MIT", "Apache-2.0")
    assert model.made in lock.MAKERS
    for source in model.source:
        assert bool(source.url) != bool(source.wheel)
        assert source.url.startswith("https://") or re.fullmatch("[0-9a-f]{64}", source.wheel_sha256)
    assert model.source


def test_all_five_are_there() -> None:
    """Each under a name of its own, kept in a file of its own."""
    assert ["detector", "recogniser", "liveness-close", "liveness-wide", "mesh"] == list(MODELS)
    assert 5 == len({model.kept for model in MODELS.values()})


@each_model
def test_the_reference_page_tells_the_same(name: str) -> None:
    """Model, licence, size and hash stand in docs/reference/models.md."""
    page = (ROOT / "docs" / "reference" / "models.md").read_text("utf-8")
    model = MODELS[name]
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))

    for wanted in (model.title, model.licence, f"{model.kept_size:,}", model.sha256, model.kept_sha256):
        assert wanted in row
    for source in model.source:
        assert (source.wheel or source.url) in page


def test_the_cache_outlives_a_checkout() -> None:
    """`XDG_CACHE_HOME` is followed if it is a path from the root, as its specification says."""
    assert Path("/var/cache/me/foregate/models") == lock.default_folder({"XDG_CACHE_HOME": "/var/cache/me"})
    for environ in ({}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "relative"}):
        assert Path.home() / ".cache" / "foregate" / "models" == lock.default_folder(environ)


def test_a_folder_without_models_opens_no_engine(tmp_path: Path) -> None:
    """Each fault is told, and what to run."""
    (tmp_path / "mesh.tflite").write_bytes(b"something else")

    faults = lock.faults(tmp_path)
    assert set(MODELS) == set(faults)
    assert "is not what the lock says" in faults["mesh"]
    assert "is not there" in faults["detector"]
    with pytest.raises(lock.ModelsMissing, match="foregate models fetch"):
        lock.checked_paths(tmp_path)


def test_one_changed_byte_is_seen(tmp_path: Path) -> None:
    """The size alone proves nothing."""
    good = b"model" * 100
    model = msgspec.structs.replace(MODELS["mesh"], kept_size=len(good), kept_sha256=hashlib.sha256(good).hexdigest())
    (tmp_path / model.kept).write_bytes(good)
    assert lock.is_kept(model, tmp_path)
    (tmp_path / model.kept).write_bytes(good[:-1] + b"L")
    assert not lock.is_kept(model, tmp_path)


def test_an_engine_is_known_by_what_makes_its_numbers() -> None:
    """Cutting faces out in another way makes another engine."""
    assert re.fullmatch("[0-9a-f]{16}", lock.engine_id("a"))
    assert lock.engine_id("a") == lock.engine_id("a") != lock.engine_id("b")


# ---------------------------------------------------------------- bytes of ONNX


def small_model() -> bytes:
    """A graph of one node, whose weights are listed among its inputs."""
    graph = wire.field(wire.GRAPH_NODE, wire.node("Mul", ["picture", "w"], "out"))
    graph += wire.field(wire.GRAPH_INITIALIZER, wire.tensor("w", [2], b"\0" * 8))
    for name in ("picture", "w"):
        graph += wire.field(wire.GRAPH_INPUT, wire.value_info(name, [1, 3, 640, 640]))
    graph += wire.field(wire.GRAPH_OUTPUT, wire.value_info("out", [1, 6400, 1]))
    graph += wire.field(wire.GRAPH_SHAPES, wire.value_info("between", [1, 6400]))
    return wire.model(graph, opset=13, ir_version=7)


def names(model: bytes, kind: int) -> list[bytes]:
    (graph,) = (value for number, value, _ in wire.fields(model) if number == wire.MODEL_GRAPH)
    assert isinstance(graph, bytes)
    found = [value for number, value, _ in wire.fields(graph) if number == kind]
    fields = [each for value in found if isinstance(value, bytes) for each in wire.fields(value)]
    return [value for number, value, _ in fields if number == 1 and isinstance(value, bytes)]


def test_stale_inputs_are_dropped_and_nothing_else() -> None:
    """Weights stay, and stop being inputs; doing it twice changes nothing more."""
    cleaned = wire.without_stale_inputs(small_model())

    assert [b"picture"] == names(cleaned, wire.GRAPH_INPUT)
    assert cleaned == wire.without_stale_inputs(cleaned)
    assert len(cleaned) < len(small_model())
    assert b"w" in cleaned


def test_sizes_are_freed() -> None:
    """Height and width get names, and sizes in between, no longer true, are gone."""
    freed = wire.with_free_sizes(small_model())

    assert b"height" in freed
    assert b"width" in freed
    assert b"between" not in freed
    assert [b"picture", b"w"] == names(freed, wire.GRAPH_INPUT)


@pytest.mark.parametrize(
    "spoiled", [b"", b"\x0a", b"\x0a\xff", b"\xff" * 12, b"\x0a\x05abc", b"<html>", b"\x3a\x00\x3a\x00"]
)
def test_what_is_no_model_is_refused(spoiled: bytes) -> None:
    """With a word, and not with whatever breaks first."""
    with pytest.raises(wire.Malformed):
        wire.without_stale_inputs(spoiled)


def test_numbers_of_any_length_come_back() -> None:
    """One byte or ten."""
    for value in (0, 1, 127, 128, 300, 2**31, 2**63):
        assert [(7, value)] == [(number, found) for number, found, _ in wire.fields(wire.field(7, value))]


# ---------------------------------------------------------------- weights of PyTorch


@pytest.mark.parametrize("name", ["liveness-close", "liveness-wide"])
def test_the_weights_become_the_models_of_the_lock(name: str) -> None:
    """Byte for byte: nothing is computed on the way."""
    path = WEIGHTS / MODELS[name].file
    if not path.exists():
        pytest.skip(f"{path} is not there")
    weights = path.read_bytes()

    assert MODELS[name].sha256 == hashlib.sha256(weights).hexdigest()
    assert MODELS[name].kept_sha256 == hashlib.sha256(minifasnet.as_onnx(weights)).hexdigest()


def test_a_pickle_that_runs_something_is_refused() -> None:
    """The reader knows four names; the one that opens a shell is not among them."""
    evil = b"cos\nsystem\n(S'exit 3'\ntR."
    for place in range(4):
        with pytest.raises(wire.Malformed, match="no place among weights"):
            minifasnet.as_onnx(b"N." * place + evil)


@pytest.mark.parametrize("spoiled", [b"", b"N.", b"N.N.N.N.N.", b"\x80\x02}q\x00." * 5, b"no pickle at all"])
def test_what_holds_no_weights_is_refused(spoiled: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(wire.Malformed):
        minifasnet.as_onnx(spoiled)
