"""The tables of accounts: the ledger, and the record that a customer reads. Why they look so: decision 0021.

Rules
  1. A posting is one row with both its sides, so it cannot be out of balance; both accounts have its currency by a
     foreign key. It is never changed and never deleted: a trigger of the database refuses, the grants do too.
  2. Money is in minor units, whole numbers. In `posting` it is above zero; elsewhere the sign is the account owner's:
     minus is debit.
  3. `account.booked_minor` is the sum of the account's postings, moved by the statement that holds the account. Whoever
     does not believe it sums them up: `foregate accounts verify`.
  4. An entry that was booked never changes and never goes. One that was not may go, and comes back as another.
  5. What says who and what for is sealed, in `details_sealed`. `words` finds it: see `rules.entry_words`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    cast,
    func,
    literal_column,
)

from foregate.store.columns import APPEND_ONLY, count, index_where, key, raw, table, text, text_or_none, time

# Of an account that the ledger itself keeps: all there is is here, up to this moment.
LIVE: Final = "9999-12-31"


def _whole_or_none(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=True)


account: Final = table(
    "account",
    text("account_id"),
    text("core_ref"),  # empty: one of the bank's own
    text("scheme_name"),
    raw("identification_digest"),
    raw("identification_sealed"),
    text("currency"),
    text("cash_account_type"),
    raw("name_sealed"),
    text("product"),
    text("status"),
    text("account_class"),
    raw("owner_name_sealed"),
    text("opened_on"),
    text("time_zone"),
    text("bicfi"),
    text("clearing_member_id"),
    text("servicer_name"),
    text("outlet_id"),
    _whole_or_none("credit_line_minor"),
    time("booked_minor"),
    # The day up to which `booked_minor` is all there is: LIVE, or that of the newest statement; empty: nobody said yet.
    text("anchored_on"),
    time("last_sequence"),
    time("version"),
    time("created_at"),
    time("changed_at"),
    key("account_id"),
    Index(None, "core_ref"),
    UniqueConstraint("account_id", "currency", name="uq_account_account_id_currency"),
    UniqueConstraint("identification_digest", name="uq_account_identification_digest"),
)

posting: Final = table(
    "posting",
    text("posting_id"),
    raw("reference_digest"),  # said twice it is posted once
    text("debit_account_id"),
    text("credit_account_id"),
    text("currency"),
    time("amount_minor"),
    time("posted_at"),
    key("posting_id"),
    UniqueConstraint("reference_digest", name="uq_posting_reference_digest"),
    CheckConstraint("amount_minor > 0", name="ck_posting_amount"),
    CheckConstraint("debit_account_id <> credit_account_id", name="ck_posting_sides"),
    ForeignKeyConstraint(
        ["debit_account_id", "currency"], ["account.account_id", "account.currency"], name="fk_posting_debit"
    ),
    ForeignKeyConstraint(
        ["credit_account_id", "currency"], ["account.account_id", "account.currency"], name="fk_posting_credit"
    ),
    Index(None, "debit_account_id"),
    Index(None, "credit_account_id"),
    comment=APPEND_ONLY,
)

entry: Final = table(
    "entry",
    text("account_id"),
    time("sequence"),
    text("day"),
    text("status"),
    time("amount_minor"),
    text_or_none("value_date"),
    _whole_or_none("happened_at"),
    _whole_or_none("balance_after_minor"),
    text("category"),
    text_or_none("posting_id"),  # of a booked one that moved money, and of no other
    time("replaces_sequence"),  # the pending one that this one came of; 0: none
    raw("fingerprint"),  # of what it says: the same entry is there once
    raw("details_sealed"),
    text("words"),
    key("account_id", "sequence"),
    UniqueConstraint("account_id", "fingerprint", name="uq_entry_account_id_fingerprint"),
    CheckConstraint("(status = 'BOOK' AND amount_minor <> 0) = (posting_id IS NOT NULL)", name="ck_entry_posting"),
    # Answers every list, filter, search and sum by itself: PostgreSQL keeps an account's part of it together, and
    # looks at the rows, which lie wherever the day put them, for the page alone.
    Index(
        "ix_entry_account_id_day",
        "account_id",
        "day",
        "sequence",
        postgresql_include=["status", "amount_minor", "value_date", "category", "words"],
    ),
    index_where("ix_entry_account_id_waiting", "account_id", "status in ('PDNG', 'FUTR')"),
)

# As a statement reported it, the latest day of each type.
balance: Final = table(
    "balance",
    text("account_id"),
    text("balance_type"),
    text("reference_date"),
    time("amount_minor"),
    count("credit_line_included"),
    time("reported_at"),
    key("account_id", "balance_type"),
)

statement: Final = table(
    "statement",
    text("account_id"),
    raw("digest"),  # of all it says: the same statement is imported once
    text("kind"),
    text("closing_day"),  # empty: it does not say how it ends
    _whole_or_none("opening_minor"),
    _whole_or_none("closing_minor"),
    count("entries"),
    time("number"),  # of the account's statements, as they came: the later of two that close on one day
    time("imported_at"),
    key("account_id", "digest"),
    Index("ix_statement_account_id_closing_day", "account_id", "closing_day", "number"),
    comment=APPEND_ONLY,
)

TABLES: Final = ("account", "posting", "entry", "balance", "statement")
# Constants of the statements' text, so that partial indexes are found.
PENDING: Final = literal_column("'PDNG'", Text)
BOOKED: Final = literal_column("'BOOK'", Text)
DELETED: Final = literal_column("'DELETED'", Text)
IS_WAITING: Final = entry.c.status.in_((PENDING, literal_column("'FUTR'", Text)))


def total(value: ColumnElement[int]) -> ColumnElement[int]:
    """Return a sum as a whole number, nothing as zero: PostgreSQL would make a decimal of it."""
    return cast(func.coalesce(func.sum(value), literal_column("0")), BigInteger)
