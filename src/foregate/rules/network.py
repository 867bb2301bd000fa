"""The network check: what was measured, and the one sentence that follows from it.

Rules
  1. VERDICTS is read from above; the first that holds is the one that is told. What keeps somebody out altogether
     stands before what makes it slow, and that before what may wait.
  2. A figure that was not measured is None and makes nothing hold: nobody is told of what was not looked at.
  3. The page's script is given this very table (`for_script`) and decides by it, so that it can without us. So a
     condition is three words that every language compares: a figure, `<` or `>=`, a number.
  4. Names never change their meaning, and numbers never their name: codes are read out from pages kept long ago.

Nothing here is about a person. The figures are of a link, a browser and a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec

from foregate.rules import limits

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=600_000)]
Probes = Annotated[int, msgspec.Meta(ge=0, le=int(limits.NETWORK_PROBES))]
State = Literal["ok", "slow", "down"]
Keeps = Literal["nothing", "cookies", "all"]

# What words among the figures count as.
COUNTS_AS: Final[Mapping[str, int]] = {"ok": 0, "slow": 1, "down": 2, "nothing": 0, "cookies": 1, "all": 2}


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was measured. None: it was not.

    A probe is answered by us, lost (no answer in time), altered (somebody else answered) or refused (we are busy).
    `keeps` is what the browser brings back: nothing, cookies alone, or cookies and what pages store. `asks_minimum`
    is of the bank: where it sets no minimum versions, no program is too old, whatever it is.
    """

    is_online: bool | None = None  # as the browser says, which does not know
    answered: Probes | None = None
    lost: Probes | None = None
    altered: Probes | None = None
    refused: Probes | None = None
    min_ms: Milliseconds | None = None
    median_ms: Milliseconds | None = None
    p95_ms: Milliseconds | None = None
    jitter_ms: Milliseconds | None = None
    bits_per_second: Annotated[int, msgspec.Meta(ge=0, le=10**11)] | None = None
    clock_ahead_ms: Annotated[int, msgspec.Meta(ge=-(10**13), le=10**13)] | None = None  # negative: it is behind
    keeps: Keeps | None = None
    cache_bytes: Annotated[int, msgspec.Meta(ge=0, le=10**12)] | None = None
    asks_minimum: bool | None = None
    is_too_old: bool | None = None
    sign_in: State | None = None
    sms: State | None = None
    face: State | None = None
    core_bank: State | None = None


class Level(StrEnum):
    """How bad it is."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


Condition = tuple[str, Literal["<", ">="], int]
When = tuple[tuple[Condition, ...], ...]  # any of these, each of them whole


class Verdict(msgspec.Struct, frozen=True):
    """One sentence. `number` is what it is called in a diagnosis code."""

    name: str
    number: int
    level: Level
    when: When


class Row(msgspec.Struct, frozen=True):
    """One line below the sentence: about which figure, and when it is bad or worth a look."""

    name: str
    figure: str
    bad: When
    warn: When = ()


ALWAYS: Final[When] = ((),)
NOBODY_ANSWERED: Final[tuple[Condition, ...]] = (("answered", "<", 1), ("altered", "<", 1), ("refused", "<", 1))

SLOW_MS, WARM_MS = 1000, 300
SLOW_BITS, WARM_BITS = 40_000, 200_000
CLOCK_BAD_MS, CLOCK_WARN_MS = 300_000, 30_000
LOST_BAD, LOST_WARN = 2, 1
CACHE_OVER = int(limits.CACHE_BUDGET_BYTES) + 1


def _is(figure: str, least: int) -> When:
    return (((figure, ">=", least),),)


def _beyond(figure: str, either_way: int) -> When:
    return (((figure, ">=", either_way),), ((figure, "<", 1 - either_way),))


# fmt: off
VERDICTS: Final = (
    Verdict("offline",     1, Level.BAD,  ((*NOBODY_ANSWERED, ("is_online", "<", 1)),)),
    Verdict("portal",      2, Level.BAD,  _is("altered", 1)),
    Verdict("unreachable", 3, Level.BAD,  ((*NOBODY_ANSWERED, ("lost", ">=", 1)),)),
    Verdict("busy",        4, Level.BAD,  (*_is("refused", 1), *_is("sign_in", 2))),
    Verdict("too-old",     5, Level.BAD,  _is("is_too_old", 1)),
    Verdict("cookies",     6, Level.BAD,  ((("keeps", "<", 1),),)),
    Verdict("texts",       7, Level.BAD,  _is("sms", 2)),
    Verdict("lossy",       8, Level.BAD,  _is("lost", LOST_BAD)),
    Verdict("slow",        9, Level.BAD,  (*_is("median_ms", SLOW_MS), (("bits_per_second", "<", SLOW_BITS),))),
    Verdict("partly",     10, Level.WARN, (*_is("sign_in", 1), *_is("sms", 1), *_is("core_bank", 1), *_is("face", 1))),
    Verdict("cache",      11, Level.WARN, _is("cache_bytes", CACHE_OVER)),
    Verdict("clock",      12, Level.WARN, _beyond("clock_ahead_ms", CLOCK_BAD_MS)),
    Verdict("good",       13, Level.GOOD, _is("answered", 1)),
    Verdict("unknown",     0, Level.UNKNOWN, ALWAYS),
)
ROWS: Final = (
    Row("online",    "answered",        ((("answered", "<", 1),),),                      _is("lost", LOST_WARN)),
    Row("latency",   "median_ms",       _is("median_ms", SLOW_MS),                       _is("median_ms", WARM_MS)),
    Row("loss",      "lost",            _is("lost", LOST_BAD),                           _is("lost", LOST_WARN)),
    Row("speed",     "bits_per_second", ((("bits_per_second", "<", SLOW_BITS),),),       ((("bits_per_second", "<", WARM_BITS),),)),
    Row("clock",     "clock_ahead_ms",  _beyond("clock_ahead_ms", CLOCK_BAD_MS),         _beyond("clock_ahead_ms", CLOCK_WARN_MS)),
    Row("keeps",     "keeps",           ((("keeps", "<", 1),),),                         ((("keeps", "<", 2),),)),
    Row("tamper",    "altered",         _is("altered", 1)),
    Row("sign-in",   "sign_in",         _is("sign_in", 2),                               _is("sign_in", 1)),
    Row("sms",       "sms",             _is("sms", 2),                                   _is("sms", 1)),
    Row("face",      "face",            _is("face", 2),                                  _is("face", 1)),
    Row("core-bank", "core_bank",       _is("core_bank", 2),                             _is("core_bank", 1)),
    Row("cache",     "cache_bytes",     (),                                              _is("cache_bytes", CACHE_OVER)),
    Row("version",   "is_too_old",      _is("is_too_old", 1)),
)
# fmt: on


def number_of(figures: Figures, name: str) -> int | None:
    """Return a figure as what it counts as; None when it was not measured."""
    value = getattr(figures, name)
    if value is None:
        return None
    return COUNTS_AS[value] if isinstance(value, str) else int(value)


def holds(when: When, figures: Figures) -> bool:
    """Say whether any of these holds whole."""
    return any(all(_is_so(each, figures) for each in together) for together in when)


def _is_so(condition: Condition, figures: Figures) -> bool:
    name, comparison, bound = condition
    number = number_of(figures, name)
    if number is None:
        return False
    return number < bound if comparison == "<" else number >= bound


def verdict_of(figures: Figures) -> Verdict:
    """Return the one sentence that follows from what was measured."""
    return next(verdict for verdict in VERDICTS if holds(verdict.when, figures))


def level_of(row: Row, figures: Figures) -> Level:
    """Return how bad a row is."""
    if number_of(figures, row.figure) is None:
        return Level.UNKNOWN
    if holds(row.bad, figures):
        return Level.BAD
    return Level.WARN if holds(row.warn, figures) else Level.GOOD


def shown(figures: Figures) -> dict[str, int | float]:
    """Return the numbers that the words mention, in the units that people read. The script reckons alike."""
    ms, clock = figures.median_ms or 0, abs(figures.clock_ahead_ms or 0)
    return {
        "seconds": (ms + 50) // 100 / 10,
        "min": figures.min_ms or 0,
        "median": ms,
        "p95": figures.p95_ms or 0,
        "jitter": figures.jitter_ms or 0,
        "answered": figures.answered or 0,
        "lost": figures.lost or 0,
        "sent": sum(getattr(figures, name) or 0 for name in ("answered", "lost", "altered", "refused")),
        "kilobits": (figures.bits_per_second or 0) // 1000,
        "clock": clock // 60_000 if clock >= 2 * 60_000 else clock // 1000,
        "kilobytes": (figures.cache_bytes or 0) // 1000,
    }


def for_script() -> dict[str, Any]:
    """Return the tables as the page's script reads them."""
    return {
        "verdicts": [[each.name, each.level.value, each.when] for each in VERDICTS],
        "rows": [[each.name, each.figure, each.bad, each.warn] for each in ROWS],
        "words": COUNTS_AS,
        "probes": int(limits.NETWORK_PROBES),
        "probe_ms": limits.NETWORK_PROBE_SECONDS * 1000,
        "fillers": FILLERS,
        "filler_ms": limits.NETWORK_FILLER_SECONDS * 1000,
    }


# Two answers, the small one first: together NETWORK_FILLER_BYTES. The large one is left out where it would take too long.
FILLERS: Final = (limits.NETWORK_FILLER_BYTES // 5, limits.NETWORK_FILLER_BYTES * 4 // 5)
