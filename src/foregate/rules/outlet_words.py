"""The words an outlet is found by: its name, how that sounds, and where it is, written the way people type.

Rules
  1. What is stored and what is typed pass the same `plain`: width, case, blanks and punctuation make no difference,
     nor do the two ways of writing Taiwan.
  2. A word is found anywhere within a part, so a piece of a Chinese name is enough. It never reaches across parts.
  3. A Chinese name is also found by its pinyin, in full or by initials: an old phone types letters faster.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Final

from foregate.rules import limits

SEPARATOR: Final = "|"
VERSION: Final = 1  # goes into an outlet's digest: a higher one has every outlet written anew at the next import

_ALIKE: Final = str.maketrans({"臺": "台"})
_HAN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]")
_RUNS: Final = re.compile(f"{_HAN.pattern}+|{_HAN.pattern.replace('[', '[^')}+")
_BETWEEN: Final = re.compile(r"[\s,;，；、。|]+")
# 市 falls away at the end of a city: people type 杭州 and 杭州市.
_CITY_END: Final = re.compile(r"(?<=..)市$")


def plain(text: str) -> str:
    """Return `text` without what makes no difference."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)
    return "".join(c for c in folded if c.isalnum())


def plain_city(text: str) -> str:
    """Return a city as it is compared."""
    return _CITY_END.sub("", plain(text))


def typed_words(text: str) -> tuple[str, ...]:
    """Return what somebody typed as words to find, OUTLET_WORDS of them at most."""
    words = (plain(word) for word in _BETWEEN.split(text[: limits.OUTLET_QUERY_CHARS]))
    return tuple(word for word in words if word)[: limits.OUTLET_WORDS]


def words_of(outlet_id: str, name: str, name_latin: str, places: Iterable[str]) -> str:
    """Return everything that an outlet is found by, the name first."""
    parts = (plain(name), *_sounds(name), plain(name_latin), *(plain(place) for place in places), plain(outlet_id))
    return SEPARATOR.join(dict.fromkeys(part for part in parts if part))


@cache
def _speller() -> Callable[[str], list[str]]:
    """Return what spells a run of Chinese. Its dictionary takes 50 MB, and only an import needs it."""
    from pypinyin import lazy_pinyin, load_phrases_dict

    # The dictionary reads the most frequent word of all here as a verb.
    load_phrases_dict({"支行": [["zhī"], ["háng"]]})
    return lazy_pinyin


@lru_cache(maxsize=4096)
def _sounds(name: str) -> tuple[str, ...]:
    """Return a Chinese name's initials and its full pinyin."""
    if not _HAN.search(name):
        return ()
    initials, whole = "", ""
    for run in _RUNS.findall(name):
        if _HAN.match(run):
            syllables = _speller()(run)
            initials += "".join(syllable[:1] for syllable in syllables)
            whole += "".join(syllables)
        else:
            initials, whole = initials + plain(run), whole + plain(run)
    return initials, whole
