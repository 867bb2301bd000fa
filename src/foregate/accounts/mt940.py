"""MT940 and MT942 of SWIFT: customer statements and interim reports, as banks really write them.

Rules
  1. A message begins at :20: and ends at a line that begins with a dash, at the next :20:, or with the file. What
     stands around messages, such as the blocks of SWIFT's envelope, is passed over.
  2. A line that begins with a tag begins a field; every other line goes on with the field before.
  3. `:61:` is strict, since it is money. `:86:` is free text: where it has the sub-fields that German banks use, or the
     words between slashes of Dutch ones, names and accounts are taken out of it; else it is remittance as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO, Final

import msgspec

from foregate.accounts.mt940_details import details_of
from foregate.accounts.statements import Event, Head, Item, Refused, Tail, Totals
from foregate.ports.accounts import Balance, BalanceType, Entry, EntryStatus, Indicator, Servicer
from foregate.rules import limits
from foregate.rules.money import BadMoney, Money, money

_TAG: Final = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.DOTALL)
_BALANCE: Final = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]{1,15},[0-9]{0,3})\s*")
_ENTRY: Final = re.compile(
    r"(?P<value>[0-9]{6})(?P<booked>[0-9]{4})?(?P<mark>R?[CD]|E[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>[0-9]{1,15},[0-9]{0,3})(?P<type>[A-Z][A-Z0-9]{3})(?P<references>[^\n]*)(?:\n(?P<more>.*))?",
    re.DOTALL,
)
_SUM: Final = re.compile(r"([0-9]{1,5})([A-Z]{3})([0-9]{1,15},[0-9]{0,3})\s*")
_NUMBER: Final = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]{1,35}")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}")
_NO_REFERENCE: Final = frozenset({"", "NONREF", "KREF+", "EREF"})
# Two digits of a year: a statement from before 1980 was never written in this format.
_CENTURY_TURNS: Final = 80


class _Field(msgspec.Struct):
    """A tag with all its lines."""

    line: int
    tag: str
    text: str


def read(file: BinaryIO) -> Iterator[Event]:
    """Yield what is in the file. Raises Refused."""
    message: _Message | None = None
    for field in _fields(file):
        if field.tag == "20":
            if message is not None:
                yield from message.end(field.line)
            message = _Message(field)
        elif message is None:
            raise Refused(field.line, "a field outside of a message")
        elif field.tag == "-":
            yield from message.end(field.line)
            message = None
        else:
            yield from message.take(field)
    if message is not None:
        yield from message.end(message.line)


def _fields(file: BinaryIO) -> Iterator[_Field]:
    """Yield fields, and `-` for the end of a message. What stands around messages is passed over."""
    field: _Field | None = None
    is_inside = False
    for number, text in _lines(file):
        found = _TAG.fullmatch(text)
        if found is not None and (is_inside or found[1] == "20" or found[1] == "61"):
            if field is not None:
                yield field
            field, is_inside = _Field(number, found[1], found[2]), True
        elif is_inside and re.fullmatch(r"-(\}.*|[A-Z]{3})?[\s\x00-\x1f]*", text):
            if field is not None:
                yield field
            yield _Field(number, "-", "")
            field, is_inside = None, False
        elif field is not None:
            field.text += "\n" + text
            if len(field.text) > limits.STATEMENT_FIELD_CHARS:
                raise Refused(number, f"a field of more than {limits.STATEMENT_FIELD_CHARS} characters")
    if field is not None:
        yield field


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.readline(limits.IMPORT_LINE_CHARS + 2):
        number += 1
        if len(raw) > limits.IMPORT_LINE_CHARS + 1:
            raise Refused(number, f"a line of more than {limits.IMPORT_LINE_CHARS} characters")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        yield number, text.rstrip("\r\n")


class _Message:
    """One message while its fields come in."""

    def __init__(self, reference: _Field) -> None:
        self.line, self.reference = reference.line, reference.text.strip()
        self.account, self.number = "", ""
        self.bank = ""
        self.closing_line = 0
        self.opening: list[Balance] = []
        self.closing: list[Balance] = []
        self.totals: dict[str, tuple[int, str]] = {}
        self.kind = "mt940"
        self.currency = ""
        self.is_begun = False
        self.waiting: _Field | None = None  # an entry whose :86: may follow

    def take(self, field: _Field) -> Iterator[Event]:
        """Take a field; yield the entry that is complete with it."""
        match field.tag:
            case "25":
                self._take_account(field)
            case "28" | "28C":
                self.number = field.text.strip()
            case "60F" | "60M":
                self.opening.append(self._balance(field, BalanceType.OPENING_BOOKED))
            case "34F":
                self.kind, self.currency = "mt942", field.text[:3]
            case "61":
                yield from self._flush("")
                self.waiting = field
            case "86":
                yield from self._flush(field.text)
            case "62F" | "62M":
                yield from self._flush("")
                self.closing.append(self._balance(field, BalanceType.CLOSING_BOOKED))
                self.closing_line = field.line
            case "64":
                self.closing.append(self._balance(field, BalanceType.CLOSING_AVAILABLE))
            case "65":
                # Several are told, of several days; the last is the furthest.
                self.closing = [one for one in self.closing if one.balance_type is not BalanceType.FORWARD_AVAILABLE]
                self.closing.append(self._balance(field, BalanceType.FORWARD_AVAILABLE))
            case "90C" | "90D":
                self._take_sum(field)
            case _:
                pass  # :13D:, :21: and the bank's own

    def end(self, line: int) -> Iterator[Event]:
        """Yield what is left, and the end."""
        yield from self._flush("")
        yield from self._begin()
        if len(self.closing) != len({one.balance_type for one in self.closing}):
            raise Refused(line, "two balances of one kind")
        credits, debits = self.totals.get("90C"), self.totals.get("90D")
        totals = Totals(
            line=line,
            credits=credits[0] if credits else None,
            debits=debits[0] if debits else None,
            credit_sum=credits[1] if credits else "",
            debit_sum=debits[1] if debits else "",
        )
        yield Tail(line=self.closing_line or line, balances=tuple(self.closing), totals=totals)

    def _begin(self) -> Iterator[Head]:
        if self.is_begun:
            return
        self.is_begun = True
        if not self.account:
            raise Refused(self.line, "a statement without an account")
        if len(self.opening) > 1:
            raise Refused(self.line, "two opening balances")
        if self.currency:
            self.account = self.account.removesuffix(self.currency)  # some banks write it behind the number
        yield Head(
            line=self.line,
            kind=self.kind,
            statement_id=f"{self.reference}/{self.number}",
            scheme_name="IBAN" if _IBAN.fullmatch(self.account) else "BBAN",
            identification=self.account,
            currency=self.currency,
            servicer=Servicer(clearing_member_id=self.bank),
            balances=tuple(self.opening),
            needs_balances=self.kind == "mt940",
        )

    def _flush(self, information: str) -> Iterator[Event]:
        """Yield the entry that waited, with what `:86:` says of it."""
        field, self.waiting = self.waiting, None
        if field is None:
            return  # an :86: of the whole statement
        yield from self._begin()
        yield Item(line=field.line, entry=self._entry(field, information))

    def _take_account(self, field: _Field) -> None:
        text = field.text.strip()
        if not _NUMBER.fullmatch(text):
            raise Refused(field.line, "an account number with characters that none has")
        bank, slash, number = text.rpartition("/")
        iban = text.replace(" ", "")
        is_iban = _IBAN.fullmatch(iban) is not None
        self.account = iban if is_iban else number.strip()
        self.bank = bank if slash and not is_iban else ""

    def _balance(self, field: _Field, kind: BalanceType) -> Balance:
        found = _BALANCE.fullmatch(field.text)
        if found is None:
            raise Refused(field.line, "a balance that is none")
        amount = _amount(found[4], found[3], field.line)
        self.currency = self.currency or amount.currency
        if amount.currency != self.currency:
            raise Refused(field.line, "two currencies in one account")
        return Balance(
            balance_type=kind,
            amount=amount,
            credit_debit_indicator=Indicator.CREDIT if found[1] == "C" else Indicator.DEBIT,
            reference_date=_day(found[2], field.line).isoformat(),
        )

    def _take_sum(self, field: _Field) -> None:
        found = _SUM.fullmatch(field.text)
        if found is None:
            raise Refused(field.line, "a sum that is none")
        self.totals[field.tag] = (int(found[1]), _amount(found[3], found[2], field.line).text)

    def _entry(self, field: _Field, information: str) -> Entry:
        found = _ENTRY.fullmatch(field.text)
        if found is None:
            raise Refused(field.line, "an entry that is none")
        if not self.currency:
            raise Refused(field.line, "an entry before anything says its currency")
        value = _day(found["value"], field.line)
        booked = _near(value, found["booked"], field.line) if found["booked"] else value
        mark = found["mark"]
        # RC takes back a credit, so money goes; EC is one that is expected.
        indicator = Indicator.CREDIT if mark in ("C", "RD", "EC") else Indicator.DEBIT
        ours, _, banks = found["references"].partition("//")
        more = (found["more"] or "").strip()
        return Entry(
            entry_id="",
            account_id="",
            sequence=0,
            status=EntryStatus.PENDING if mark.startswith("E") else EntryStatus.BOOKED,
            credit_debit_indicator=indicator,
            amount=_amount(found["amount"], self.currency, field.line),
            day=booked.isoformat(),
            booking_date=None if mark.startswith("E") else booked.isoformat(),
            value_date=value.isoformat(),
            account_servicer_reference=banks.strip(),
            end_to_end_id="" if ours.strip() in _NO_REFERENCE else ours.strip(),
            reversal_indicator=mark.startswith("R"),
            proprietary_bank_transaction_code=found["type"],
            additional_entry_information=more,
            **details_of(information, indicator),
        )


def _amount(text: str, currency: str, line: int) -> Money:
    try:
        return money(text.replace(",", "."), currency)
    except BadMoney as wrong:
        raise Refused(line, f"an amount that is none: {wrong}") from None


def _day(text: str, line: int) -> date:
    year = int(text[:2])
    try:
        return date(year + (1900 if year >= _CENTURY_TURNS else 2000), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise Refused(line, "a day that no calendar has") from None


def _near(value: date, text: str, line: int) -> date:
    """Return the day and month of `text` in the year that brings it nearest to the value date."""
    days = []
    for year in (value.year - 1, value.year, value.year + 1):
        try:
            days.append(date(year, int(text[:2]), int(text[2:4])))
        except ValueError:
            continue  # 29 February of another year
    if not days:
        raise Refused(line, "a day that no calendar has")
    return min(days, key=lambda day: abs(day - value))
