"""From accounts and entries to what stands on a page: words, amounts that may be hidden, days in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from foregate.desk.accounts import Holding
from foregate.doors import amounts
from foregate.doors.amounts import Shown
from foregate.doors.pages.render import Page, respond
from foregate.doors.requests import language_of
from foregate.doors.text import catalog
from foregate.local_time import day_of, hour_and_minute, say_day
from foregate.ports.accounts import Account, Balance, BalanceType, Entry, EntryStatus, Indicator, Party

HIDE: Final = "hide"


class BalanceLine(msgspec.Struct, frozen=True):
    """A balance of one type, and the day it is of."""

    name: str
    amount: Shown
    day: str


class Pile(msgspec.Struct, frozen=True, kw_only=True):
    """An account as a list shows it."""

    href: str
    name: str
    number: str
    available: Shown | None
    booked: Shown | None
    day: str
    every: list[BalanceLine]  # of every type that is known


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as a list shows it. `state` says what is not booked."""

    href: str
    who: str
    what: str
    amount: Shown
    state: str
    after: Shown | None
    day: str


class Day(msgspec.Struct, frozen=True):
    """The entries of one day."""

    label: str
    lines: list[Line]


class Fact(msgspec.Struct, frozen=True):
    """One line of the details."""

    name: str
    value: str
    said: str = ""


def is_hidden(request: Request) -> bool:
    """Whether this browser wants no amounts."""
    return bool(request.app.state.cookies.read(request, HIDE) == "1")


def respond_money(page: Page, request: Request, *, draws: bool = False, **facts: Any) -> Response:
    """Return a page about money; `draws`: with charts and tables."""
    styled = replace(page, sheets=("accounts", "chart") if draws else ("accounts",))
    return respond(styled, request, is_hidden=is_hidden(request), **facts)


def piles(request: Request, held: Iterable[Holding]) -> list[Pile]:
    """Return accounts for a list."""
    return [pile(one, language_of(request), hidden=is_hidden(request)) for one in held]


def pile(holding: Holding, language: str, *, hidden: bool) -> Pile:
    """Return one account for a list."""
    account = holding.account
    by_type = {balance.balance_type: balance for balance in holding.balances}
    available, booked = by_type.get(BalanceType.INTERIM_AVAILABLE), by_type.get(BalanceType.INTERIM_BOOKED)

    def shown(which: Any) -> Shown | None:
        return amounts.balance(language, which.signed, is_hidden=hidden) if which else None

    latest = available or booked
    return Pile(
        href=f"/accounts/{account.account_id}",
        name=name_of(account),
        number=account.masked_identification,
        available=shown(available or booked),
        booked=shown(booked) if booked and available and booked.amount != available.amount else None,
        day=say_day(catalog.text, language, date.fromisoformat(latest.reference_date)) if latest else "",
        every=[_balance_line(language, balance, hidden=hidden) for balance in holding.balances],
    )


def _balance_line(language: str, balance: Balance, *, hidden: bool) -> BalanceLine:
    return BalanceLine(
        catalog.text(language, f"accounts.balance.{balance.balance_type}"),
        amounts.balance(language, balance.signed, is_hidden=hidden),
        day_in_words(language, balance.reference_date),
    )


def name_of(account: Account) -> str:
    """Return what an account is called."""
    return account.name or account.product or account.servicer.name or account.scheme_name


def lines(request: Request, entries: Iterable[Entry]) -> list[Line]:
    """Return entries for a list."""
    return [_line(entry, language_of(request), hidden=is_hidden(request)) for entry in entries]


def days(request: Request, entries: Sequence[Entry]) -> list[Day]:
    """Return entries grouped by day, in the order they came."""
    language = language_of(request)
    return [
        Day(day_in_words(language, day), lines(request, grouped))
        for day, grouped in groupby(entries, key=lambda entry: entry.day)
    ]


def day_in_words(language: str, day: str) -> str:
    """Return an ISO date in words, with its year: a record goes back a long way."""
    found = date.fromisoformat(day)
    return catalog.text(language, "accounts.day", day=say_day(catalog.text, language, found), year=found.year)


def moment_in_words(language: str, moment: int, time_zone: str) -> str:
    """Return day, year and hour in words."""
    day = day_in_words(language, day_of(moment, time_zone).isoformat())
    return catalog.text(language, "when.moment", day=day, time=hour_and_minute(moment, time_zone))


def _line(entry: Entry, language: str, *, hidden: bool) -> Line:
    after = entry.balance_after_transaction
    what = " ".join(entry.remittance_information) or catalog.text(language, f"accounts.category.{entry.category}")
    is_booked = entry.status is EntryStatus.BOOKED
    return Line(
        href=f"/accounts/{entry.account_id}/entries/{entry.entry_id}",
        who=entry.counterparty.name or entry.counterparty.masked_account or what,
        what=what,
        amount=amounts.moved(language, entry, is_hidden=hidden),
        state="" if is_booked else catalog.text(language, f"accounts.status.{entry.status}"),
        after=amounts.balance(language, after, is_hidden=hidden) if after is not None else None,
        day=say_day(catalog.text, language, date.fromisoformat(entry.day)),
    )


# ---------------------------------------------------------------- one entry


def facts_of(account: Account, entry: Entry, language: str, *, hidden: bool) -> list[Fact]:
    """Return everything that is known of an entry, in the order people ask for it."""

    def say(key: str, **facts: object) -> str:
        return catalog.text(language, f"accounts.entry.{key}", **facts)

    found = [Fact(say("status"), catalog.text(language, f"accounts.status.{entry.status}"))]
    found += _dates(language, account, entry)
    found += _parties(language, account, entry)
    is_many, count = entry.number_of_transactions > 1, entry.number_of_transactions
    named = {
        "batch": say("batch-count", count=count) if is_many else "",
        "remittance": "\n".join(entry.remittance_information),
        "remittance-reference": entry.remittance_reference,
        "additional": entry.additional_entry_information,
        "category": catalog.text(language, f"accounts.category.{entry.category}"),
        "purpose": _purpose(language, entry.purpose_code),
    }
    found += [Fact(say(key), value) for key, value in named.items() if value]
    found += _money_facts(language, entry, hidden=hidden)
    named = {
        "code": _code(language, entry),
        "cheque": entry.cheque_number,
        "mandate": entry.mandate_id,
        "reference": entry.entry_reference,
        "bank-reference": entry.account_servicer_reference,
        "end-to-end": entry.end_to_end_id,
        "uetr": entry.uetr,
    }
    return found + [Fact(say(key), value) for key, value in named.items() if value]


def _purpose(language: str, code: str) -> str:
    """Return what was said that it is for: in words where we have some, and as it was said."""
    key = f"accounts.purpose.{code}"
    return f"{catalog.text(language, key)} ({code})" if code and catalog.has(language, key) else code


def _code(language: str, entry: Entry) -> str:
    """Return the bank's code: the family and what of it in words, and the code that support asks for."""
    code, own = entry.bank_transaction_code, entry.proprietary_bank_transaction_code
    if code is None:
        key = f"accounts.code.{own.rpartition('.')[2]}"  # Fineract's: savingsAccountTransactionType.deposit
        return catalog.text(language, key) if catalog.has(language, key) else own
    keys = (f"accounts.code.{part}" for part in (code.family, code.sub_family))
    words = list(dict.fromkeys(catalog.text(language, key) for key in keys if catalog.has(language, key)))
    return " · ".join((*words, code.text, *((own,) if own else ())))


def _dates(language: str, account: Account, entry: Entry) -> Iterable[Fact]:
    def say(key: str) -> str:
        return catalog.text(language, f"accounts.entry.{key}")

    if entry.booking_date:
        key = "booked-in" if entry.credit_debit_indicator is Indicator.CREDIT else "booked-out"
        yield Fact(say(key), day_in_words(language, entry.booking_date))
    else:
        yield Fact(say("expected"), f"{day_in_words(language, entry.day)} ({say('not-booked')})")
    if entry.value_date:
        yield Fact(say("value"), day_in_words(language, entry.value_date))
    if entry.transaction_date_time is not None:
        when = moment_in_words(language, entry.transaction_date_time, account.time_zone)
        yield Fact(say("happened"), when)


def _parties(language: str, account: Account, entry: Entry) -> Iterable[Fact]:
    is_in = entry.credit_debit_indicator is Indicator.CREDIT
    mine = {"payer": not is_in, "payee": is_in}
    told = {
        "payer": entry.debtor,
        "ultimate-payer": entry.ultimate_debtor,
        "payee": entry.creditor,
        "ultimate-payee": entry.ultimate_creditor,
    }
    for key, party in told.items():
        said = _party(language, account, party, is_mine=mine.get(key, False))
        if said:
            yield Fact(catalog.text(language, f"accounts.entry.{key}"), said)


def _party(language: str, account: Account, party: Party, *, is_mine: bool) -> str:
    """Name, masked number and bank, a line each; of the owner's side this account."""
    number, name = party.masked_account, party.name
    if is_mine:
        this = catalog.text(language, "accounts.entry.this-account")
        number, name = f"{account.masked_identification} ({this})", name or account.owner_name
    return "\n".join(part for part in (name, number, party.agent_name or party.agent) if part)


def _money_facts(language: str, entry: Entry, *, hidden: bool) -> Iterable[Fact]:
    def say(key: str, **facts: object) -> str:
        return catalog.text(language, f"accounts.entry.{key}", **facts)

    if entry.transaction_amount is not None:
        rate = entry.currency_exchange.rate if entry.currency_exchange else ""
        said = amounts.balance(language, entry.transaction_amount, is_hidden=hidden)
        yield Fact(say("original"), said.text + (f" ({say('rate', rate=rate)})" if rate else ""), said.said)
    if entry.charge_amount is not None:
        said = amounts.balance(language, entry.charge_amount, is_hidden=hidden)
        yield Fact(say("charge"), said.text, said.said)
    if entry.balance_after_transaction is not None:
        said = amounts.balance(language, entry.balance_after_transaction, is_hidden=hidden)
        yield Fact(say("balance-after"), said.text, said.said)
