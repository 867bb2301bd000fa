"""Codes that people read off and type: digits, or base32 symbols, and how much they are worth.

A long code has `LONG_CODE_SYMBOLS` symbols of five bits, 65 in all: nobody guesses it, so nothing has to be counted.
"""

from __future__ import annotations

import secrets

from foregate.ports import Keyring
from foregate.rules import limits

BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U to confuse


def symbols_of(number: int, length: int) -> str:
    """Return the lowest `length` times five bits of `number` as symbols."""
    return "".join(BASE32[number >> (5 * place) & 31] for place in range(length))


def random_symbols(length: int) -> str:
    """Return `length` symbols by chance: five bits each."""
    return symbols_of(secrets.randbits(5 * length), length)


def code_of(keyring: Keyring, nonce: bytes, is_long: bool) -> str:
    """Return the code that `nonce` stands for: six digits, or thirteen base32 symbols."""
    number = int.from_bytes(keyring.derive("code", nonce))
    if not is_long:
        return f"{number % 10**limits.CODE_DIGITS:0{int(limits.CODE_DIGITS)}d}"
    return symbols_of(number, limits.LONG_CODE_SYMBOLS)


def in_groups(symbols: str, size: int = 5) -> str:
    """Return symbols in groups, as one reads them to oneself while typing: `ABCDE-FGHJK-MNP`."""
    return "-".join(symbols[start : start + size] for start in range(0, len(symbols), size))
