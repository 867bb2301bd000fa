"""New passwords: what is refused, in the word that tells what to do, and that nothing else is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foregate.rules import limits
from foregate.rules.inputs import BadInput
from foregate.rules.passwords import new_password, personal_words

PERSONAL = personal_words(
    "李小明", "+8613800138000", "lixiaoming", "440308199901101512", "6222020000000000018", "1999-01-10"
)


def refusal(text: str, personal: tuple[str, ...] = PERSONAL) -> str | None:
    """Return the code that a password is refused with, or None."""
    try:
        new_password(text, personal)
    except BadInput as bad:
        return bad.code
    return None


@pytest.mark.parametrize(
    "text",
    [
        "correct horse 8 battery",
        "seven quiet lanterns",
        "春江潮水连海平 海上明月",
        "kV9-tQ2xLm7",
        "      x q v z k w      ",
        "Ünïcödé wörds märch",
        "🐢🌊🏮🎋🧭🪁🛶🌾",
    ],
)
def test_no_rule_says_what_must_be_in_it(text: str) -> None:
    """No capitals, digits or signs are asked for: sentences, Chinese, blanks and pictures all do."""
    assert refusal(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("kV9-tQ2", "password-too-short"),
        ("春江潮水连海平", "password-too-short"),
        ("password", "password-common"),
        ("Password1!", "password-common"),
        ("P.a.s.s.w.o.r.d", "password-common"),
        ("woaini1314", "password-common"),
        ("WoAiNi520", "password-common"),
        ("5201314520", "password-common"),
        ("88888888", "password-common"),
        ("123456789", "password-common"),
        ("1234567890", "password-common"),
        ("qwerty123", "password-common"),
        ("aaaabbbb", "password-common"),
        ("1qaz2wsx3", "password-common"),
        ("foregate27", "password-common"),
        ("lixiaoming#2027", "password-personal"),
        ("I am LiXiaoMing!", "password-personal"),
        ("13800138000-mine", "password-personal"),
        ("mine-138000-mine", "password-personal"),
        ("my id 101512 ends so", "password-personal"),
        ("19990110 is my day", "password-personal"),
        ("abcdefgh", "password-guessable"),
        ("zxcvbnm,./", "password-guessable"),
        ("dragon1987", "password-guessable"),
    ],
)
def test_what_thieves_try_first_is_refused(text: str, code: str) -> None:
    """Too short, common here, common in Latin, or made of the customer's own data: each says which."""
    assert code == refusal(text)


@pytest.mark.parametrize(
    ("length", "code"),
    [
        (limits.PASSWORD_MIN - 1, "password-too-short"),
        (limits.PASSWORD_MIN, None),
        (limits.PASSWORD_MAX, None),
        (limits.PASSWORD_MAX + 1, "password-too-long"),
    ],
)
def test_the_length_at_n_and_one_more(length: int, code: str | None) -> None:
    """Eight characters are enough, a hundred and twenty-eight are taken whole."""
    text = ("kV9-tQ2xLm7 " * 20)[:length]
    assert code == refusal(text)


def test_a_password_is_kept_as_it_was_typed() -> None:
    """Nothing is cut or folded but how an accent is composed."""
    assert "  Ünïcödé wörds märch " == new_password("  U\u0308nïcödé wörds märch ", ())


@pytest.mark.parametrize("name", ["李明", "Li"])
def test_a_short_name_forbids_nothing(name: str) -> None:
    """Two characters come up in any sentence."""
    assert refusal("李明 went Lightly home", personal_words(name)) is None


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=600))
def test_whatever_is_typed_is_taken_or_refused(text: str) -> None:
    """Nothing but BadInput is raised, and what is taken is within its bounds."""
    try:
        taken = new_password(text, PERSONAL)
    except BadInput:
        return
    assert len(taken) >= limits.PASSWORD_MIN


@pytest.mark.parametrize("text", ["a1" * 64, "passwordpassword" * 8, "qwertyuiop" * 12, "é" * 128, "1q2w3e4r" * 16])
def test_judging_takes_no_longer_than_a_moment(text: str) -> None:
    """A password made to keep the judge busy does not (zxcvbn takes quadratic time)."""
    refusal("warm up the word lists 4 me")
    began = time.perf_counter()
    refusal(text)
    assert time.perf_counter() - began < 1
