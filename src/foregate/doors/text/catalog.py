"""The catalogue: what each stable key says, in each language.

Rules
  1. A language is a file `<code>.toml` in this folder, and one `<code>.<part>.toml` for each part of the house that
     has much to say; another language is more such files. A bank keeps its own in a folder of its own
     (`look_in`): a language more, or single texts in its own words. The first of `languages()` is the one spoken when
     nobody asked for another. What a language has to say about itself stands in its table `[language]`.
  2. A text takes facts as `{name}`. A fact it does not mention is ignored; one it lacks is a fault of the caller.
  3. A key that is not there raises KeyError. A test proves that none is missing, so no visitor ever sees a key.
  4. Where a language has a form for one (`<key>-one`), it is used when the fact `count` is 1.
  5. A folder in which a key is missing is not taken up at all: a page in two languages helps nobody who reads one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Final

DEFAULT: Final = "zh"
FOLDER: Final = Path(__file__).parent


CODE: Final = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
DIRECTIONS: Final = ("ltr", "rtl")
NAMED_MAX: Final = 12  # so many faults are told by name; the rest by their number

_more: list[Path] = []  # folders of the bank's own, read after ours


class BadTexts(Exception):
    """A bank's own texts cannot be used; the text says which keys and why."""


def look_in(*folders: Path) -> None:
    """Read these folders after our own, and no others. Raises BadTexts, and reads none of them, when one is faulty."""
    _read_anew(list(folders))
    try:
        found = [f"{folder} is no folder" for folder in folders if not folder.is_dir()]
        found += [fault for language in languages() for fault in faults(language)] if folders and not found else []
    except (OSError, ValueError) as wrong:  # TOML that cannot be read is a ValueError
        found = [f"cannot be read: {wrong}"]
    if found:
        _read_anew([])
        more = len(found) - NAMED_MAX
        raise BadTexts("; ".join(found[:NAMED_MAX]) + (f"; and {more} more" if more > 0 else ""))


def _read_anew(folders: list[Path]) -> None:
    _more[:] = folders
    languages.cache_clear()
    texts.cache_clear()


def faults(language: str) -> list[str]:
    """Return what keeps a language from being spoken: keys missing, unknown, or asking for facts nobody brings."""
    if not CODE.fullmatch(language):
        return [f"{language}.toml: call the file by the language's code in small letters, e.g. fr.toml"]
    known, asked = texts(language), _read(DEFAULT, FOLDER)
    found = [f"{language}: {key} is missing" for key in asked if key not in known and not key.endswith("-one")]
    for key, said in known.items():
        base = key.removesuffix("-one") if key not in asked else key
        if base not in asked:
            found.append(f"{language}: {key} is asked for nowhere")
        elif why := _bad_facts(said, asked[base], is_one=base != key):
            found.append(f"{language}: {key} {why}")
    if known.get("language.dir", DIRECTIONS[0]) not in DIRECTIONS:
        found.append(f"{language}: language.dir must be ltr or rtl")
    return found


def _bad_facts(said: str, asked: str, *, is_one: bool) -> str | None:
    try:
        differ = facts_of(said) ^ facts_of(asked)
    except ValueError as wrong:
        return f"has a brace too many or too few ({wrong})"
    differ -= {"count"} if is_one else set()
    return f"must mention the same facts: {', '.join(sorted(differ))}" if differ else None


@cache
def languages() -> tuple[str, ...]:
    """Return the languages there are, the default first."""
    found = sorted({path.name.partition(".")[0] for folder in (FOLDER, *_more) for path in folder.glob("*.toml")})
    return (DEFAULT, *(language for language in found if language != DEFAULT))


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return every text of a language by its key. Raises KeyError for a language that is not there."""
    if language not in languages():
        raise KeyError(language)
    return _read(language, FOLDER, *_more)


def _read(language: str, *folders: Path) -> dict[str, str]:
    files = [path for folder in folders for path in _files(folder, language)]
    return {key: said for path in files for key, said in _flat(tomllib.loads(path.read_text("utf-8")))}


def _files(folder: Path, language: str) -> list[Path]:
    parts = sorted(folder.glob(f"{language}.*.toml"))
    return [path for path in (folder / f"{language}.toml", *parts) if path.exists()]


def text(language: str, key: str, /, **facts: object) -> str:
    """Return what `key` says. Raises KeyError for an unknown key, or a fact that is missing."""
    known = texts(language)
    if facts.get("count") == 1:
        key = f"{key}-one" if f"{key}-one" in known else key
    said = known[key]
    return said.format(**facts) if "{" in said else said


def has(language: str, key: str) -> bool:
    """Say whether a language has this key."""
    return key in texts(language)


def tag(language: str) -> str:
    """Return the language's BCP 47 tag, as HTML wants it: `zh-CN`."""
    return text(language, "language.tag")


def direction(language: str) -> str:
    """Return which way it is written: `ltr` or `rtl`."""
    return text(language, "language.dir")


def facts_of(said: str) -> frozenset[str]:
    """Return the names of the facts that a text takes."""
    return frozenset(name for _, name, _, _ in Formatter().parse(said) if name)


def choose(accept_language: str | None, cookie: str | None) -> str:
    """Return the language chosen before, else the first that the browser wants and we have, else the default."""
    if cookie in languages():
        return str(cookie)
    for wanted in _wanted(accept_language or ""):
        while wanted:  # zh-hant-hk, zh-hant, zh: the nearest that we have
            if wanted in languages():
                return wanted
            wanted = wanted.rpartition("-")[0]
    return DEFAULT


def _wanted(header: str) -> list[str]:
    """Return the language tags of an Accept-Language header, the most wanted first."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        tag, _, weight = part.strip().lower().partition(";")
        try:
            weighed.append((float(weight.strip().removeprefix("q=") or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield prefix + name, value
        else:
            yield from _flat(value, f"{prefix}{name}.")
