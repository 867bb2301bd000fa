"""Statements, whatever the format they came in: what a reader yields, and what has to be true of it.

A reader yields, for each statement, a `Head`, its `Item`s in the order of the file, and a `Tail`. `checked` passes them
on with what follows from the whole: the balance after each entry, what tells it from every other, and the sums.

Rules
  1. A file is believed whole or not at all. What is wrong names the line and the reason, and never what was written
     there: a reason is printed, and a statement is private.
  2. One statement is one account in one currency. Opening and booked entries make the closing balance, to the cent.
  3. The same entry has the same fingerprint in every file: its day, amount and the bank's own reference; where there is
     none, everything it says; and how many like it came before it in the file, for two coffees on one day.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from foregate.ports.accounts import Balance, BalanceType, Entry, EntryStatus, Indicator, Servicer
from foregate.ports.ledger import Told
from foregate.rules import limits
from foregate.rules.categories import Category, category_of
from foregate.rules.money import BadMoney, Money, money

FINGERPRINT_BYTES: Final = 16


class Refused(Exception):
    """This file cannot be believed. `line` is 1 for the first; 0: the file as such."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line, self.reason = line, reason


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Whose statement begins here. `balances` are those that the format has ahead of the entries."""

    line: int
    kind: str  # camt.053, mt940 ...
    statement_id: str
    scheme_name: str
    identification: str
    currency: str = ""  # empty: the balances and entries say it
    owner_name: str = ""
    name: str = ""
    cash_account_type: str = "CACC"
    product: str = ""
    servicer: Servicer = Servicer()
    owner: str = ""  # who the file says the account belongs to, in the words of the core bank
    balances: tuple[Balance, ...] = ()
    needs_balances: bool = False


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, as it stands in the file."""

    line: int
    entry: Entry


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says its entries come to; None where it does not say."""

    line: int = 0
    entries: int | None = None
    credits: int | None = None
    debits: int | None = None
    credit_sum: str = ""  # decimal text: in the statement's currency
    debit_sum: str = ""


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """Here the statement ends."""

    line: int
    balances: tuple[Balance, ...] = ()
    totals: Totals = Totals()


Event = Head | Item | Tail


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that was read to its end and found true. Sums are of booked entries, in the account's currency."""

    head: Head
    currency: str
    digest: bytes
    opening: Money | None
    closing: Money | None
    closing_day: str
    balances: tuple[Balance, ...]
    entries: int
    money_in: Money
    money_out: Money


def checked(events: Iterable[Event]) -> Iterator[Told | Statement]:
    """Yield the entries of each statement, then the statement. Raises Refused at the first thing that is not true.

    Whoever writes what comes before a Statement has to have read the whole file once before.
    """
    running: _Running | None = None
    seen: Counter[bytes] = Counter()
    entries = statements = 0
    for event in events:
        if isinstance(event, Head):
            running = _Running(event, seen)
            statements += 1
        elif running is None:
            raise Refused(event.line, "an entry outside of a statement")
        elif isinstance(event, Item):
            entries += 1
            if entries > limits.STATEMENT_ENTRIES:
                raise Refused(event.line, f"more than {limits.STATEMENT_ENTRIES} entries")
            yield running.told(event)
        else:
            yield running.ended(event)
            running = None
        if statements > limits.STATEMENTS_PER_FILE:
            raise Refused(event.line, f"more than {limits.STATEMENTS_PER_FILE} statements")
    if running is not None:
        raise Refused(0, "ends in the middle of a statement")
    if not statements:
        raise Refused(0, "has no statement in it")


class _Running:
    """One statement while it is read."""

    def __init__(self, head: Head, seen: Counter[bytes]) -> None:
        self.head, self.seen = head, seen
        self.currency = head.currency
        self.entries = self.credits = self.debits = 0
        self.credit_minor = self.debit_minor = 0
        self.digest = hashlib.sha256()
        for balance in head.balances:
            self._same(balance.amount, head.line)
        self.opening = _one_of(head.balances, BalanceType.OPENING_BOOKED, BalanceType.PREVIOUSLY_CLOSED)

    def told(self, item: Item) -> Told:
        """Return an entry with what follows from its place in the statement."""
        entry = item.entry
        self._same(entry.amount, item.line)
        self.entries += 1
        if entry.credit_debit_indicator is Indicator.CREDIT:
            self.credits += 1
        else:
            self.debits += 1
        if entry.status is EntryStatus.BOOKED:
            self.credit_minor += max(0, entry.signed.minor)
            self.debit_minor += max(0, -entry.signed.minor)
            if max(self.credit_minor, self.debit_minor) > limits.AMOUNT_MINOR_MAX:
                raise Refused(item.line, "entries that come to more than anybody owns")
            entry = self._with_balance(entry, item.line)
        fingerprint = self._fingerprint(entry)
        self.digest.update(fingerprint)
        waiting = b"" if entry.status in _WAITING else _waiting_fingerprint(entry)
        return Told(entry=_with_category(entry), fingerprint=fingerprint, waiting=waiting)

    def _with_balance(self, entry: Entry, line: int) -> Entry:
        if self.opening is None:
            return entry
        after = self.opening.signed + Money(self.credit_minor - self.debit_minor, self.currency)
        said = entry.balance_after_transaction
        if said is not None and said != after:
            raise Refused(line, "the balance after this entry is not the one before it and the amount")
        return msgspec.structs.replace(entry, balance_after_transaction=after)

    def ended(self, tail: Tail) -> Statement:
        """Return the statement. Raises Refused when it does not add up."""
        for balance in tail.balances:
            self._same(balance.amount, tail.line)
        balances = (*self.head.balances, *tail.balances)
        opening, closing = self.opening, _one_of(balances, BalanceType.CLOSING_BOOKED)
        if self.head.needs_balances and (opening is None or closing is None):
            raise Refused(self.head.line, "has no opening or no closing balance")
        if not self.currency:
            raise Refused(self.head.line, "does not say in which currency it is")
        moved = Money(self.credit_minor - self.debit_minor, self.currency)
        if opening is not None and closing is not None and opening.signed + moved != closing.signed:
            raise Refused(tail.line, "opening balance and entries do not make the closing balance")
        self._check(tail.totals)
        for part in (self.head.kind, self.head.statement_id, opening, closing, self.entries):
            self.digest.update(repr(part).encode() + b"\0")
        return Statement(
            head=self.head,
            currency=self.currency,
            digest=self.digest.digest()[:FINGERPRINT_BYTES],
            opening=opening.signed if opening else None,
            closing=closing.signed if closing else None,
            closing_day=closing.reference_date if closing else "",
            balances=balances,
            entries=self.entries,
            money_in=Money(self.credit_minor, self.currency),
            money_out=Money(self.debit_minor, self.currency),
        )

    def _check(self, totals: Totals) -> None:
        for what, told, counted in (
            ("number of entries", totals.entries, self.entries),
            ("number of credits", totals.credits, self.credits),
            ("number of debits", totals.debits, self.debits),
        ):
            if told is not None and told != counted:
                raise Refused(totals.line, f"the {what} is not the one that the statement says")
        for what, said, minor in (
            ("sum of credits", totals.credit_sum, self.credit_minor),
            ("sum of debits", totals.debit_sum, self.debit_minor),
        ):
            if said and _money(said, self.currency, totals.line).minor != minor:
                raise Refused(totals.line, f"the {what} is not the one that the statement says")

    def _same(self, amount: Money, line: int) -> None:
        if self.currency and amount.currency != self.currency:
            raise Refused(line, "two currencies in one account")
        self.currency = amount.currency

    def _fingerprint(self, entry: Entry) -> bytes:
        if entry.status in _WAITING and (waiting := _waiting_fingerprint(entry)):
            return waiting
        key = _digest(entry.status, entry.day, entry.signed.text, _reference(entry) or _everything(entry))
        account = _digest(self.head.scheme_name, self.head.identification, self.currency, key.hex())
        self.seen[account] += 1
        return _digest(key.hex(), str(self.seen[account]))


_WAITING: Final = frozenset({EntryStatus.PENDING, EntryStatus.FUTURE})


def _money(text: str, currency: str, line: int) -> Money:
    try:
        return money(text, currency)
    except BadMoney as wrong:
        raise Refused(line, f"a sum that is none: {wrong}") from None


def _one_of(balances: Iterable[Balance], *kinds: BalanceType) -> Balance | None:
    found = {balance.balance_type: balance for balance in balances}
    return next((found[kind] for kind in kinds if kind in found), None)


def _with_category(entry: Entry) -> Entry:
    if entry.category is not Category.OTHER:
        return entry
    code = entry.bank_transaction_code
    category = category_of(
        purpose_code=entry.purpose_code,
        merchant_category_code=entry.merchant_category_code,
        codes=(code.family, code.sub_family) if code else (),
        words=" ".join((entry.counterparty.name, *entry.remittance_information, entry.additional_entry_information)),
    )
    return msgspec.structs.replace(entry, category=category)


def _reference(entry: Entry) -> str:
    return entry.account_servicer_reference or entry.uetr


def _everything(entry: Entry) -> str:
    return "\0".join(
        (
            entry.value_date or "",
            entry.entry_reference,
            entry.end_to_end_id,
            *(f"{party.name}\0{party.account}" for party in (entry.debtor, entry.creditor)),
            *entry.remittance_information,
            entry.additional_entry_information,
        )
    )


def _waiting_fingerprint(entry: Entry) -> bytes:
    """Return what an entry is known by from when it waits; empty where the bank gives no reference."""
    reference = _reference(entry)
    return _digest("waiting", entry.signed.text, reference) if reference else b""


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()[:FINGERPRINT_BYTES]
