"""Amounts as people read them, hear them, and hide them.

Rules
  1. A sign is a sign that everybody sees and a word that a screen reader says: a minus alone is often not read out.
  2. Grouping and the currency's sign are the language's. The digits are the currency's, all of them.
  3. Hidden is not sent: whoever hides amounts has none in the page.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec

from foregate.doors.text import catalog
from foregate.ports.accounts import Entry, Indicator
from foregate.rules.money import Money

HIDDEN: Final = "••••"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An amount on a page: `text` is seen, `said` is heard. `kind` is `in`, `out` or empty."""

    text: str
    said: str
    kind: str = ""


def plain(language: str, money: Money) -> str:
    """Return an amount without a sign: `¥1,234.50`."""
    return _formatted(language, abs(money))


def figures(language: str, money: Money) -> str:
    """Return an amount for a table that names its currency: `1,234.50`."""
    return _number(language, abs(money))


def balance(language: str, money: Money, *, is_hidden: bool = False) -> Shown:
    """Return what is on an account. What is owed has a minus, and is said to be owed."""
    if is_hidden:
        return Shown(text=HIDDEN, said=catalog.text(language, "accounts.hidden"))
    amount = plain(language, money)
    if money.minor < 0:
        return Shown(text=f"−{amount}", said=catalog.text(language, "accounts.owed", amount=amount), kind="out")
    return Shown(text=amount, said=amount)


def moved(language: str, entry: Entry, *, is_hidden: bool = False) -> Shown:
    """Return what came or went."""
    is_in = entry.credit_debit_indicator is Indicator.CREDIT
    kind = "in" if is_in else "out"
    amount = catalog.text(language, "accounts.hidden") if is_hidden else plain(language, entry.amount)
    said = catalog.text(language, f"accounts.said-{kind}", amount=amount)
    sign = "+" if is_in else "−"
    return Shown(text=sign + (HIDDEN if is_hidden else amount), said=said, kind=kind)


def _formatted(language: str, money: Money) -> str:
    sign = sign_of(language, money.currency)
    return catalog.text(language, "language.money", sign=sign, number=_number(language, money))


def _number(language: str, money: Money) -> str:
    digits, point, fraction = money.text.partition(".")
    grouped = f"{int(digits):,d}".replace(",", catalog.text(language, "language.group"))
    return grouped + (catalog.text(language, "language.point") + fraction if point else "")


@cache
def name_of(language: str, currency: str) -> str:
    """Return what the language calls a currency: `人民币`. One without a name keeps its three letters."""
    from babel.numbers import get_currency_name  # its data is read when the first amount is shown

    return get_currency_name(currency, locale=catalog.text(language, "language.locale"))


@cache
def sign_of(language: str, currency: str) -> str:
    """Return how the language writes a currency; letters keep a distance from the digits."""
    from babel.numbers import get_currency_symbol  # its data is read when the first amount is shown

    sign = get_currency_symbol(currency, locale=catalog.text(language, "language.locale"))
    return f"{sign} " if sign[-1:].isalpha() else sign
