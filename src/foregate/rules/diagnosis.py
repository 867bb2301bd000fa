"""The diagnosis code: what a network check found, in six symbols that somebody can read out over the telephone.

Theory of operation
  Each figure falls into one of a few buckets; the buckets are the digits of one number, each to its own base. Five
  symbols of five bits carry it. The sixth is a sum over the field of 32 elements, each place with a weight of its own:
  a symbol that was misheard and two that changed places always show. So the code is made without us, on a phone that
  has no network, and is read without looking anything up.

  It says nothing but the buckets. The same trouble has the same code for everybody, so a code tells of nobody.

Codes are made by pages that were kept, so FIELDS is never changed: another layout would be another length.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Final

import msgspec

from foregate.rules import network
from foregate.rules.network import VERDICTS, Figures, number_of, verdict_of

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I, O, 0, 1 to confuse
SYMBOLS: Final = 5
GROUP: Final = 3  # how many are read out in one breath
# Where nothing was found every digit is 0: such a code would be all twos, and read as a slip of the hand.
START: Final = 17
POLYNOMIAL: Final = 0b100101  # x^5 + x^2 + 1, over which 2 has powers of every value
VERDICT_NUMBERS: Final = 16


class Field(msgspec.Struct, frozen=True):
    """One digit: `bounds` divide the figure. Where nothing was measured it is 0; `is_merged`: that means fine, too."""

    name: str
    figure: str
    bounds: tuple[int, ...]
    is_merged: bool = False

    @property
    def size(self) -> int:
        """How many buckets there are."""
        return len(self.bounds) + (1 if self.is_merged else 2)

    def bucket(self, number: int | None) -> int:
        """Return into which bucket a figure falls."""
        if number is None:
            return 0
        return bisect_right(self.bounds, number) + (0 if self.is_merged else 1)


# fmt: off
FIELDS: Final = (
    Field("latency",   "median_ms",       (network.WARM_MS, network.SLOW_MS, 2000, 4000)),
    Field("loss",      "lost",            (network.LOST_WARN, network.LOST_BAD, 4), is_merged=True),
    Field("speed",     "bits_per_second", (network.SLOW_BITS, network.WARM_BITS)),
    Field("clock",     "clock_ahead_ms",  (1 - network.CLOCK_BAD_MS, 1 - network.CLOCK_WARN_MS, network.CLOCK_WARN_MS, network.CLOCK_BAD_MS)),
    Field("keeps",     "keeps",           (1, 2)),
    Field("cache",     "cache_bytes",     (network.CACHE_OVER,)),
    Field("version",   "is_too_old",      (1,)),
    Field("sign-in",   "sign_in",         (1, 2), is_merged=True),
    Field("sms",       "sms",             (1, 2), is_merged=True),
    Field("face",      "face",            (1, 2), is_merged=True),
    Field("core-bank", "core_bank",       (1, 2), is_merged=True),
)
# fmt: on
BY_NUMBER: Final = {verdict.number: verdict for verdict in VERDICTS}


class Diagnosis(msgspec.Struct, frozen=True):
    """What a code says: the verdict's name, and the bucket of each field."""

    code: str
    verdict: str
    buckets: dict[str, int]


def code_of(figures: Figures) -> str:
    """Return the six symbols for what was measured."""
    number = 0
    for field in reversed(FIELDS):
        number = number * field.size + field.bucket(number_of(figures, field.figure))
    return _spelled(number * VERDICT_NUMBERS + verdict_of(figures).number)


def read(text: str) -> Diagnosis | None:
    """Return what a code says that somebody typed; None when it is none, or one of its symbols is wrong."""
    code = "".join(c for c in text.upper() if c not in " -·")
    if len(code) != SYMBOLS + 1 or any(c not in ALPHABET for c in code):
        return None
    digits = [ALPHABET.index(c) for c in code]
    if _check(digits[:-1]) != digits[-1]:
        return None
    number = sum(digit << (5 * place) for place, digit in enumerate(digits[:-1]))
    number, verdict = divmod(number, VERDICT_NUMBERS)
    buckets = {}
    for field in FIELDS:
        number, buckets[field.name] = divmod(number, field.size)
    if number or verdict not in BY_NUMBER:
        return None
    return Diagnosis(code, BY_NUMBER[verdict].name, buckets)


def in_groups(code: str) -> str:
    """Return a code as it is read out: `K7M-2QX`."""
    return f"{code[:GROUP]}-{code[GROUP:]}"


def for_script() -> dict[str, Any]:
    """Return what the page's script makes the code with."""
    return {
        "alphabet": ALPHABET,
        "start": START,
        "polynomial": POLYNOMIAL,
        "numbers": {verdict.name: verdict.number for verdict in VERDICTS},
        "verdict_numbers": VERDICT_NUMBERS,
        "fields": [[field.figure, field.bounds, 0 if field.is_merged else 1, field.size] for field in FIELDS],
    }


def _spelled(number: int) -> str:
    digits = [number >> (5 * place) & 31 for place in range(SYMBOLS)]
    return "".join(ALPHABET[digit] for digit in (*digits, _check(digits)))


def _check(digits: list[int]) -> int:
    """Return the sum of digit times weight; the weights are 2, 4, 8, 16 and their next, all different and none of them 1."""
    total, weight = START, 2
    for digit in digits:
        total ^= _times(digit, weight)
        weight = _times(weight, 2)
    return total


def _times(one: int, other: int) -> int:
    """Multiply in the field: as polynomials, modulo POLYNOMIAL."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        one <<= 1
        if one & 32:
            one ^= POLYNOMIAL
        other >>= 1
    return product
