"""Diagnosis codes: all that is coded is read back, a slip of the tongue shows, and the layout stays."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.counter.search import is_misheard, understood
from foregate.doors import network_words
from foregate.doors.text import catalog
from foregate.rules import diagnosis
from foregate.rules.diagnosis import ALPHABET, FIELDS, VERDICT_NUMBERS, code_of, in_groups, read
from foregate.rules.network import VERDICTS, Figures, number_of, verdict_of
from tests.unit.test_network import WELL, but, figures

numbers = st.integers(0, VERDICT_NUMBERS * math.prod(field.size for field in FIELDS) - 1)
codes = numbers.map(diagnosis._spelled)


@given(figures)
def test_what_is_coded_is_read_back(measured: Figures) -> None:
    """The verdict, and of each figure in which bucket it fell."""
    said = read(code_of(measured))
    assert said is not None
    assert verdict_of(measured).name == said.verdict
    assert {f.name: f.bucket(number_of(measured, f.figure)) for f in FIELDS} == said.buckets
    for language in catalog.languages():
        assert all(value for _, value in network_words.explained(language, said))


def test_every_bucket_of_every_field_is_read_back() -> None:
    """All values of each digit, with all the others as they are and as large as they get."""
    sizes = [field.size for field in FIELDS]
    for high in (False, True):
        for place, field in enumerate(FIELDS):
            for bucket in range(field.size):
                digits = [size - 1 if high else 0 for size in sizes]
                digits[place] = bucket
                number = 0
                for size, digit in zip(reversed(sizes), reversed(digits), strict=True):
                    number = number * size + digit
                said = read(diagnosis._spelled(number * VERDICT_NUMBERS + VERDICTS[0].number))
                assert said is not None
                assert digits == list(said.buckets.values())


def test_six_symbols_hold_it_all() -> None:
    """Five of them carry the number; the largest fits."""
    assert VERDICT_NUMBERS * math.prod(field.size for field in FIELDS) <= 32**diagnosis.SYMBOLS
    assert 6 == len(code_of(WELL))
    assert set() == set("IO01") & set(ALPHABET)
    assert 32 == len(set(ALPHABET))


@given(codes, st.integers(0, 5), st.integers(1, 31))
def test_a_wrong_symbol_always_shows(code: str, place: int, by: int) -> None:
    """Any one symbol that was misheard makes it no code at all."""
    wrong = ALPHABET[(ALPHABET.index(code[place]) + by) % 32]
    assert read(code[:place] + wrong + code[place + 1 :]) is None


@given(codes, st.integers(0, 5), st.integers(0, 5))
def test_two_symbols_that_changed_places_always_show(code: str, one: int, other: int) -> None:
    """Neighbours or not."""
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    if swapped != list(code):
        assert read("".join(swapped)) is None


def test_a_code_is_read_however_it_is_typed() -> None:
    """In small letters, in groups, with blanks: as it was read out."""
    code = code_of(WELL)
    for typed in (code, code.lower(), in_groups(code), f" {code[:2]} {code[2:4]} {code[4:]} "):
        said = read(typed)
        assert said is not None
        assert code == said.code


@pytest.mark.parametrize("typed", ["", "22222", "2222222", "222222", "IO01II", "K7M-2QÄ", "六个字符的码", "x" * 500])
def test_what_is_no_code_is_none(typed: str) -> None:
    """Too short, too long, other symbols, all the same."""
    assert read(typed) is None


def test_the_layout_stays_as_it_is() -> None:
    """Codes come from pages that were kept: these said this when the layout was made, and say it for ever."""
    slow, offline = but(median_ms=1500, lost=1), but(answered=0, lost=3, is_online=False)
    assert ["XNJ72U", "TSJ729", "KUJ72Z"] == [code_of(measured) for measured in (WELL, slow, offline)]


def test_the_one_box_knows_a_code() -> None:
    """Before a name that looks like it, and a name is looked for all the same."""
    code = code_of(WELL)
    assert ("diagnosis", (code,)) == (understood(in_groups(code))[0].by, understood(in_groups(code))[0].values)
    assert ["name"] == [way.by for way in understood("Zhang Wei")]
    assert "diagnosis" not in [way.by for way in understood("13800138000")]


@pytest.mark.parametrize(
    ("typed", "misheard"), [("K7M2QX", True), ("k7m-2qx", True), ("ABCDEF", False), ("123456", False), ("K7M2Q", False)]
)
def test_a_code_with_a_wrong_symbol_is_told_from_other_things(typed: str, misheard: bool) -> None:
    """Six symbols, digits among letters: then it is said that one was misheard."""
    assert misheard == is_misheard(typed)
