"""How an entry is found by its text without keeping the text: single characters and pairs, each as a keyed sign.

Rules
  1. What is stored and what is typed pass the same `plain`: width, case and punctuation make no difference.
  2. A typed word is found anywhere within a run of letters; it never reaches across a blank.
  3. Signs only narrow down: what they find is opened and compared (`fits`) before anybody sees it.

Theory of operation
  Names and remittance are sealed, so the database cannot look into them. Beside them it keeps a set of signs: for
  every character and every pair of neighbours one of SIGNS characters, chosen by a key that belongs to this account
  alone. The set is in code order, so it says neither how the text ran nor how often a character came.
  A word of one character asks for one sign, a longer one for its pairs. Two different pairs have the same sign once
  in SIGNS times, so few entries are opened in vain.
  Who has the database and no key learns which entries of one account have characters in common. Nothing compares
  between two accounts.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from foregate.rules import limits

# Letters of one block, all of three bytes in UTF-8, none with a meaning in LIKE. A block that no collation folds.
FIRST: Final = 0x4E00
SIGNS: Final = 20_000
_ALIKE: Final = str.maketrans({"臺": "台"})


class Signs:
    """The signs of one account."""

    __slots__ = ("_key", "_known")

    def __init__(self, key: bytes) -> None:
        self._key, self._known = key, dict[str, str]()

    def of(self, runs: Iterable[str]) -> str:
        """Return the signs of everything in `runs`, each once, in code order; at most ENTRY_SIGNS."""
        pieces = {piece for run in runs for piece in _pieces(run)}
        return "".join(sorted({self._sign(piece) for piece in pieces})[: limits.ENTRY_SIGNS])

    def to_find(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return the signs that an entry with all of `words` has, at most ENTRY_SIGNS_ASKED."""
        pieces = [word if len(word) == 1 else word[n : n + 2] for word in words for n in range(max(1, len(word) - 1))]
        signs = dict.fromkeys(self._sign(piece) for piece in pieces)
        return tuple(signs)[: limits.ENTRY_SIGNS_ASKED]

    def _sign(self, piece: str) -> str:
        found = self._known.get(piece)
        if found is None:
            digest = hmac.digest(self._key, piece.encode(), "sha256")
            found = self._known[piece] = chr(FIRST + int.from_bytes(digest[:8]) % SIGNS)
        return found


def _pieces(run: str) -> set[str]:
    return {*run, *(run[n : n + 2] for n in range(len(run) - 1))}


def plain(text: str) -> str:
    """Return `text` as runs of letters and digits with single blanks between."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)
    return re.sub(r"[\W_]+", " ", folded).strip()


def runs_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return every run of letters in `texts`, each once."""
    return tuple(dict.fromkeys(run for text in texts for run in plain(text).split()))


def typed_words(text: str) -> tuple[str, ...]:
    """Return what somebody typed as words to find, ENTRY_WORDS of them at most."""
    return tuple(dict.fromkeys(plain(text[: limits.ENTRY_QUERY_CHARS]).split()))[: limits.ENTRY_WORDS]


def fits(words: Iterable[str], texts: Iterable[str]) -> bool:
    """Say whether every word is somewhere within one of the runs of `texts`."""
    runs = runs_of(texts)
    return all(any(word in run for run in runs) for word in words)
