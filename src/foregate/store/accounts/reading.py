"""Reading accounts: whose they are, their balances, their record page by page, sums by month.

Every list goes along `ix_entry_account_id_day` from a place it names, never from a count: page 1,000 costs what page 1
costs. The index answers filters and search by itself; the rows of a page are read once it is known which they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, and_, case, func, select, tuple_

from foregate.ports.accounts import Account, Balance, BalanceType, Entry, Indicator, MonthSum, Page, Wanted
from foregate.rules import entry_words, limits
from foregate.rules.categories import Category
from foregate.rules.cursors import DIGITS, Place, cursor_of, last_day_of, place_of
from foregate.rules.money import Money
from foregate.store.accounts import tables
from foregate.store.accounts.rows import ACCOUNT_SEALED, account_of, entry_of, signs_of
from foregate.store.keyring import Keys
from foregate.store.statements import Connection, Row, Statement, Value, number, text_of, time_of

_a, _b, _e = tables.account.c, tables.balance.c, tables.entry.c
_mine: Final = _e.account_id == text_of("of_account")
_STATUSES: Final = 5

_ACCOUNTS_OF: Final = Statement(
    select(tables.account)
    .where(_a.core_ref == text_of("of_person"), _a.status != tables.DELETED)
    .order_by(_a.created_at, _a.account_id)
    .limit(number(limits.ACCOUNTS_PER_CUSTOMER))
)
_ACCOUNT: Final = Statement(
    select(tables.account).where(
        _a.account_id == text_of("of_account"), _a.core_ref == text_of("of_person"), _a.status != tables.DELETED
    )
)
_BOOKED_SUM: Final = Statement(
    select(_a.booked_minor, _a.anchored_on, _a.credit_line_minor, _a.changed_at).where(
        _a.account_id == text_of("of_account")
    )
)
_REPORTED: Final = Statement(select(tables.balance).where(_b.account_id == text_of("of_account")))
_WAITING: Final = Statement(
    select(tables.total(_e.amount_minor).label("debits")).where(
        _mine, tables.IS_WAITING, _e.status == tables.PENDING, _e.amount_minor < number(0)
    )
)
_BOOKED_SINCE: Final = Statement(
    select(tables.total(_e.amount_minor).label("moved")).where(
        _mine, _e.status == tables.BOOKED, _e.day >= text_of("first_day")
    )
)
_NEWEST_BOOKED: Final = Statement(
    select(_e.day).where(_mine, _e.status == tables.BOOKED).order_by(_e.day.desc(), _e.sequence.desc()).limit(number(1))
)
_SPAN: Final = Statement(select(func.min(_e.day).label("first"), func.max(_e.day).label("last")).where(_mine))
_ENTRY: Final = Statement(select(tables.entry).where(_mine, _e.sequence == time_of("of_sequence")))
_month: Final = func.substr(_e.day, number(1), number(len("2026-11")))
_MONTHS: Final = Statement(
    select(
        _month.label("month"),
        _e.category,
        tables.total(case((_e.amount_minor > number(0), _e.amount_minor), else_=number(0))).label("money_in"),
        tables.total(case((_e.amount_minor < number(0), -_e.amount_minor), else_=number(0))).label("money_out"),
        func.count().label("entries"),
    )
    .where(_mine, _e.status == tables.BOOKED, _e.day.between(text_of("first_day"), text_of("last_day")))
    .group_by(_month, _e.category)
    .order_by(_month, _e.category)
)


class _Asked(msgspec.Struct, frozen=True):
    """Which conditions a list has: what its statement is kept by."""

    has_days: bool
    has_values: bool
    has_amounts: bool
    credit: bool | None
    has_statuses: bool
    has_category: bool
    signs: int


def _conditions(asked: _Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.has_days:
        found.append(_e.day.between(text_of("first_day"), text_of("last_day")))
    if asked.has_values:
        found.append(_e.value_date.between(text_of("first_value"), text_of("last_value")))
    if asked.has_amounts:
        found.append(func.abs(_e.amount_minor).between(time_of("least"), time_of("most")))
    if asked.credit is not None:
        found.append(_e.amount_minor >= number(0) if asked.credit else _e.amount_minor < number(0))
    if asked.has_statuses:
        found.append(_e.status.in_([text_of(f"status_{n}") for n in range(_STATUSES)]))
    if asked.has_category:
        found.append(_e.category == text_of("of_category"))
    return found + [_e.words.like(text_of(f"sign_{n}")) for n in range(asked.signs)]


@cache
def _page(asked: _Asked) -> Statement:
    before = tuple_(_e.day, _e.sequence) < tuple_(text_of("before_day"), time_of("before_sequence"))
    which = (
        select(_e.sequence)
        .where(_mine, before, *_conditions(asked))
        .order_by(_e.day.desc(), _e.sequence.desc())
        .limit(time_of("how_many"))
        .subquery()
    )
    return Statement(
        select(tables.entry)
        .select_from(which)
        .join(tables.entry, and_(_mine, _e.sequence == which.c.sequence))
        .order_by(_e.day.desc(), _e.sequence.desc())
    )


def _asked(wanted: Wanted, signs: Sequence[str]) -> _Asked:
    return _Asked(
        has_days=bool(wanted.date_from or wanted.date_to),
        has_values=bool(wanted.value_from or wanted.value_to),
        has_amounts=wanted.amount_from is not None or wanted.amount_to is not None,
        credit=None if wanted.credit_debit_indicator is None else wanted.credit_debit_indicator is Indicator.CREDIT,
        has_statuses=bool(wanted.statuses),
        has_category=wanted.category is not None,
        signs=len(signs),
    )


def _values(wanted: Wanted, signs: Sequence[str]) -> dict[str, Value]:
    first, last = "0000-01-01", "9999-12-31"
    return {
        "first_day": wanted.date_from or first,
        "last_day": wanted.date_to or last,
        "first_value": wanted.value_from or first,
        "last_value": wanted.value_to or last,
        "least": 0 if wanted.amount_from is None else wanted.amount_from.minor,
        "most": limits.AMOUNT_MINOR_MAX if wanted.amount_to is None else wanted.amount_to.minor,
        "of_category": wanted.category,
        **{f"status_{n}": (*wanted.statuses, *[""] * _STATUSES)[n] for n in range(_STATUSES)},
        **{f"sign_{n}": f"%{sign}%" for n, sign in enumerate(signs)},
    }


class AccountsReading:
    """What `ports.accounts.Accounts` asks, on one connection. Days and `today` are those of the account's place."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def accounts_of(self, core_ref: str) -> tuple[Account, ...]:
        """Every account of a person that is not deleted, oldest first."""
        if not core_ref:
            return ()  # the bank's own
        rows = await self._connection.all(_ACCOUNTS_OF, of_person=core_ref)
        return tuple(account_of(self._keys, row) for row in rows)

    async def account(self, core_ref: str, account_id: str) -> Account | None:
        """One account of this person."""
        row = await self._connection.one(_ACCOUNT, of_account=account_id, of_person=core_ref) if core_ref else None
        if row is None:
            self._keys.spend(ACCOUNT_SEALED)
            return None
        return account_of(self._keys, row)

    async def balances(self, account: Account, today: str) -> tuple[Balance, ...]:
        """What was reported, and what follows from the postings; of each type the later, ITAV and ITBD first."""
        found = {
            balance.balance_type: balance
            for row in await self._connection.all(_REPORTED, of_account=account.account_id)
            for balance in (_reported(row, account.currency),)
        }
        held = await self._connection.one(_BOOKED_SUM, of_account=account.account_id)
        if held is not None and held["anchored_on"]:
            for balance in await self._derived(account, held, today):
                reported = found.get(balance.balance_type)
                if reported is None or reported.reference_date <= balance.reference_date:
                    found[balance.balance_type] = balance
        order = list(BalanceType)
        return tuple(sorted(found.values(), key=lambda balance: order.index(balance.balance_type)))

    async def _derived(self, account: Account, held: Row, today: str) -> tuple[Balance, ...]:
        """Booked is the sum of the postings; available is less by what waits to be taken, and more by the line."""
        booked, line, last, mine = (
            held["booked_minor"],
            held["credit_line_minor"],
            held["changed_at"],
            account.account_id,
        )
        waiting = await self._connection.one(_WAITING, of_account=mine)
        available = booked + (waiting["debits"] if waiting else 0) + (line or 0)
        is_live, day = held["anchored_on"] == tables.LIVE, today
        if not is_live:
            # What a statement said ends with the statement, or with what came after it.
            newest = await self._connection.one(_NEWEST_BOOKED, of_account=mine)
            day = max(held["anchored_on"], newest["day"] if newest else "")

        def balance(kind: BalanceType, minor: int, of_day: str, line: Money | None = None) -> Balance:
            return _balance(kind, Money(minor, account.currency), of_day, last, line)

        credit_line = None if line is None else Money(line, account.currency)
        found = (
            balance(BalanceType.INTERIM_AVAILABLE, available, day, credit_line),
            balance(BalanceType.INTERIM_BOOKED, booked, day),
        )
        if not is_live:
            return found
        since = await self._connection.one(_BOOKED_SINCE, of_account=mine, first_day=today)
        closed = booked - (since["moved"] if since else 0)
        yesterday = (date.fromisoformat(today) - timedelta(days=1)).isoformat()
        return (
            *found,
            balance(BalanceType.CLOSING_BOOKED, closed, yesterday),
            balance(BalanceType.OPENING_BOOKED, closed, today),
        )

    async def entries(self, account: Account, wanted: Wanted, cursor: str | None, limit: int) -> Page:
        """Return the next `limit` entries that fit, newest first."""
        limit = max(1, min(limit, limits.ENTRIES_PER_PAGE_MAX))
        place = place_of(cursor)
        span = await self._connection.one(_SPAN, of_account=account.account_id)
        found: list[Entry] = []
        following: str | None = None
        if not _is_elsewhere(wanted, account.currency):
            found, following = await self._found(account, wanted, place, limit)
        return Page(
            entries=tuple(found),
            next=following,
            first_available=span["first"] if span else None,
            last_available=span["last"] if span else None,
        )

    async def _found(
        self, account: Account, wanted: Wanted, place: Place, limit: int
    ) -> tuple[list[Entry], str | None]:
        """Signs let a few through that do not fit: those are opened, left out, and the search goes on behind them."""
        words = entry_words.typed_words(wanted.text)
        if wanted.text and not words:
            return [], None
        signs = signs_of(self._keys, account.account_id).to_find(words)
        values = _values(wanted, signs) | {"of_account": account.account_id, "how_many": limit + 1}
        statement, found = _page(_asked(wanted, signs)), list[Entry]()
        while True:
            rows = await self._connection.all(statement, **values, before_day=place.day, before_sequence=place.sequence)
            for row in rows:
                entry = entry_of(self._keys, row, account.currency)
                if entry_words.fits(words, entry.texts):
                    found.append(entry)
            if len(found) > limit:
                last = found[limit - 1]
                return found[:limit], cursor_of(last.day, last.sequence)
            if len(rows) <= limit:
                return found, None
            place = Place(rows[-1]["day"], rows[-1]["sequence"])

    async def entry(self, account: Account, entry_id: str) -> Entry | None:
        """One entry of this account."""
        if not (entry_id.isascii() and entry_id.isdecimal() and len(entry_id) <= DIGITS):
            return None
        row = await self._connection.one(_ENTRY, of_account=account.account_id, of_sequence=int(entry_id))
        return entry_of(self._keys, row, account.currency) if row else None

    async def months(self, account: Account, first: str, last: str) -> tuple[MonthSum, ...]:
        """Sums of what was booked, by month and category."""
        days: dict[str, Value] = {"first_day": f"{first}-01", "last_day": last_day_of(last)}
        rows = await self._connection.all(_MONTHS, of_account=account.account_id, **days)
        return tuple(
            MonthSum(
                month=row["month"],
                category=Category(row["category"]),
                money_in=Money(row["money_in"], account.currency),
                money_out=Money(row["money_out"], account.currency),
                entries=row["entries"],
            )
            for row in rows
        )


def _is_elsewhere(wanted: Wanted, currency: str) -> bool:
    amounts = (wanted.amount_from, wanted.amount_to)
    return any(amount is not None and amount.currency != currency for amount in amounts)


def _balance(
    kind: BalanceType, signed: Money, day: str, last_change: int, line: Money | None = None, *, has_line: bool = False
) -> Balance:
    return Balance(
        balance_type=kind,
        amount=abs(signed),
        credit_debit_indicator=Indicator.DEBIT if signed.minor < 0 else Indicator.CREDIT,
        reference_date=day,
        last_change=last_change,
        credit_line=line,
        credit_line_included=has_line or line is not None,
    )


def _reported(row: Row, currency: str) -> Balance:
    signed, kind = Money(row["amount_minor"], currency), BalanceType(row["balance_type"])
    has_line = bool(row["credit_line_included"])
    return _balance(kind, signed, row["reference_date"], row["reported_at"], has_line=has_line)
