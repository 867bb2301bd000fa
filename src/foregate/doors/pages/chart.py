"""Money in and out by month: bars beside each other, and the same as a table. Whole numbers only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from foregate.doors.amounts import plain
from foregate.doors.text import catalog
from foregate.ports.accounts import MonthSum
from foregate.rules.money import Money, zero

WIDTH, HEIGHT, FLOOR = 336, 150, 130
_SLOT: Final = 28
_BAR: Final = 11


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One month: its two bars, and what it says below and in the table."""

    x: int
    in_top: int
    in_height: int
    out_x: int
    out_top: int
    out_height: int
    label: str
    middle: int
    month: str
    money_in: str
    money_out: str


def bars_of(language: str, months: Sequence[str], sums: Iterable[MonthSum], currency: str) -> tuple[Bar, ...]:
    """Return a bar for each of `months`. Empty: nothing moved in all of them."""
    total_in, total_out = dict.fromkeys(months, zero(currency)), dict.fromkeys(months, zero(currency))
    for one in sums:
        if one.month in total_in:
            total_in[one.month] += one.money_in
            total_out[one.month] += one.money_out
    most = max((money.minor for money in (*total_in.values(), *total_out.values())), default=0)
    if not most:
        return ()
    return tuple(_bar(language, n, month, total_in[month], total_out[month], most) for n, month in enumerate(months))


def _bar(language: str, n: int, month: str, money_in: Money, money_out: Money, most: int) -> Bar:
    high_in, high_out = (_height(money, most) for money in (money_in, money_out))
    x = n * _SLOT + 2
    name = catalog.text(language, f"when.month.{int(month[5:])}")
    return Bar(
        x=x,
        in_top=FLOOR - high_in,
        in_height=high_in,
        out_x=x + _BAR + 1,
        out_top=FLOOR - high_out,
        out_height=high_out,
        label=str(int(month[5:])),
        middle=x + _BAR,
        month=catalog.text(language, "accounts.month", month=name, year=month[:4]),
        money_in=plain(language, money_in),
        money_out=plain(language, money_out),
    )


def _height(money: Money, most: int) -> int:
    """Return the height of a bar; whatever is not nothing is seen."""
    return max(2, money.minor * (FLOOR - 10) // most) if money.minor else 0
