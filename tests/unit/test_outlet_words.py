"""What an outlet is found by, and what people type."""

from __future__ import annotations

import pytest

from foregate.rules import limits
from foregate.rules.outlet_words import plain, plain_city, typed_words, words_of

WORDS = words_of("D-001", "臺灣銀行重庆 ATM 支行", "Lakeside Branch", ("杭州市", "西湖区", "浙江省", "文二路 12号"))


@pytest.mark.parametrize(
    "typed",
    ["重庆", "台灣銀行", "臺灣", "chongqing", "cqatm", "LAKESIDE", "ｌａｋｅ", "西湖", "文二路12", "d001"],
)
def test_what_finds_it(typed: str) -> None:
    """A piece of the name in either script, its sound, its initials, where it is, its number."""
    assert all(word in WORDS for word in typed_words(typed))


def test_no_word_reaches_across_parts() -> None:
    """The end of the city and the beginning of the district are not a word."""
    assert plain("杭州市西湖区") not in WORDS


@pytest.mark.parametrize(
    ("city", "expected"), [("杭州市", "杭州"), ("杭州", "杭州"), ("沙市", "沙市"), ("PUNE ", "pune")]
)
def test_a_city_with_and_without_its_ending(city: str, expected: str) -> None:
    """Both are typed; a city whose name is two characters keeps them."""
    assert expected == plain_city(city)


def test_how_much_is_looked_for() -> None:
    """OUTLET_WORDS words of OUTLET_QUERY_CHARS characters in all; blanks and commas part them, signs are nothing."""
    assert ("西湖", "招商") == typed_words("  西湖， 招商 %_ ")
    assert limits.OUTLET_WORDS == len(typed_words("a b c d e"))
    assert ("a" * limits.OUTLET_QUERY_CHARS,) == typed_words("a" * (limits.OUTLET_QUERY_CHARS + 1))
