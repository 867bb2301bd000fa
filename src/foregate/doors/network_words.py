"""The network check in words: the same for the page, the API, the console and the command line.

The page's script puts the same words together by itself, from texts that the page holds: `template_of` and `variant_of`
say which, and `network.js` does the same. A test holds the two against each other.
"""

from __future__ import annotations

from typing import Final

import msgspec

from foregate.doors.text import catalog
from foregate.rules import diagnosis, network
from foregate.rules.diagnosis import FIELDS, Diagnosis
from foregate.rules.network import ROWS, Figures, Level, Row

SERVICES: Final = frozenset({"sign-in", "sms", "face", "core-bank"})
MINUTES_FROM_MS: Final = 2 * 60_000  # below that people say seconds


class Line(msgspec.Struct, frozen=True):
    """One row in words. `said`: how bad it is, and the value; `advice` is there where something is to be done."""

    name: str
    level: Level
    title: str
    value: str
    said: str
    advice: str


class Sentence(msgspec.Struct, frozen=True):
    """The verdict in words. `href` and `link`: a page of ours that helps with it, where there is one."""

    title: str
    advice: str
    href: str = ""
    link: str = ""


# Where a verdict leads on, and what the link says.
LINKS: Final[dict[str, tuple[str, str]]] = {
    "too-old": ("/help/update", "remedy.update-client"),
    "texts": ("/cannot-get-in", "door.stuck"),
    "partly": ("/cannot-get-in", "door.stuck"),
    "good": ("/cannot-get-in", "door.stuck"),
}


def sentence_of(language: str, verdict: str, figures: Figures) -> Sentence:
    """Return the one sentence and what to do."""
    facts = network.shown(figures)
    key = f"network.verdict.{verdict}"
    href, link = link_of(language, verdict)
    title, advice = (catalog.text(language, f"{key}.{part}", **facts) for part in ("title", "advice"))
    return Sentence(title, advice, href, link)


def link_of(language: str, verdict: str) -> tuple[str, str]:
    """Return where a verdict leads on, and what the link says; both are empty where it leads nowhere."""
    href, key = LINKS.get(verdict, ("", ""))
    return href, catalog.text(language, key) if key else ""


def spoken(language: str, verdict: str) -> Sentence:
    """Return a verdict as it is read off a code, which holds no numbers to mention."""
    key = f"network.verdict.{verdict}"
    short = f"{key}.short" if catalog.has(language, f"{key}.short") else f"{key}.title"
    return Sentence(catalog.text(language, short), catalog.text(language, f"{key}.advice"))


def lines_of(language: str, figures: Figures) -> list[Line]:
    """Return every row."""
    return [_line(language, row, figures) for row in ROWS]


def _line(language: str, row: Row, figures: Figures) -> Line:
    level = network.level_of(row, figures)
    variant = variant_of(row, figures)
    value = catalog.text(language, key_of(row.name, variant), **network.shown(figures))
    # Where nothing was measured, and where a service does well, the value says how bad it is.
    said = value if variant in ("none", "ok") else f"{catalog.text(language, f'network.level.{level}')} · {value}"
    advice = catalog.text(language, f"network.advice.{row.name}") if level in (Level.WARN, Level.BAD) else ""
    return Line(row.name, level, catalog.text(language, f"network.row.{row.name}"), value, said, advice)


def key_of(row: str, variant: str) -> str:
    """Return under which key the value of a row is said."""
    if variant == "none":
        return "network.value.none"
    return f"network.value.{'service' if row in SERVICES else row}-{variant}"


def variants_of(row: str) -> tuple[str, ...]:
    """Return every way in which the value of a row may be said."""
    if row in SERVICES:
        return ("ok", "slow", "down")
    return {
        "keeps": ("nothing", "cookies", "all"),
        "clock": ("right", "ahead-minutes", "ahead-seconds", "behind-minutes", "behind-seconds"),
        "version": ("yes", "no", "free"),
        "tamper": ("yes", "no"),
    }.get(row, ("number",))


def variant_of(row: Row, figures: Figures) -> str:
    """Return in which way a row's value is said."""
    value = getattr(figures, row.figure)
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if row.name == "version" and not value and figures.asks_minimum is False:
        return "free"
    if row.name in ("version", "tamper"):
        return "yes" if value else "no"
    if row.name != "clock":
        return "number"
    if network.level_of(row, figures) is Level.GOOD:
        return "right"
    unit = "minutes" if abs(value) >= MINUTES_FROM_MS else "seconds"
    return f"{'ahead' if value > 0 else 'behind'}-{unit}"


def explained(language: str, read: Diagnosis) -> list[tuple[str, str]]:
    """Return what a code says, one field after the other, each with its title."""
    return [
        (catalog.text(language, f"network.row.{field.name}"), _bucket(language, field, read.buckets[field.name]))
        for field in FIELDS
        if read.buckets[field.name] or not field.is_merged
    ]


def _bucket(language: str, field: diagnosis.Field, bucket: int) -> str:
    return catalog.text(language, bucket_key(field.name, bucket))


def bucket_key(field: str, bucket: int) -> str:
    """Return under which key a bucket is said."""
    return f"network.bucket.{'service' if field in SERVICES else field}-{bucket}"
