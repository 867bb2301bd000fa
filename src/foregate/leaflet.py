"""Leaflet, the map library: files of the extra `map`, read where they are installed.

Nothing of it is imported, and nothing of it is copied into this tree: a new version comes with the lock file.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

PACKAGE: Final = "django-js-lib-leaflet"  # Leaflet as it is released, in a package that needs no other
FOLDER: Final = "js_lib_leaflet/static/js_lib_leaflet"
SCRIPT: Final = "leaflet.js"
STYLE: Final = "leaflet.css"


def is_there() -> bool:
    """Return whether the extra is installed, whole."""
    try:
        return all(_file(name).is_file() for name in (SCRIPT, STYLE))
    except PackageNotFoundError:
        return False


def text(name: str) -> str:
    """Return a file of Leaflet's, as it was released. Raises PackageNotFoundError without the extra."""
    return _file(name).read_text("utf-8")


def _file(name: str) -> Path:
    return Path(str(distribution(PACKAGE).locate_file(f"{FOLDER}/{name}")))
