"""The words an outlet is found by: its name, how that sounds, and where it is, written the way people type.

Rules
  1. What is stored and what is typed pass the same `plain`: width, case, blanks and punctuation make no difference,
     nor do the two ways of writing Taiwan.
  2. A word is found anywhere within a part, so a piece of a Chinese name is enough. It never reaches across parts.
  3. A Chinese name is also found by its pinyin, in full or by initials: an old phone types letters faster.
  4. So is a Chinese city or district, also without 市, and by the name that the world knows where that is another.
     Who is new in town reads Hangzhou on the ticket, not 杭州.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Final

from foregate.rules import limits

SEPARATOR: Final = "|"
VERSION: Final = 2  # goes into an outlet's digest: a higher one has every outlet written anew at the next import

# ü is typed as v where a keyboard has none, and pinyin is stored so.
_ALIKE: Final = str.maketrans({"臺": "台", "ü": "v"})
_HAN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]")
_RUNS: Final = re.compile(f"{_HAN.pattern}+|{_HAN.pattern.replace('[', '[^')}+")
_BETWEEN: Final = re.compile(r"[\s,;，；、。|]+")
# 市 falls away at the end of a city: people type 杭州 and 杭州市.
_CITY_END: Final = re.compile(r"(?<=..)市$")
# What a place is in English, for who types Xihu District.
_ENGLISH: Final = {"市": "city", "区": "district", "區": "district", "县": "county", "縣": "county"}
# Names that the dictionary reads as other words.
_PLACES: Final = {
    "长治": "cháng zhì", "朝阳": "cháo yáng", "漯河": "luò hé", "昌都": "chāng dū", "长宁": "cháng níng", "闵行": "mǐn háng",
    "单县": "shàn xiàn", "洪洞": "hóng tóng", "长葛": "cháng gě", "曾都": "zēng dū", "長沙": "cháng shā", "長治": "cháng zhì",
    "長寧": "cháng níng", "重慶": "chóng qìng", "閔行": "mǐn háng", "朝陽": "cháo yáng",
}  # fmt: skip
# Names in Latin letters that are no pinyin, by the beginning of the Chinese one.
_KNOWN_AS: Final = {
    "台北": "taipei", "新北": "newtaipei", "台中": "taichung", "高雄": "kaohsiung", "基隆": "keelung", "新竹": "hsinchu",
    "嘉義": "chiayi", "嘉义": "chiayi", "香港": "hongkong", "澳门": "macao", "澳門": "macao", "呼和浩特": "hohhot",
    "乌鲁木齐": "urumqi", "拉萨": "lhasa", "日喀则": "shigatse", "喀什": "kashgar", "吐鲁番": "turpan", "哈尔滨": "harbin",
    "齐齐哈尔": "qiqihar", "鄂尔多斯": "ordos",
}  # fmt: skip


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


def is_spelled(place: str) -> bool:
    """Return whether a place, as `plain_city` has it, is written in letters and not in Chinese."""
    return bool(place) and not _HAN.search(place)


def sound_of_city(spelled: str) -> str:
    """Return the word that fits a city's sound alone, and no bank that has the city in its name."""
    return f"{SEPARATOR}{spelled.removesuffix('city') or spelled}{SEPARATOR}"


def words_of(outlet_id: str, name: str, name_latin: str, towns: Iterable[str], places: Iterable[str]) -> str:
    """Return everything that an outlet is found by, the name first. `towns` are found by their sound as well."""
    towns = tuple(towns)
    written = (plain(place) for place in (*towns, *places))
    spelled = (sound for town in towns for sound in _sounds_of_town(town))
    parts = (plain(name), *_sounds(name), plain(name_latin), *written, *spelled, plain(outlet_id))
    return SEPARATOR.join(dict.fromkeys(part for part in parts if part))


@cache
def _speller() -> Callable[[str], list[str]]:
    """Return what spells a run of Chinese. Its dictionary takes 50 MB, and only an import needs it."""
    from pypinyin import lazy_pinyin, load_phrases_dict

    # The dictionary reads the most frequent word of all here as a verb.
    load_phrases_dict({"支行": [["zhī"], ["háng"]]})
    load_phrases_dict({place: [[syllable] for syllable in sound.split()] for place, sound in _PLACES.items()})
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


@lru_cache(maxsize=4096)
def _sounds_of_town(town: str) -> tuple[str, ...]:
    """Return how a Chinese city or district is written in letters: by sound, by initials, and as it is known."""
    short = plain_city(town)
    if not _HAN.search(short):
        return ()
    known = next((latin for begins, latin in _KNOWN_AS.items() if short.startswith(begins)), "")
    return (*_sounds(short), *_sounds(plain(town))[1:], known, _ENGLISH.get(town[-1:], ""))
