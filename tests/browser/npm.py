"""What the tests take from npm, by a lock with hashes: `npm ci` into a cache, once for each lock.

Nothing of it is part of Foregate. Where node, npm or the registry are not there, the tests skip and say so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests import services

FOLDER = Path(__file__).parent / "other"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "foregate" / "npm"
INSTALL_SECONDS = 300


def node() -> Path:
    """Return node. Raises Missing."""
    return services.find_program(["node", "nodejs"], "Node")


def installed() -> Path:
    """Return the folder with `node_modules` as the lock says, installing it where it is not yet. Raises Missing."""
    npm = services.find_program(["npm"], "npm")
    node()
    files = [FOLDER / "package.json", FOLDER / "package-lock.json"]
    place = CACHE / hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as made:
            folder = Path(made) / "there"
            folder.mkdir()
            for file in files:
                shutil.copy(file, folder)
            words: services.Command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            try:
                subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                raise services.Missing("what tests/browser/other/package-lock.json names") from None
            if not place.exists():  # another process may have been quicker
                folder.rename(place)
    return place
