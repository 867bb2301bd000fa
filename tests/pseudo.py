"""A language that nobody speaks: English, accented, longer, and in brackets, so that whatever was left out shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from foregate.doors.text import catalog

OPENS, CLOSES = "⟦", "⟧"
ACCENTS: Final = str.maketrans("aceinosuyACEINOSUY", "áçéíñôšüýÁÇÉÍÑÔŠÜÝ")
LONGER: Final = 0.4  # as much as German is longer than English
ITSELF: Final = {
    "language.name": "Pseudo", "language.tag": "qps", "language.locale": "de_DE", "language.group": ".",
    "language.point": ",", "language.money": "{number} {sign}", "language.ofx": "ENG",
}  # fmt: skip


def said(text: str) -> str:
    """Return an English text as the pseudo-language has it. Facts, and the line that browsers read, stay."""
    line, end, last = text.partition("\n@")
    if not line.strip():
        return text
    parts = re.split(r"(\{[^}]*\})", line)
    accented = "".join(part if part.startswith("{") else part.translate(ACCENTS) for part in parts)
    return f"{OPENS}{accented}{'~' * int(len(line) * LONGER)}{CLOSES}{end}{last}"


def texts(direction: str = "ltr", **changes: str | None) -> dict[str, str]:
    """Return every text of the pseudo-language; `changes` by key, with None for one that is left out."""
    english = catalog.texts("en")
    made = {key: said(text) for key, text in english.items()} | ITSELF | {"language.dir": direction}
    return {key: text for key, text in (made | changes).items() if text is not None}


def write(folder: Path, found: dict[str, str], name: str = "qps") -> Path:
    """Write a language's file. A text in quotes is the same in TOML and in JSON."""
    lines = [f"{json.dumps(key)} = {json.dumps(text, ensure_ascii=False)}" for key, text in found.items()]
    (folder / f"{name}.toml").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@contextmanager
def spoken(folder: Path) -> Iterator[None]:
    """Whatever is read from `folder` meanwhile, afterwards there are our own languages again."""
    try:
        yield
    finally:
        catalog.look_in()
