"""The sandbox file of the Open Bank Project: banks, accounts and their transactions with the balance after each.

One account of the file is one statement. Its opening balance is what the first transaction found, its closing balance
what the last one left; each balance between has to follow from the one before. What the file says of the account's
balance beside is not looked at: in the published example it is another bank's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO, Final

import msgspec

from foregate.accounts.statements import Event, Head, Item, Refused, Tail
from foregate.ports.accounts import Balance, BalanceType, Entry, EntryStatus, Indicator, Party, Servicer
from foregate.rules import limits
from foregate.rules.money import BadMoney, Money, money

KIND: Final = "obp"
_KINDS: Final = {"SAVINGS": "SVGS", "RED MASTERCARD": "CARD"}


class _Amount(msgspec.Struct):
    currency: str
    amount: str


class _Bank(msgspec.Struct):
    id: str
    full_name: str = ""


class _Account(msgspec.Struct):
    id: str
    bank: str
    number: str
    balance: _Amount
    label: str = ""
    type: str = ""
    owners: tuple[str, ...] = ()


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


class _Key(msgspec.Struct, frozen=True):
    id: str
    bank: str


class _Details(msgspec.Struct):
    completed: str
    new_balance: str
    value: str
    type: str = ""
    description: str = ""
    posted: str = ""


class _Transaction(msgspec.Struct):
    id: str
    this_account: _Key
    details: _Details
    counterparty: _Named = _Named()


class _Sandbox(msgspec.Struct):
    accounts: tuple[_Account, ...]
    transactions: tuple[_Transaction, ...]
    banks: tuple[_Bank, ...] = ()


def read(file: BinaryIO) -> Iterator[Event]:
    """Yield what is in the file. Raises Refused; `line` is the number of the transaction."""
    content = file.read(limits.OBP_FILE_BYTES + 1)
    if len(content) > limits.OBP_FILE_BYTES:
        raise Refused(0, f"more than {limits.OBP_FILE_BYTES} bytes")
    try:
        sandbox = msgspec.json.decode(content, type=_Sandbox)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Refused(0, f"no sandbox file: {type(wrong).__name__}") from None
    names = {bank.id: bank.full_name for bank in sandbox.banks}
    of: dict[_Key, list[tuple[int, _Transaction]]] = {}
    for number, transaction in enumerate(sandbox.transactions, 1):
        of.setdefault(transaction.this_account, []).append((number, transaction))
    known = {_Key(account.id, account.bank) for account in sandbox.accounts}
    for key, transactions in of.items():
        if key not in known:
            raise Refused(transactions[0][0], "a transaction of an account that the file does not have")
    for account in sandbox.accounts:
        transactions = of.get(_Key(account.id, account.bank), [])
        if transactions:
            yield from _statement(account, transactions, names.get(account.bank, ""))


def _statement(account: _Account, transactions: list[tuple[int, _Transaction]], bank: str) -> Iterator[Event]:
    currency = account.balance.currency
    line, first = transactions[0]
    opening = _signed(first.details.new_balance, currency, line) - _signed(first.details.value, currency, line)
    last_line, last = transactions[-1]
    yield Head(
        line=line,
        kind=KIND,
        statement_id=f"{account.bank}/{account.id}",
        scheme_name="BBAN",
        identification=account.number,
        currency=currency,
        name=account.label,
        product=account.type,
        cash_account_type=_KINDS.get(account.type.upper(), "CACC"),
        servicer=Servicer(clearing_member_id=account.bank, name=bank),
        owner=account.owners[0] if account.owners else "",
        balances=(_balance(BalanceType.OPENING_BOOKED, opening, _day(first.details.completed, line).isoformat()),),
        needs_balances=True,
    )
    days = []
    for number, transaction in transactions:
        days.append(_day(transaction.details.completed, number).isoformat())
        yield Item(line=number, entry=_entry(transaction, currency, number))
    closing = _signed(last.details.new_balance, currency, last_line)
    yield Tail(line=last_line, balances=(_balance(BalanceType.CLOSING_BOOKED, closing, max(days)),))


def _entry(transaction: _Transaction, currency: str, line: int) -> Entry:
    details = transaction.details
    value = _signed(details.value, currency, line)
    indicator = Indicator.DEBIT if value.minor < 0 else Indicator.CREDIT
    day, party = _day(details.completed, line), Party(name=transaction.counterparty.name)
    return Entry(
        entry_id="",
        account_id="",
        sequence=0,
        status=EntryStatus.BOOKED,
        credit_debit_indicator=indicator,
        amount=abs(value),
        day=day.isoformat(),
        booking_date=day.isoformat(),
        value_date=_day(details.posted, line).isoformat() if details.posted else None,
        account_servicer_reference=transaction.id,
        proprietary_bank_transaction_code=details.type,
        debtor=party if indicator is Indicator.CREDIT else Party(),
        creditor=party if indicator is Indicator.DEBIT else Party(),
        remittance_information=(details.description,) if details.description else (),
        balance_after_transaction=_signed(details.new_balance, currency, line),
    )


def _balance(kind: BalanceType, signed: Money, day: str) -> Balance:
    indicator = Indicator.DEBIT if signed.minor < 0 else Indicator.CREDIT
    return Balance(balance_type=kind, amount=abs(signed), credit_debit_indicator=indicator, reference_date=day)


def _signed(text: str, currency: str, line: int) -> Money:
    try:
        return money(text, currency)
    except BadMoney as wrong:
        raise Refused(line, f"an amount that is none: {wrong}") from None


def _day(text: str, line: int) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise Refused(line, "a day that no calendar has") from None
