"""What Apache Fineract's staff API answers, of what we ask: its fields, and how they become ours.

Its numbers are JSON numbers. They are decoded as decimals from the text itself, so no float is ever made of them.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from foregate.ports.accounts import (
    Account,
    AccountStatus,
    Balance,
    BalanceType,
    Entry,
    EntryStatus,
    Indicator,
    Party,
    Servicer,
)
from foregate.rules.categories import category_of
from foregate.rules.money import Money, money

# Amounts that are held, and let go of again: nothing was booked.
_HOLDS: Final = frozenset({"amountHold", "amountRelease"})
Day = list[int] | str


class _Enum(msgspec.Struct, frozen=True):
    code: str = ""
    value: str = ""
    active: bool = False
    closed: bool = False


class _Currency(msgspec.Struct, frozen=True):
    code: str


class _Timeline(msgspec.Struct, frozen=True):
    activated_on: Day | None = msgspec.field(default=None, name="activatedOnDate")


class _Summary(msgspec.Struct, frozen=True, rename="camel"):
    account_balance: Decimal = Decimal(0)
    available_balance: Decimal | None = None


class Savings(msgspec.Struct, frozen=True, rename="camel"):
    """A savings account, in a client's list or by itself."""

    id: int
    account_no: str
    currency: _Currency
    status: _Enum = _Enum()
    client_name: str = ""
    savings_product_name: str = ""
    product_name: str = ""
    timeline: _Timeline = _Timeline()
    summary: _Summary = _Summary()


class ClientAccounts(msgspec.Struct, frozen=True, rename="camel"):
    """GET clients/external-id/REF/accounts."""

    savings_accounts: tuple[Savings, ...] = ()


class _PaymentDetail(msgspec.Struct, frozen=True, rename="camel"):
    account_number: str | None = None
    bank_number: str | None = None
    receipt_number: str | None = None


class Transaction(msgspec.Struct, frozen=True, rename="camel"):
    """One item of a search, or a transaction by itself."""

    id: int
    account_id: int
    amount: Decimal
    entry_type: str
    date: Day
    submitted_on_date: Day | None = None
    running_balance: Decimal | None = None
    transaction_type: _Enum = _Enum()
    payment_detail_data: _PaymentDetail | None = None
    note: str | None = None
    reversed: bool = False
    is_reversal: bool = False

    @property
    def booked_on(self) -> str:
        """The day it was entered on: Fineract's own order of booking."""
        return day_of(self.submitted_on_date or self.date)


class Found(msgspec.Struct, frozen=True):
    """GET savingsaccounts/ID/transactions/search."""

    content: tuple[Transaction, ...] = ()
    total: int = 0


def day_of(day: Day) -> str:
    """Return an ISO date; Fineract writes [2026, 11, 3], and newer versions "2026-11-03"."""
    return date.fromisoformat(day).isoformat() if isinstance(day, str) else date(*day).isoformat()


def amount_of(number: Decimal, currency: str) -> Money:
    """Return a decimal of the wire as money; zeros behind the currency's digits are nothing."""
    return money(f"{number:f}", currency)


def account_of(savings: Savings, core_ref: str, bank: str) -> Account:
    """Return an account of ours. It has no version: Fineract counts none."""
    status = AccountStatus.ENABLED if savings.status.active else AccountStatus.BLOCKED
    opened = savings.timeline.activated_on
    return Account(
        account_id=str(savings.id),
        core_ref=core_ref,
        scheme_name="BBAN",
        identification=savings.account_no,
        currency=savings.currency.code,
        cash_account_type="SVGS",
        product=savings.savings_product_name or savings.product_name,
        status=AccountStatus.DELETED if savings.status.closed else status,
        owner_name=savings.client_name,
        opened_on=day_of(opened) if opened else "",
        servicer=Servicer(name=bank),
    )


def balances_of(savings: Savings, today: str) -> tuple[Balance, ...]:
    """Return what is available and what is booked; where the first is not said, nothing is held."""
    summary, currency = savings.summary, savings.currency.code
    available = summary.account_balance if summary.available_balance is None else summary.available_balance
    return tuple(
        Balance(
            balance_type=kind,
            amount=abs(signed),
            credit_debit_indicator=Indicator.DEBIT if signed.minor < 0 else Indicator.CREDIT,
            reference_date=today,
        )
        for kind, signed in (
            (BalanceType.INTERIM_AVAILABLE, amount_of(available, currency)),
            (BalanceType.INTERIM_BOOKED, amount_of(summary.account_balance, currency)),
        )
    )


def entry_of(transaction: Transaction, account: Account) -> Entry:
    """Return an entry of ours."""
    kind = transaction.transaction_type.code.rpartition(".")[2]
    status = EntryStatus.BOOKED
    if transaction.reversed:
        status = EntryStatus.REJECTED  # it was undone, and counts in no balance
    elif kind in _HOLDS:
        status = EntryStatus.PENDING
    indicator = Indicator.CREDIT if transaction.entry_type == "CREDIT" else Indicator.DEBIT
    paid = transaction.payment_detail_data or _PaymentDetail()
    other = Party(account=paid.account_number or "", agent=paid.bank_number or "")
    mine = Party(name=account.owner_name, account=account.identification)
    sides = (other, mine) if indicator is Indicator.CREDIT else (mine, other)
    words = (transaction.note,) if transaction.note else ()
    is_booked, running = status is EntryStatus.BOOKED, transaction.running_balance
    fields: dict[str, Any] = {
        "booking_date": transaction.booked_on if is_booked else None,
        "balance_after_transaction": amount_of(running, account.currency)
        if is_booked and running is not None
        else None,
        "account_servicer_reference": paid.receipt_number or "",
        "proprietary_bank_transaction_code": transaction.transaction_type.value,
    }
    return Entry(
        entry_id=str(transaction.id),
        account_id=account.account_id,
        status=status,
        credit_debit_indicator=indicator,
        amount=amount_of(transaction.amount, account.currency),
        day=transaction.booked_on,
        sequence=transaction.id,
        value_date=day_of(transaction.date),
        reversal_indicator=transaction.is_reversal,
        debtor=sides[0],
        creditor=sides[1],
        remittance_information=words,
        category=category_of(words=" ".join((*words, transaction.transaction_type.value))),
        **fields,
    )
