"""Signs find what was typed, say nothing without their key, and narrow down without deciding."""

from hypothesis import given
from hypothesis import strategies as st

from foregate.rules import entry_words, limits
from foregate.rules.entry_words import Signs, fits, plain, runs_of, typed_words

texts = st.text(st.sampled_from("王芳房租超市Café１２ab-·。 "), max_size=20)


@given(st.lists(texts, max_size=4), texts)
def test_whatever_fits_has_all_the_signs(kept: list[str], typed: str) -> None:
    """A search never misses: an entry that fits has every sign that is asked for."""
    words, signs = typed_words(typed), Signs(b"k" * 32)
    stored = signs.of(runs_of(kept))
    if words and fits(words, kept):
        assert all(sign in stored for sign in signs.to_find(words))


def test_nothing_but_the_key_says_what_a_sign_means() -> None:
    """Another account has other signs for the same words, and the set says neither order nor number."""
    one, other = Signs(b"a" * 32), Signs(b"b" * 32)
    assert one.of(["王芳房租"]) != other.of(["王芳房租"])
    assert one.of(["ab", "ab", "cd"]) == one.of(["cd", "ab"])
    stored = one.of(["王芳"])
    assert sorted(stored) == list(stored)
    assert not set("王芳") & set(stored)


def test_one_character_is_enough_and_words_stay_apart() -> None:
    """A word is found within a run, never across a blank; width and case make no difference."""
    kept = ["财付通-微信支付", "Café Zoë"]
    for typed, is_there in (
        ("微", True),
        ("付通", True),
        ("ＣＡＦÉ", True),
        ("ézo", False),
        ("通微", False),
        ("zoë 微信", True),
    ):
        assert is_there == fits(typed_words(typed), kept)


def test_a_typed_question_is_bounded() -> None:
    """ENTRY_WORDS words of ENTRY_QUERY_CHARS characters, ENTRY_SIGNS_ASKED signs; an entry has ENTRY_SIGNS."""
    many = " ".join(f"w{n}" for n in range(limits.ENTRY_WORDS + 1))
    assert limits.ENTRY_WORDS == len(typed_words(many))
    assert "a" * limits.ENTRY_QUERY_CHARS == typed_words("a" * (limits.ENTRY_QUERY_CHARS + 1))[0]
    signs = Signs(b"k" * 32)
    assert limits.ENTRY_SIGNS_ASKED == len(signs.to_find(["abcdefghijklmnopqrstuvwxyz"]))
    long = "".join(chr(0x4E00 + n) for n in range(2000))
    assert limits.ENTRY_SIGNS == len(signs.of([long]))
    assert "" == plain("?!… 。")
    assert entry_words.FIRST + entry_words.SIGNS < 0x9FFF
