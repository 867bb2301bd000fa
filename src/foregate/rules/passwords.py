"""Which new passwords are refused, and why, in a word that tells what to do.

No composition rules, no expiry (NIST SP 800-63B-4, 3.1.1.2; ASVS 5.0 6.2). Refused is what thieves try first: the
common ones, and the customer's own data. zxcvbn judges Latin habits; it knows no pinyin and no Chinese numerals of
love, so those stand here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from foregate.rules import limits
from foregate.rules.inputs import BadInput, typed_password

# What people in China type first: love in numbers and pinyin, luck, the row of digits.
COMMON: Final = (
    "woaini", "5201314", "1314520", "woaiwojia", "iloveyou", "aini1314", "zhongguo", "mima", "beijing",
    "shanghai", "888888", "666666", "168168", "987654321", "123456", "qwerty", "password", "admin",
    "1qaz2wsx", "asdfgh", "abc123", "a123456", "yinhang", "gongshang", "foregate",
)  # fmt: skip
SCORE_MIN: Final = 2  # of zxcvbn's 0 to 4: above "somewhat guessable"; attempts are limited besides
JUDGED_CHARS: Final = 64  # zxcvbn takes quadratic time; what is weak is weak at its beginning


def new_password(text: str, personal: Iterable[str]) -> str:
    """Return `text` in the form to be hashed. `personal` are the customer's name, numbers, user name.

    Raises BadInput: password-too-short, -too-long, -common, -personal, -guessable.
    """
    password = typed_password(text)
    if len(password) < limits.PASSWORD_MIN:
        raise BadInput("password-too-short")
    bare = re.sub(r"[^\w]", "", password.casefold())
    if _contains(bare, (word for word in personal if len(word) >= 4)):
        raise BadInput("password-personal")
    if _mostly(bare, COMMON) or len(set(password.casefold())) <= 3:
        raise BadInput("password-common")
    if _score(password) < SCORE_MIN:
        raise BadInput("password-guessable")
    return password


def personal_words(*values: str) -> tuple[str, ...]:
    """Return the pieces of a customer's data that a password must not contain: each whole, and its digits' tails."""
    words: list[str] = []
    for value in values:
        bare = re.sub(r"[^\w]", "", value.casefold())
        words += [bare, bare[-6:], bare[-8:]] if bare.isdigit() else [bare]
    return tuple(word for word in words if word)


def _contains(bare: str, words: Iterable[str]) -> bool:
    return any(word in bare for word in words)


def _mostly(bare: str, words: Iterable[str]) -> bool:
    rest = bare
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != bare and len(rest) <= 4  # a year is no secret


def _score(password: str) -> int:
    # Loaded on first use: its word lists cost 100 ms, and only a new password needs them.
    from zxcvbn import zxcvbn

    return int(zxcvbn(password[:JUDGED_CHARS])["score"])
