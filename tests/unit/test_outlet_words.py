"""What an outlet is found by, and what people type."""

from __future__ import annotations

import pytest

from foregate.rules import limits
from foregate.rules.outlet_words import is_spelled, plain, plain_city, sound_of_city, typed_words, words_of

WORDS = words_of("D-001", "臺灣銀行重庆 ATM 支行", "Lakeside Branch", ("杭州市", "西湖区"), ("浙江省", "文二路 12号"))


@pytest.mark.parametrize(
    "typed",
    [
        "重庆",
        "台灣銀行",
        "臺灣",
        "chongqing",
        "cqatm",
        "LAKESIDE",
        "ｌａｋｅ",
        "西湖",
        "文二路12",
        "d001",
        "hangzhou",
        "Hangzhou City",
        "hangzhoushi",
        "hz",
        "xihu",
        "Xihu District",
        "xhq",
    ],
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


@pytest.mark.parametrize(
    ("town", "typed"),
    [
        ("长治市", "changzhi"), ("朝阳市", "chaoyang"), ("漯河", "luohe"), ("吕梁", "Lüliang"), ("重慶市", "chongqing"),
        ("臺北市", "Taipei"), ("臺北市", "taibei"), ("呼和浩特市", "hohhot"), ("闵行区", "minhang"),
        ("单县", "Shan County"),
    ],
)  # fmt: skip
def test_towns_that_a_dictionary_misreads(town: str, typed: str) -> None:
    """By the sound that people there give it, and by the name that is on the ticket."""
    words = words_of("1", "支行", "", (town,), ())
    assert all(word in words for word in typed_words(typed)), words


def test_a_city_by_its_sound_is_no_bank_of_that_name() -> None:
    """杭州银行 in Shanghai is not in Hangzhou, whether or not City is typed behind it."""
    there = words_of("1", "杭州银行上海分行", "", ("上海市", "黄浦区"), ())
    here = words_of("1", "示范支行", "", ("杭州市", "西湖区"), ())
    for typed in ("Hangzhou", "hangzhou city"):
        word = sound_of_city(plain_city(typed))
        assert (False, True) == (word in there, word in here)
    assert is_spelled(plain_city("Hangzhou"))
    assert not is_spelled(plain_city("杭州"))
    assert not is_spelled("")
