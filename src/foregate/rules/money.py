"""Money: a whole number of the currency's smallest unit, and the currency. There is no float anywhere near it.

Rules
  1. An amount is kept, added and compared as a whole number of minor units (fen, cents, yen). A test forbids float,
     division and `round` in every module that touches money.
  2. Written down it is a decimal with exactly as many digits after the point as ISO 4217 gives the currency.
  3. Two currencies are never added or compared. Nothing here converts.
  4. What has more digits than its currency has is refused, unless they are zeros: nobody rounds what somebody owns.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

from foregate.rules import limits

# ISO 4217, list one, 2024: currencies whose minor unit is not a hundredth.
_DIGITS: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
         "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
_USUAL_DIGITS: Final = 2
# Codes for testing and for no currency at all; metals and units of account are nobody's balance either.
_NO_MONEY: Final = frozenset({"XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XBA", "XBB", "XBC", "XBD", "XSU", "XUA"})
_CODE: Final = re.compile(r"[A-Z]{3}")
_AMOUNT: Final = re.compile(r"([+-]?)([0-9]{1,18})(?:\.([0-9]{0,18}))?")


class BadMoney(ValueError):
    """Not an amount of money in this currency; the message says why, and never what was written."""


class Money(msgspec.Struct, frozen=True):
    """An amount. Negative only where a sign has a meaning (a balance, a sum); an entry's sign is its indicator."""

    minor: int  # fen, cents: see `digits_of`
    currency: str  # ISO 4217, three capitals

    @property
    def amount(self) -> Decimal:
        """The amount as a decimal with the currency's digits: Decimal('12.30')."""
        return Decimal(self.minor).scaleb(-digits_of(self.currency))

    @property
    def text(self) -> str:
        """The amount as text with the currency's digits: `-12.30`. What APIs and files carry."""
        digits = digits_of(self.currency)
        whole = f"{abs(self.minor):0{digits + 1}d}"
        point = f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole
        return f"-{point}" if self.minor < 0 else point

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise BadMoney("two currencies have no sum and no order")
        return other.minor


def digits_of(currency: str) -> int:
    """Return how many digits an amount of this currency has after the point."""
    return _DIGITS.get(currency, _USUAL_DIGITS)


def currency_of(text: str) -> str:
    """Return an ISO 4217 code as written. Raises BadMoney."""
    if not _CODE.fullmatch(text) or text in _NO_MONEY:
        raise BadMoney("not a currency")
    return text


def money(text: str, currency: str) -> Money:
    """Return the amount that `text` says: digits, a point, perhaps a sign. Raises BadMoney."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise BadMoney("not an amount")
    sign, whole, fraction = found[1], found[2], found[3] or ""
    digits = digits_of(currency_of(currency))
    if fraction[digits:].strip("0"):
        raise BadMoney(f"more than {digits} digits after the point")
    minor = int(whole + fraction[:digits].ljust(digits, "0"))
    if minor > limits.AMOUNT_MINOR_MAX:
        raise BadMoney("more than anybody owns")
    return Money(-minor if sign == "-" else minor, currency)


def zero(currency: str) -> Money:
    """Return nothing, in this currency."""
    return Money(0, currency)
