"""The network check's one table: each verdict at its limits, their order, and what is never said."""

from __future__ import annotations

import inspect

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.doors import network_words
from foregate.doors.pages import network_script
from foregate.doors.text import catalog
from foregate.rules import diagnosis, limits, network
from foregate.rules.diagnosis import FIELDS
from foregate.rules.network import ROWS, VERDICTS, Figures, Level, level_of, shown, verdict_of

WELL = Figures(
    is_online=True, answered=8, lost=0, altered=0, refused=0, min_ms=40, median_ms=60, p95_ms=90, jitter_ms=9,
    bits_per_second=2_000_000, clock_ahead_ms=1200, keeps="all", cache_bytes=90_000, is_too_old=False, sign_in="ok",
    sms="ok", face="ok", core_bank="ok",
)  # fmt: skip
SILENT: dict[str, object] = {"answered": 0, "lost": 3, "altered": 0, "refused": 0}


def but(**changes: object) -> Figures:
    return msgspec.structs.replace(WELL, **changes)


each_language = pytest.mark.parametrize("language", catalog.languages())


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "good"),
        ({**SILENT, "is_online": False}, "offline"),
        ({**SILENT, "is_online": True}, "unreachable"),
        ({**SILENT, "is_online": None}, "unreachable"),
        ({"is_online": False}, "good"),  # the browser says so, and an answer came all the same
        ({"altered": 1, "answered": 7}, "portal"),
        ({**SILENT, "altered": 1, "is_online": False}, "portal"),
        ({"refused": 1, "answered": 7}, "busy"),
        ({"sign_in": "down"}, "busy"),
        ({"is_too_old": True}, "too-old"),
        ({"keeps": "nothing"}, "cookies"),
        ({"keeps": "cookies"}, "good"),
        ({"sms": "down"}, "texts"),
        ({"lost": 1, "answered": 7}, "good"),
        ({"lost": 2, "answered": 6}, "lossy"),
        ({"median_ms": 999}, "good"),
        ({"median_ms": 1000}, "slow"),
        ({"bits_per_second": 40_000}, "good"),
        ({"bits_per_second": 39_999}, "slow"),
        ({"sms": "slow"}, "partly"),
        ({"face": "down"}, "partly"),
        ({"core_bank": "down"}, "partly"),
        ({"cache_bytes": int(limits.CACHE_BUDGET_BYTES)}, "good"),
        ({"cache_bytes": limits.CACHE_BUDGET_BYTES + 1}, "cache"),
        ({"clock_ahead_ms": 299_999}, "good"),
        ({"clock_ahead_ms": 300_000}, "clock"),
        ({"clock_ahead_ms": -299_999}, "good"),
        ({"clock_ahead_ms": -300_000}, "clock"),
    ],
)
def test_each_verdict_at_its_limit(changes: dict[str, object], verdict: str) -> None:
    """One step nearer and it is another."""
    assert verdict == verdict_of(but(**changes)).name


WORSE: dict[str, dict[str, object]] = {
    "offline": {**SILENT, "is_online": False},
    "portal": {"altered": 2},
    "unreachable": SILENT,
    "busy": {"refused": 1},
    "too-old": {"is_too_old": True},
    "cookies": {"keeps": "nothing"},
    "texts": {"sms": "down"},
    "lossy": {"lost": 3},
    "slow": {"median_ms": 4000},
    "partly": {"core_bank": "slow"},
    "cache": {"cache_bytes": 10**9},
    "clock": {"clock_ahead_ms": 10**9},
}


@pytest.mark.parametrize("count", range(1, len(WORSE)))
def test_what_keeps_somebody_out_is_said_before_what_may_wait(count: int) -> None:
    """Each one below is true as well, and is not what is told."""
    names = list(WORSE)[count - 1 :]
    # Being silent and being offline exclude most of the others, so they are held by themselves above.
    changes: dict[str, object] = {}
    for name in reversed(names):
        if name not in ("offline", "unreachable"):
            changes |= WORSE[name]
    expected = next(name for name in names if name not in ("offline", "unreachable"))
    assert expected == verdict_of(but(**changes)).name


def test_nothing_measured_is_not_all_well() -> None:
    """Whoever knows nothing says so."""
    assert "unknown" == verdict_of(Figures()).name
    assert {Level.UNKNOWN} == {level_of(row, Figures()) for row in ROWS}


@pytest.mark.parametrize(
    ("row", "changes", "level"),
    [
        ("latency", {"median_ms": 299}, "good"),
        ("latency", {"median_ms": 300}, "warn"),
        ("latency", {"median_ms": 1000}, "bad"),
        ("loss", {"lost": 1}, "warn"),
        ("speed", {"bits_per_second": 200_000}, "good"),
        ("speed", {"bits_per_second": 199_999}, "warn"),
        ("speed", {"bits_per_second": 39_999}, "bad"),
        ("clock", {"clock_ahead_ms": 29_999}, "good"),
        ("clock", {"clock_ahead_ms": -30_000}, "warn"),
        ("keeps", {"keeps": "cookies"}, "warn"),
        ("keeps", {"keeps": "nothing"}, "bad"),
        ("tamper", {"altered": 1}, "bad"),
        ("online", SILENT, "bad"),
        ("sms", {"sms": "slow"}, "warn"),
        ("version", {"is_too_old": True}, "bad"),
    ],
)
def test_each_row_at_its_limit(row: str, changes: dict[str, object], level: str) -> None:
    """A row is as bad as its own figure, whatever the sentence above says."""
    (found,) = [one for one in ROWS if one.name == row]
    assert level == level_of(found, but(**changes))


figures = st.builds(
    Figures,
    **{name: st.none() | st.booleans() for name in ("is_online", "asks_minimum", "is_too_old")},
    **{name: st.none() | st.integers(0, 8) for name in ("answered", "lost", "altered", "refused")},
    **{name: st.none() | st.integers(0, 600_000) for name in ("min_ms", "median_ms", "p95_ms", "jitter_ms")},
    **{name: st.none() | st.sampled_from(("ok", "slow", "down")) for name in ("sign_in", "sms", "face", "core_bank")},
    bits_per_second=st.none() | st.integers(0, 10**11),
    clock_ahead_ms=st.none() | st.integers(-(10**13), 10**13),
    keeps=st.none() | st.sampled_from(("nothing", "cookies", "all")),
    cache_bytes=st.none() | st.integers(0, 10**12),
)


@given(figures)
def test_every_figure_has_a_sentence_in_every_language(measured: Figures) -> None:
    """Whatever is measured, somebody reads what to do."""
    for language in catalog.languages():
        said = network_words.sentence_of(language, verdict_of(measured).name, measured)
        assert said.title
        assert said.advice
        assert "{" not in said.title + said.advice
        lines = network_words.lines_of(language, measured)
        assert [row.name for row in ROWS] == [line.name for line in lines]
        assert [] == [line for line in lines if "{" in line.said]
        assert [] == [line for line in lines if bool(line.advice) != (line.level in (Level.WARN, Level.BAD))]


@each_language
def test_the_words_of_the_table_are_there(language: str) -> None:
    """For every verdict, row, way of saying a value and bucket; nothing is said that no table has."""
    keys = {f"network.verdict.{verdict.name}.{part}" for verdict in VERDICTS for part in ("title", "advice")}
    keys |= {f"network.{part}.{row.name}" for row in ROWS for part in ("row", "advice")}
    keys |= {network_words.key_of(row.name, way) for row in ROWS for way in network_words.variants_of(row.name)}
    keys |= {network_words.bucket_key(field.name, bucket) for field in FIELDS for bucket in range(field.size)}
    keys |= {f"network.level.{level}" for level in Level} | {"network.value.none"}
    assert [] == sorted(key for key in keys if not catalog.has(language, key))
    groups = ("network.verdict.", "network.row.", "network.advice.", "network.value.", "network.bucket.")
    said = {key for key in catalog.texts(language) if key.startswith(groups) and not key.endswith(".short")}
    assert set() == said - keys


@each_language
def test_the_script_has_the_tables_and_the_words(language: str) -> None:
    """What it decides by is what the server decides by, in one language, and nothing is left to be put in."""
    source = network_script.measure(language).body.decode()
    table = msgspec.json.encode(network.for_script()).decode()
    assert table in source
    assert msgspec.json.encode(diagnosis.for_script()).decode() in source
    assert network_script.PLACE not in source
    assert catalog.text(language, "network.verdict.offline.title") in source


def test_the_costs_are_as_promised() -> None:
    """The bytes that measure the speed are forty thousand in all."""
    assert limits.NETWORK_FILLER_BYTES == sum(network.FILLERS)
    assert 2 == len(network.FILLERS)


def test_numbers_and_names_of_verdicts_are_their_own() -> None:
    """A number is never given twice, and none is larger than a code holds."""
    numbers = [verdict.number for verdict in VERDICTS]
    assert len(numbers) == len(set(numbers))
    assert max(numbers) < diagnosis.VERDICT_NUMBERS
    assert VERDICTS[-1].when == network.ALWAYS


def test_what_is_shown_is_rounded_as_people_say_it() -> None:
    """Seconds with one digit, minutes from two on, thousands of bytes."""
    said = shown(but(median_ms=1849, clock_ahead_ms=-601_000, cache_bytes=1_299_999, lost=2))
    assert (1.8, 10, 1299, 10) == (said["seconds"], said["clock"], said["kilobytes"], said["sent"])
    assert 119 == shown(but(clock_ahead_ms=119_999))["clock"]


def test_the_rules_know_nobody() -> None:
    """No figure has room for a name, a number or an address."""
    kinds = {name: str(kind) for name, kind in inspect.get_annotations(Figures).items()}
    assert [] == [name for name, kind in kinds.items() if kind.startswith("str")]
