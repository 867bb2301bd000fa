"""Formulas: what satisfies them, how they unfold, how they are written."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.rules import words
from foregate.rules.edited import formula_from
from foregate.rules.journeys import FULL, JOURNEYS
from foregate.rules.words import (
    CARD_PIN,
    COUNTER_ID,
    DEVICE,
    FACE,
    PASSKEY,
    PASSWORD,
    PHONE_CODE,
    SOCIAL,
    All,
    AnyOf,
    Formula,
    Proof,
    Tier,
    as_json,
    as_text,
    is_satisfied,
    proofs_of,
    ways,
)

PROOFS = (PHONE_CODE, DEVICE, SOCIAL, PASSWORD, CARD_PIN, FACE, PASSKEY, COUNTER_ID)
NAMES = tuple(proof.name for proof in PROOFS)


def _nest(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(parts.map(All), parts.map(AnyOf))


FORMULAS: st.SearchStrategy[Formula] = st.recursive(st.sampled_from(PROOFS), _nest, max_leaves=8)
PROVED = st.frozensets(st.sampled_from(NAMES))


def names(way: frozenset[Proof]) -> frozenset[str]:
    """Return the names of a way."""
    return frozenset(proof.name for proof in way)


def test_ways_stand_in_the_order_of_mention() -> None:
    """That order is the order in which ways are offered."""
    assert [sorted(names(way)) for way in ways(FULL)] == [
        ["password", "phone_code"],
        ["card_pin", "phone_code"],
        ["face", "phone_code"],
        ["device", "password"],
        ["card_pin", "device"],
        ["device", "face"],
        ["passkey"],
    ]


def test_a_way_that_contains_another_is_no_way_of_its_own() -> None:
    """`phone_code | phone_code & password` asks for the code."""
    assert ways(PHONE_CODE | PHONE_CODE & PASSWORD) == (frozenset({PHONE_CODE}),)


@given(FORMULAS, PROVED)
def test_the_ways_and_the_formula_agree(formula: Formula, proved: frozenset[str]) -> None:
    """Something satisfies a formula exactly when it contains one of its ways."""
    assert is_satisfied(formula, proved) == any(names(way) <= proved for way in ways(formula))


@given(FORMULAS)
def test_ways_are_minimal(formula: Formula) -> None:
    """No way can do without one of its proofs."""
    for way in ways(formula):
        assert is_satisfied(formula, names(way))
        assert not any(is_satisfied(formula, names(way - {proof})) for proof in way)


@given(FORMULAS, PROVED, PROVED)
def test_more_proofs_never_satisfy_less(formula: Formula, proved: frozenset[str], more: frozenset[str]) -> None:
    """Showing one more thing is never held against anybody."""
    if is_satisfied(formula, proved):
        assert is_satisfied(formula, proved | more)


@given(FORMULAS, FORMULAS, PROVED)
def test_the_operators_are_and_and_or(left: Formula, right: Formula, proved: frozenset[str]) -> None:
    """`&` and `|` mean what they say."""
    one, other = is_satisfied(left, proved), is_satisfied(right, proved)

    assert is_satisfied(left & right, proved) == (one and other)
    assert is_satisfied(left | right, proved) == (one or other)


@given(FORMULAS)
def test_the_proofs_of_a_formula_are_those_of_its_text(formula: Formula) -> None:
    """Every proof is mentioned once, in the order of mention."""
    mentioned = proofs_of(formula)

    assert len(set(mentioned)) == len(mentioned)
    assert {proof.name for proof in mentioned} == set(as_text(formula).replace("(", " ").replace(")", " ").split()) - {
        "&",
        "|",
    }


@given(FORMULAS, PROVED)
def test_json_says_the_same(formula: Formula, proved: frozenset[str]) -> None:
    """What is printed as JSON and read again is satisfied by the same proofs."""
    assert is_satisfied(formula_from(as_json(formula), "here"), proved) == is_satisfied(formula, proved)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (PHONE_CODE, "phone_code"),
        (PHONE_CODE & (PASSWORD | FACE), "phone_code & (password | face)"),
        (PHONE_CODE & PASSWORD | PASSKEY, "phone_code & password | passkey"),
        (JOURNEYS["freeze"].prove, "phone_code | card_pin"),
    ],
)
def test_formulas_are_written_as_the_design_writes_them(formula: Formula, text: str) -> None:
    """With as few parentheses as they need."""
    assert as_text(formula) == text


def test_nested_operators_are_flat_in_json() -> None:
    """`a | b | c` is one list of three."""
    assert as_json(PASSWORD | CARD_PIN | FACE) == {
        "any": [{"proof": "password"}, {"proof": "card_pin"}, {"proof": "face"}]
    }


def test_what_shows_possession() -> None:
    """Something held, or somebody present; what is known or seen shows none."""
    assert {proof.name for proof in PROOFS if proof.is_possession} == {
        "phone_code",
        "device",
        "social",
        "passkey",
        "counter_id",
    }


def test_everything_short_or_fuzzy_is_guessable() -> None:
    """So every wrong answer to it is charged."""
    assert {proof.name for proof in PROOFS if proof.guessable} == {"phone_code", "password", "card_pin", "face"}


def test_every_proof_is_found_by_its_name() -> None:
    """Edited tables and the checker look them up here, so none may be missing."""
    assert {*NAMES, "permit", "notice_link"} == set(words.PROOFS)
    assert all(proof.name == name for name, proof in words.PROOFS.items())


def test_a_slip_of_paper_is_neither_a_person_nor_a_possession() -> None:
    """Two tellers are one thing; what they handed out is another, in whoever's hands."""
    assert words.COUNTER_ID.is_possession
    assert not words.PERMIT.is_possession
    assert not words.PERMIT.categories & words.COUNTER_ID.categories


def test_tiers_are_ordered() -> None:
    """A stranger has shown least, the customer most."""
    assert [tier.rank for tier in (Tier.ANYONE, Tier.POSSESSION, Tier.CUSTOMER)] == [0, 1, 2]


def test_no_one_proof_but_the_passkey_signs_in() -> None:
    """Over all subsets: what opens a full session is a passkey, or two proofs."""
    subsets = chain.from_iterable(combinations(NAMES, size) for size in (0, 1))

    assert [each for each in subsets if is_satisfied(FULL, frozenset(each))] == [("passkey",)]
