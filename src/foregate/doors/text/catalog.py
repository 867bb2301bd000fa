"""The catalogue: what each stable key says, in each language.

Rules
  1. A language is a file `<code>.toml` in this folder, and one `<code>.<part>.toml` for each part of the house that
     has much to say; another language is more such files. The first of `languages()` is the one spoken when nobody
     asked for another.
  2. A text takes facts as `{name}`. A fact it does not mention is ignored; one it lacks is a fault of the caller.
  3. A key that is not there raises KeyError. A test proves that none is missing, so no visitor ever sees a key.
  4. Where a language has a form for one (`<key>-one`), it is used when the fact `count` is 1.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Final

DEFAULT: Final = "zh"
FOLDER: Final = Path(__file__).parent


@cache
def languages() -> tuple[str, ...]:
    """Return the languages there are, the default first."""
    found = sorted({path.name.partition(".")[0] for path in FOLDER.glob("*.toml")})
    return (DEFAULT, *(language for language in found if language != DEFAULT))


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return every text of a language by its key. Raises KeyError for a language that is not there."""
    if language not in languages():
        raise KeyError(language)
    files = (FOLDER / f"{language}.toml", *sorted(FOLDER.glob(f"{language}.*.toml")))
    return {key: said for file in files for key, said in _flat(tomllib.loads(file.read_text("utf-8")))}


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


def facts_of(said: str) -> frozenset[str]:
    """Return the names of the facts that a text takes."""
    return frozenset(name for _, name, _, _ in Formatter().parse(said) if name)


def choose(accept_language: str | None, cookie: str | None) -> str:
    """Return the language chosen before, else the first that the browser wants and we have, else the default."""
    if cookie in languages():
        return str(cookie)
    for wanted in _wanted(accept_language or ""):
        if (primary := wanted.partition("-")[0]) in languages():
            return primary
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
