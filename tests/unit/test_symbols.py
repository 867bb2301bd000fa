"""Codes that people read off and type."""

from __future__ import annotations

import pytest

from foregate import symbols
from foregate.rules import inputs, limits
from foregate.rules.inputs import BadInput


def test_symbols_by_chance() -> None:
    """Each of the thirty-two comes up, none else, and no two codes are alike."""
    drawn = [symbols.random_symbols(limits.LONG_CODE_SYMBOLS) for _ in range(500)]

    assert {len(each) for each in drawn} == {13}
    assert set("".join(drawn)) == set(symbols.BASE32)
    assert len(set(drawn)) == 500
    assert len(symbols.random_symbols(limits.STOP_LINK_SYMBOLS)) * 5 >= 128


def test_groups_are_read_back() -> None:
    """What is printed is what is typed."""
    assert symbols.in_groups("ABCDEFGHJKMNP") == "ABCDE-FGHJK-MNP"
    assert inputs.normal_permit(symbols.in_groups("ABCDEFGHJKMNP")) == "ABCDEFGHJKMNP"


@pytest.mark.parametrize(
    "typed", ["abcde fghjk 0l1", "ＡＢＣＤＥ－ＦＧＨＪＫ－０１１", "ABCDE-FGHJK-OIL", "abcdefghjk011"]
)
def test_permits_are_typed_in_many_ways(typed: str) -> None:
    """Small letters, full width, blanks, look-alikes."""
    assert inputs.normal_permit(typed) == "ABCDEFGHJK011"


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "empty"), ("--", "empty"), ("123456", "permit-shape"), ("A" * 12, "permit-shape"), ("A" * 14, "permit-shape"),
     ("ABCDE-FGHJK-MN!", "permit-shape")],
)  # fmt: skip
def test_what_is_no_permit(typed: str, code: str) -> None:
    """One too few, one too many, a code from a message: said at the field."""
    with pytest.raises(BadInput, match=code):
        inputs.normal_permit(typed)


def test_the_end_of_a_link() -> None:
    """Twenty-six symbols; a permit is none."""
    assert inputs.normal_link("0123456789abcdefghjkmnpqrs") == "0123456789ABCDEFGHJKMNPQRS"
    for typed, code in (("A" * 25, "link-shape"), ("A" * 27, "link-shape"), ("A" * 13, "link-shape"), (" ", "empty")):
        with pytest.raises(BadInput, match=code):
            inputs.normal_link(typed)
