"""What somebody looks for in a record, read from the address: the same words for the page and for the API."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from foregate.ports.accounts import EntryStatus, Indicator, Wanted
from foregate.rules import limits
from foregate.rules.categories import Category
from foregate.rules.money import BadMoney, Money, money

DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
AMOUNT: Final = r"[0-9]{1,15}(\.[0-9]{1,4})?"
STATUSES: Final = "|".join(EntryStatus)
STATUS: Final = rf"({STATUSES})(,({STATUSES})){{0,4}}"
CURSOR: Final = r"[A-Za-z0-9_-]{1,64}"
# What people write beside the digits of an amount.
_DECORATION: Final = re.compile(r"[\s,，¥￥元+]")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A search as it was asked. `faults` are the parameters nobody can make sense of; `typed` all that was typed."""

    wanted: Wanted = Wanted()
    cursor: str | None = None
    limit: int = limits.ENTRIES_PER_PAGE
    faults: tuple[str, ...] = ()
    typed: Mapping[str, str] = {}

    @property
    def is_empty(self) -> bool:
        """Whether everything is wanted."""
        return not self.typed

    def address(self, path: str, cursor: str | None = None, **changes: str) -> str:
        """Return the address of this search, or of the one that `changes` make of it."""
        said = {**self.typed, **changes} | ({"cursor": cursor} if cursor else {})
        given = {name: value for name, value in said.items() if value}
        return f"{path}?{urlencode(given)}" if given else path


NAMES: Final = ("dateFrom", "dateTo", "amountFrom", "amountTo", "creditDebitIndicator", "status", "category", "text")
# Value dates are for programs: a person who looks for a day means the one that the record is listed by.
API_NAMES: Final = (*NAMES, "valueDateFrom", "valueDateTo", "cursor", "limit")


def asked_of_api(query: Mapping[str, str], currency: str) -> Asked:
    """Read what an app asks: exactly as documented, or it is a fault."""
    return _asked({name: query[name] for name in API_NAMES if name in query}, currency)


def asked_on_page(query: Mapping[str, str], currency: str) -> Asked:
    """Read what a person typed: blank fields ask nothing, and amounts come in every spelling."""
    given = {name: query.get(name, "").strip() for name in (*NAMES, "cursor")}
    for name in ("amountFrom", "amountTo"):
        given[name] = _DECORATION.sub("", unicodedata.normalize("NFKC", given[name]))
    given["text"] = given["text"][: limits.ENTRY_QUERY_CHARS]
    return _asked({name: value for name, value in given.items() if value}, currency)


def _asked(given: Mapping[str, str], currency: str) -> Asked:
    faults: list[str] = []

    def read(name: str, reads: Callable[[str], Any], otherwise: Any) -> Any:
        if name not in given:
            return otherwise
        try:
            return reads(given[name])
        except ValueError:
            faults.append(name)
            return otherwise

    wanted = Wanted(
        date_from=read("dateFrom", _day, ""),
        date_to=read("dateTo", _day, ""),
        value_from=read("valueDateFrom", _day, ""),
        value_to=read("valueDateTo", _day, ""),
        amount_from=read("amountFrom", lambda text: _amount(text, currency), None),
        amount_to=read("amountTo", lambda text: _amount(text, currency), None),
        credit_debit_indicator=read("creditDebitIndicator", Indicator, None),
        statuses=read("status", _statuses, ()),
        category=read("category", Category, None),
        text=read("text", _text, ""),
    )
    cursor, limit = read("cursor", _cursor, None), read("limit", _limit, int(limits.ENTRIES_PER_PAGE))
    typed = {name: given[name] for name in NAMES if name in given}
    return Asked(wanted=wanted, cursor=cursor, limit=limit, faults=tuple({*faults, *_crossed(wanted)}), typed=typed)


def _crossed(wanted: Wanted) -> Iterable[str]:
    if wanted.date_from and wanted.date_to and wanted.date_from > wanted.date_to:
        yield "dateTo"
    if wanted.value_from and wanted.value_to and wanted.value_from > wanted.value_to:
        yield "valueDateTo"
    if wanted.amount_from and wanted.amount_to and wanted.amount_to < wanted.amount_from:
        yield "amountTo"


def _fitting(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ValueError("not as documented")
    return text


def _day(text: str) -> str:
    return date.fromisoformat(_fitting(DATE, text)).isoformat()


def _amount(text: str, currency: str) -> Money:
    try:
        return money(_fitting(AMOUNT, text), currency)
    except BadMoney:
        raise ValueError("not an amount") from None


def _statuses(text: str) -> tuple[EntryStatus, ...]:
    return tuple(dict.fromkeys(EntryStatus(word) for word in _fitting(STATUS, text).split(",")))


def _text(text: str) -> str:
    if not 1 <= len(text) <= limits.ENTRY_QUERY_CHARS:
        raise ValueError("too long")
    return text


def _cursor(text: str) -> str:
    return _fitting(CURSOR, text)


def _limit(text: str) -> int:
    number = int(_fitting("[0-9]{1,3}", text))
    if not 1 <= number <= limits.ENTRIES_PER_PAGE_MAX:
        raise ValueError("too many")
    return number
