"""Accounts as a customer sees them: the records that cross the port, and how they are read.

Names are those of ISO 20022 (camt.053), in our spelling: bookingDate is `booking_date`. Days are ISO dates in the
account's time zone, moments are seconds since 1970, money is `rules.money.Money`.

Whose it is
  Only `Accounts.accounts_of` and `Accounts.account` take a `core_ref`; everything else takes the `Account` that they
  returned. So whoever reads an entry has been shown to own its account, and what belongs to somebody else is None,
  like what does not exist.

Order
  A record is read newest first: by `Entry.day`, then by `Entry.sequence`, both falling. The order is total and never
  changes for an entry that is there, so a cursor stays good while entries arrive.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from foregate.rules.categories import Category
from foregate.rules.cursors import BadCursor as BadCursor
from foregate.rules.money import Money


class AccountStatus(StrEnum):
    """What the bank lets the account do."""

    ENABLED = "ENABLED"
    BLOCKED = "BLOCKED"
    DELETED = "DELETED"


class Indicator(StrEnum):
    """CreditDebitCode: the sign of an amount, from the account owner's side."""

    CREDIT = "CRDT"
    DEBIT = "DBIT"


class EntryStatus(StrEnum):
    """EntryStatus1Code, with UK Open Banking's two. Only BOOK moved money; only BOOK is immutable."""

    BOOKED = "BOOK"
    PENDING = "PDNG"  # may vanish, or come back as another entry that names it in `replaces_entry_id`
    INFORMATION = "INFO"
    FUTURE = "FUTR"  # will be carried out on its day
    REJECTED = "RJCT"


class BalanceType(StrEnum):
    """ExternalBalanceType1Code, those that we hold. What a person calls their balance is ITAV."""

    INTERIM_AVAILABLE = "ITAV"
    INTERIM_BOOKED = "ITBD"
    CLOSING_BOOKED = "CLBD"
    OPENING_BOOKED = "OPBD"
    CLOSING_AVAILABLE = "CLAV"
    OPENING_AVAILABLE = "OPAV"
    FORWARD_AVAILABLE = "FWAV"
    EXPECTED = "XPCD"
    PREVIOUSLY_CLOSED = "PRCD"
    INFORMATION = "INFO"


class Servicer(msgspec.Struct, frozen=True, kw_only=True):
    """The bank that holds the account. Empty where nobody said."""

    bicfi: str = ""
    clearing_member_id: str = ""  # CNAPS, twelve digits
    name: str = ""
    outlet_id: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account in one currency. `identification` and `owner_name` are in clear here and sealed in the store.

    A page or an answer shows `masked_identification`; the whole number belongs in a file that the owner asked for.
    """

    account_id: str  # ours, stable; stands in addresses
    core_ref: str  # the person it belongs to
    scheme_name: str  # IBAN | BBAN | PAN | CNACCT: what `identification` is. A card is an account by PAN
    identification: str
    currency: str  # ISO 4217
    cash_account_type: str = "CACC"  # ExternalCashAccountType1Code: CACC current, SVGS savings, CARD credit card
    name: str = ""  # what the owner or the bank calls it
    product: str = ""
    status: AccountStatus = AccountStatus.ENABLED
    account_class: str = ""  # I | II | III, as Chinese banks class them; empty elsewhere
    owner_name: str = ""
    opened_on: str = ""  # ISO date; empty: nobody said
    time_zone: str = "Asia/Shanghai"  # IANA: whose days the booking dates are
    servicer: Servicer = Servicer()
    version: int = 0  # grows with every change to entries or balances: for an ETag

    @property
    def masked_identification(self) -> str:
        """The last four, behind four dots. What everybody but the owner's own files is shown."""
        return f"•••• {self.identification[-4:]}" if len(self.identification) > 4 else "••••"

    def __repr__(self) -> str:
        return f"Account({self.account_id})"  # logs and tracebacks carry neither number nor name


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One balance of one type. `amount` is never negative: `credit_debit_indicator` is its sign, `signed` both."""

    balance_type: BalanceType
    amount: Money
    credit_debit_indicator: Indicator
    reference_date: str  # ISO date it is the balance of
    last_change: int | None = None  # seconds since 1970
    credit_line: Money | None = None  # None: there is none
    credit_line_included: bool = False

    @property
    def signed(self) -> Money:
        """The amount with its sign; negative: the owner owes."""
        return self.amount if self.credit_debit_indicator is Indicator.CREDIT else -self.amount


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who paid, or was paid. Empty where nobody said. `account` is in clear: mask it like a number of one's own."""

    name: str = ""
    account: str = ""  # IBAN or another identification
    agent: str = ""  # BIC or clearing number of their bank
    agent_name: str = ""

    @property
    def masked_account(self) -> str:
        """The last four, or nothing."""
        return f"•••• {self.account[-4:]}" if len(self.account) > 4 else ""

    def __bool__(self) -> bool:
        return bool(self.name or self.account or self.agent or self.agent_name)


class Code(msgspec.Struct, frozen=True):
    """BankTransactionCodeStructure: PMNT / RCDT / ESCT."""

    domain: str
    family: str
    sub_family: str

    @property
    def text(self) -> str:
        """The code on one line."""
        return f"{self.domain}-{self.family}-{self.sub_family}"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """CurrencyExchange, as the bank said it. The rate is decimal text: it is shown, never computed with."""

    source_currency: str
    target_currency: str = ""
    rate: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an account's record. `amount` is never negative: `credit_debit_indicator` is its sign.

    Payment record: a list of these. Payer: `debtor`. Payee: `creditor`. The other side, from the owner: `counterparty`.
    Date of payment or of collection: `booking_date`; `value_date` and `transaction_date_time` stand beside it.
    """

    entry_id: str  # ours, stable; stands in addresses
    account_id: str
    status: EntryStatus
    credit_debit_indicator: Indicator
    amount: Money
    day: str  # ISO date it is listed under: `booking_date`; where there is none, when it is expected or was told
    sequence: int  # rises within the account as entries arrive; orders one day
    booking_date: str | None = None  # None: not booked
    value_date: str | None = None
    transaction_date_time: int | None = None  # when it happened, seconds since 1970
    entry_reference: str = ""  # NtryRef
    account_servicer_reference: str = ""
    end_to_end_id: str = ""
    uetr: str = ""
    mandate_id: str = ""
    cheque_number: str = ""
    reversal_indicator: bool = False
    transaction_amount: Money | None = None  # in the currency it was paid in, where that is another
    currency_exchange: Exchange | None = None
    charge_amount: Money | None = None
    bank_transaction_code: Code | None = None
    proprietary_bank_transaction_code: str = ""
    debtor: Party = Party()
    ultimate_debtor: Party = Party()
    creditor: Party = Party()
    ultimate_creditor: Party = Party()
    remittance_information: tuple[str, ...] = ()  # unstructured
    remittance_reference: str = ""  # structured: the creditor's reference
    purpose_code: str = ""  # ExternalPurpose1Code: SALA, RENT ...
    merchant_category_code: str = ""  # ISO 18245
    category: Category = Category.OTHER  # what it was for, as `rules.categories` reads it
    additional_entry_information: str = ""
    number_of_transactions: int = 1  # more: a batch that was booked as one
    balance_after_transaction: Money | None = None  # signed; None: not booked, or nobody said
    replaces_entry_id: str | None = None  # the pending one that this one came of

    @property
    def signed(self) -> Money:
        """The amount with its sign; negative: the owner paid."""
        return self.amount if self.credit_debit_indicator is Indicator.CREDIT else -self.amount

    @property
    def counterparty(self) -> Party:
        """The other side: who paid the owner, or whom the owner paid. The ultimate party, where the next is a clerk."""
        if self.credit_debit_indicator is Indicator.CREDIT:
            return self.debtor or self.ultimate_debtor
        return self.creditor or self.ultimate_creditor

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that the entry is found by: the other side, their account, and what for. Not the owner's name."""
        is_credit = self.credit_debit_indicator is Indicator.CREDIT
        others = (self.debtor, self.ultimate_debtor) if is_credit else (self.creditor, self.ultimate_creditor)
        return (
            *(text for party in others for text in (party.name, party.account)),
            *self.remittance_information,
            self.remittance_reference,
            self.additional_entry_information,
        )

    @property
    def is_mutable(self) -> bool:
        """Whether it may still change or vanish: everything that is not booked."""
        return self.status is not EntryStatus.BOOKED


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for in a record; every field that is given has to fit. All bounds are inclusive.

    `text` is what was typed: its words (split at blanks, ENTRY_WORDS at most) all have to occur in the names, accounts
    or remittance of the entry, anywhere in them, case and width apart: 工资 finds 十月工资. One character is enough.
    """

    date_from: str = ""  # ISO dates, of `Entry.day`
    date_to: str = ""
    value_from: str = ""  # of `value_date`; an entry without one does not fit
    value_to: str = ""
    amount_from: Money | None = None  # never negative; of another currency than the account's: nothing fits
    amount_to: Money | None = None
    credit_debit_indicator: Indicator | None = None
    statuses: tuple[EntryStatus, ...] = ()  # empty: all
    category: Category | None = None
    text: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries, newest first. `next` is None on the last page, else the cursor that goes on behind it.

    A cursor is opaque, holds no secret, and belongs to one account and one `Wanted`: with others it finds a place, not
    an error. `first_available` and `last_available` are the days of the oldest and newest entry of the whole account.
    """

    entries: tuple[Entry, ...]
    next: str | None
    first_available: str | None
    last_available: str | None


class MonthSum(msgspec.Struct, frozen=True, kw_only=True):
    """What came in and went out in one month for one thing; both sums are positive or zero. Booked entries alone."""

    month: str  # 2026-11, by booking date
    category: Category
    money_in: Money
    money_out: Money
    entries: int


class Accounts(Protocol):
    """What a customer has and what happened to it. Read only. Raises Busy, or AccountsAway for a bank elsewhere."""

    @property
    def failures_in_a_row(self) -> int:
        """How often in a row a bank elsewhere did not answer; 0: the last answer was one, or it is not elsewhere."""

    @property
    def tells_of_money(self) -> bool:
        """Whether what is booked is told here as it happens. Where not, nobody is offered to be told of it."""

    async def accounts_of(self, core_ref: str) -> tuple[Account, ...]:
        """Every account of a person, oldest first, ACCOUNTS_PER_CUSTOMER at most. Deleted ones are not among them."""

    async def account(self, core_ref: str, account_id: str) -> Account | None:
        """One account of this person. None: there is none, or it is somebody else's; both cost the same."""

    async def balances(self, account: Account) -> tuple[Balance, ...]:
        """Every balance that is known, ITAV first and ITBD second; of each type the one of the latest day."""

    async def entries(self, account: Account, wanted: Wanted, cursor: str | None, limit: int) -> Page:
        """Return the next `limit` entries (ENTRIES_PER_PAGE_MAX at most) that fit, newest first, behind `cursor`.

        Page 1,000 costs what page 1 costs. Raises BadCursor.
        """

    async def entry(self, account: Account, entry_id: str) -> Entry | None:
        """One entry of this account, or None."""

    async def months(self, account: Account, first: str, last: str) -> tuple[MonthSum, ...]:
        """Sums by month and category for the months `first` to `last` (2025-12 .. 2026-11), MONTHS_MAX at most.

        By month, then category; what had no entry is not among them. Money in and out of a month is the sum of its
        rows. In the account's currency. Raises TooMuch where a bank elsewhere would have to be asked too often.
        """

    async def close(self) -> None:
        """Let go of connections of its own."""
