"""One spelling for all spellings: what every normal form of `inputs.py` begins with."""

from __future__ import annotations

import re
import unicodedata
from typing import Final


class BadInput(ValueError):
    """What was typed cannot be right. `code` names the sentence that says what to do."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# Control, format, surrogate, unassigned. Private-use characters stay: older systems keep rare names there.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Cn"})


def plain(text: str) -> str:
    """Return `text` in NFKC (full-width forms become plain) without blanks at its ends or control characters."""
    # Dropped first, folded after: an invisible character between a letter and its accent would keep them apart.
    seen = "".join(c for c in text if unicodedata.category(c) not in _UNSEEN)
    return unicodedata.normalize("NFKC", seen).strip()


_SEPARATORS: Final = re.compile(r"[\s\-‐-―.()·]+")


def without_separators(text: str) -> str:
    """Return `text` without what people put between digits."""
    return _SEPARATORS.sub("", plain(text))


def normal_name(text: str) -> str:
    """Return a person's name for comparison: one dot for all dots, single blanks, Latin letters in capitals."""
    name = re.sub(r"[·•‧・･∙⋅.]", "·", plain(text))
    name = re.sub(r"[’‘`´]", "'", name)  # phones type curly ones by themselves
    name = unicodedata.normalize("NFKC", re.sub(r"\s+", " ", name).upper())
    name = re.sub(r"\s*·\s*", "·", name)
    if not name:
        raise BadInput("empty")
    if len(name) > 60:
        raise BadInput("name-too-long")
    if not all(unicodedata.category(c)[0] in "LM" or unicodedata.category(c) == "Co" or c in " ·'-" for c in name):
        raise BadInput("name-characters")
    # Blanks between Han characters are layout, in Latin names they part the words.
    return re.sub(r"(?<=[⺀-鿿\U00020000-\U0003ffff]) (?=[⺀-鿿\U00020000-\U0003ffff])", "", name)
