"""The words of the house: proofs, categories, formulas, and who a visitor may say they are.

A formula says which proofs buy an act. It is built with `&` and `|`:

    PASSKEY | (PHONE_CODE | DEVICE) & (PASSWORD | CARD_PIN | FACE)

`ways(formula)` unfolds it into the sets of proofs that satisfy it, in the order in which the table
mentions them; that order is the order in which ways are offered.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache, lru_cache
from itertools import product
from typing import Any, Final

import msgspec


class Category(StrEnum):
    """Kinds of evidence. Two proofs of one category count once (NIST SP 800-63B-4, 2.2)."""

    HAVE = "have"
    KNOW = "know"
    ARE = "are"
    # A passkey's user verification is a PIN or a fingerprint: the server cannot tell which.
    KNOW_OR_ARE = "know-or-are"
    IN_PERSON = "in-person"
    # What two tellers saw, on a slip of paper in whoever's hands: worth something, and not the person.
    VOUCHED = "vouched"


class _Formula(msgspec.Struct, frozen=True, cache_hash=True):
    def __and__(self, other: Formula) -> All:
        return All((self, other))  # type: ignore[arg-type]  # every subclass is a Formula

    def __or__(self, other: Formula) -> AnyOf:
        return AnyOf((self, other))  # type: ignore[arg-type]  # every subclass is a Formula


class Proof(_Formula, frozen=True, cache_hash=True):
    """One way to show who you are.

    A `guessable` proof is short or fuzzy: every wrong answer has to be charged to a counter. A `silent` one is
    looked at, never asked for (a remembered device).
    """

    name: str
    categories: frozenset[Category]
    guessable: bool = True
    silent: bool = False

    @property
    def is_possession(self) -> bool:
        """True when proving it shows that the visitor holds something of the customer's."""
        return bool(self.categories & {Category.HAVE, Category.IN_PERSON})


class All(_Formula, frozen=True, cache_hash=True):
    """Every part has to be proved."""

    parts: tuple[Formula, ...]


class AnyOf(_Formula, frozen=True, cache_hash=True):
    """One part has to be proved; the first is offered first."""

    parts: tuple[Formula, ...]


Formula = Proof | All | AnyOf

PHONE_CODE: Final = Proof("phone_code", frozenset({Category.HAVE}))
DEVICE: Final = Proof("device", frozenset({Category.HAVE}), guessable=False, silent=True)
SOCIAL: Final = Proof("social", frozenset({Category.HAVE}), guessable=False)
PASSWORD: Final = Proof("password", frozenset({Category.KNOW}))
CARD_PIN: Final = Proof("card_pin", frozenset({Category.KNOW}))
FACE: Final = Proof("face", frozenset({Category.ARE}))
PASSKEY: Final = Proof("passkey", frozenset({Category.HAVE, Category.KNOW_OR_ARE}), guessable=False)
# An ID card seen by one teller, confirmed by another. It exists at the counter and nowhere else.
COUNTER_ID: Final = Proof("counter_id", frozenset({Category.IN_PERSON}), guessable=False)
# The slip that the counter handed out: 65 bits, so it needs no counter that a stranger could use up. It is no
# possession, so it is asked for after the phone's code: whoever finds the slip can do nothing with it at all.
PERMIT: Final = Proof("permit", frozenset({Category.VOUCHED}), guessable=False)
# The link in the notice to a number that was given up: 130 bits, and all it does is freeze.
NOTICE_LINK: Final = Proof("notice_link", frozenset({Category.HAVE}), guessable=False, silent=True)

PROOFS: Final = {proof.name: proof for proof in tuple(globals().values()) if isinstance(proof, Proof)}

Way = frozenset[Proof]
# Formulas with what was proved of them: the same few come again and again, at the door and in the checker.
PROVED_REMEMBERED: Final = 4096


@cache
def ways(formula: Formula) -> tuple[Way, ...]:
    """Return the minimal sets of proofs that satisfy `formula`, in the order of mention."""
    found = list(dict.fromkeys(_unfold(formula)))
    return tuple(way for way in found if not any(other < way for other in found))


def _unfold(formula: Formula) -> list[Way]:
    match formula:
        case Proof():
            return [frozenset({formula})]
        case AnyOf(parts=parts):
            return [way for part in parts for way in _unfold(part)]
        case All(parts=parts):
            choices = product(*(_unfold(part) for part in parts))
            return [frozenset().union(*choice) for choice in choices]


@cache
def proofs_of(formula: Formula) -> tuple[Proof, ...]:
    """Return every proof that `formula` mentions, once each, in the order of mention."""
    match formula:
        case Proof():
            return (formula,)
        case All(parts=parts) | AnyOf(parts=parts):
            return tuple(dict.fromkeys(proof for part in parts for proof in proofs_of(part)))


@cache
def _names_of_ways(formula: Formula) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(proof.name for proof in way) for way in ways(formula))


@lru_cache(PROVED_REMEMBERED)
def is_satisfied(formula: Formula, proved: frozenset[str]) -> bool:
    """Say whether the proofs named in `proved` satisfy `formula`: they contain one of its ways."""
    return any(map(proved.issuperset, _names_of_ways(formula)))


def as_json(formula: Formula) -> dict[str, Any]:
    """Return `formula` as `{"proof": name}`, `{"all": [..]}` or `{"any": [..]}`, nested operators flattened."""
    match formula:
        case Proof(name=name):
            return {"proof": name}
        case All():
            return {"all": [as_json(part) for part in _flat(formula)]}
        case AnyOf():
            return {"any": [as_json(part) for part in _flat(formula)]}


def as_text(formula: Formula) -> str:
    """Return `formula` as the design writes it: `phone_code & (password | face)`."""
    match formula:
        case Proof(name=name):
            return name
        case All():
            parts = _flat(formula)
            return " & ".join(f"({as_text(p)})" if isinstance(p, AnyOf) else as_text(p) for p in parts)
        case AnyOf():
            return " | ".join(as_text(part) for part in _flat(formula))


def _flat(formula: All | AnyOf) -> list[Formula]:
    kind = type(formula)
    flat: list[Formula] = []
    for part in formula.parts:
        flat.extend(_flat(part) if isinstance(part, kind) else [part])
    return flat


class Who(StrEnum):
    """What a visitor says to tell the bank who they are. Each has its fields in `rules/inputs.py`."""

    PHONE = "phone"
    CARD = "card"
    USER_NAME = "user_name"
    CARD_AND_PHONE = "card_and_phone"
    CARD_NAME_DOCUMENT = "card_name_document"
    SESSION = "session"
    PASSKEY = "passkey"
    WECHAT = "wechat"
    ALIPAY = "alipay"
    LINK = "link"
    IN_PERSON = "in_person"
    ANYBODY = "anybody"


class CodeTo(StrEnum):
    """Which number a journey's code goes to. The two of a customer are kept apart throughout."""

    REGISTERED = "registered"  # for e-banking; belongs to one customer
    BOUND = "bound"  # to the named card, when it was issued; a family may share it
    EITHER = "either"  # of the two; where it belongs to several people, the visitor picks after possession
    TYPED = "typed"  # any number, the visitor's own


class Level(StrEnum):
    """What a session may do. Basic: greeting, masked cards, appointments, renewals. Full: the rest."""

    BASIC = "basic"
    FULL = "full"


class Tier(StrEnum):
    """How much a visitor has shown, and so how much they may be told."""

    ANYONE = "anyone"
    POSSESSION = "possession"
    CUSTOMER = "customer"

    @property
    def rank(self) -> int:
        """0 for a stranger, 2 for the customer."""
        return _RANKS[self]


_RANKS: Final = {tier: rank for rank, tier in enumerate(Tier)}
