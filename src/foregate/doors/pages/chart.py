"""Money in and out by month, and what it was spent on: bars, and the same as a table. Whole numbers only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from foregate.doors.account_query import Asked
from foregate.doors.amounts import figures
from foregate.doors.text import catalog
from foregate.ports.accounts import Account, EntryStatus, Indicator, MonthSum
from foregate.rules.categories import Category
from foregate.rules.money import Money, zero

WIDTH, HEIGHT, FLOOR = 336, 150, 130
_SLOT: Final = 28
_BAR: Final = 11
# What the months of each account were.
Sums = Sequence[tuple[Account, Sequence[MonthSum]]]


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


def bars_of(language: str, months: Sequence[str], sums: Sums, currency: str) -> tuple[Bar, ...]:
    """Return a bar for each of `months`. Empty: nothing moved in all of them."""
    total_in, total_out = dict.fromkeys(months, zero(currency)), dict.fromkeys(months, zero(currency))
    for one in (row for _, rows in sums for row in rows):
        if one.month in total_in:
            total_in[one.month] += one.money_in
            total_out[one.month] += one.money_out
    most = max((money.minor for money in (*total_in.values(), *total_out.values())), default=0)
    if not most:
        return ()
    return tuple(_bar(language, n, month, total_in[month], total_out[month], most) for n, month in enumerate(months))


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What went out for one thing: its bar, its sum, and where its entries are listed, account by account."""

    name: str
    width: int  # of SHARE_WIDTH
    money_out: str
    places: tuple[tuple[str, str], ...]  # name of the link, address


SHARE_WIDTH: Final = 1000


def shares_of(language: str, months: Sequence[str], sums: Sums, currency: str) -> tuple[Share, ...]:
    """Return what went out in `months` by what it was for, the most first. An address finds what its sum counts."""
    spent: dict[Category, Counter[Account]] = {}
    for account, rows in sums:
        for row in rows:
            if row.month in months and row.money_out.minor:
                spent.setdefault(row.category, Counter())[account] += row.money_out.minor
    totals = sorted(((by.total(), category) for category, by in spent.items()), reverse=True)
    return tuple(
        Share(
            name=catalog.text(language, f"accounts.category.{category}"),
            width=max(8, total * SHARE_WIDTH // totals[0][0]),
            money_out=figures(language, Money(total, currency)),
            places=_places(language, category, spent[category], f"{months[0]}-01"),
        )
        for total, category in totals
    )


def _places(language: str, category: Category, by: Mapping[Account, int], first: str) -> tuple[tuple[str, str], ...]:
    """A record is one account's: where several paid for it, each has a link of its own, which says its number."""
    name = catalog.text(language, f"accounts.category.{category}")
    asked = Asked(
        typed={
            "dateFrom": first,
            "creditDebitIndicator": Indicator.DEBIT.value,
            "status": EntryStatus.BOOKED.value,
            "category": category.value,
        }
    )
    return tuple(
        (
            name if len(by) == 1 else f"{name} {account.masked_identification}",
            asked.address(f"/accounts/{account.account_id}"),
        )
        for account in sorted(by, key=lambda one: -by[one])
    )


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
        money_in=figures(language, money_in),
        money_out=figures(language, money_out),
    )


def _height(money: Money, most: int) -> int:
    """Return the height of a bar; whatever is not nothing is seen."""
    return max(2, money.minor * (FLOOR - 10) // most) if money.minor else 0
