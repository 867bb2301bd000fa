"""Files that customers asked for, and what they want to be told. A file is sealed, and goes after EXPORT_SECONDS."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index

from foregate.store.columns import count, index_where, key, raw, raw_or_none, table, text, time

account_export: Final = table(
    "account_export",
    text("export_id"),
    text("customer_id"),
    raw("core_ref_sealed"),
    text("account_id"),
    text("format"),
    text("language"),
    text("date_from"),
    text("date_to"),
    text("status"),
    count("done"),
    count("tries"),
    time("created_at"),
    time("next_at"),
    time("expires_at"),
    raw_or_none("body_sealed"),
    key("export_id"),
    Index(None, "customer_id"),
    Index(None, "expires_at"),
    index_where("ix_account_export_next_at", "next_at", "status = 'waiting'"),
)

alert_choice: Final = table(
    "alert_choice",
    text("customer_id"),
    count("money_in"),
    Column("out_above_minor", BigInteger, nullable=True),
    count("sign_in"),
    text("language"),
    time("changed_at"),
    key("customer_id"),
)

# The row that is inserted once is the message that is sent once.
alert_told: Final = table(
    "alert_told",
    text("customer_id"),
    raw("fingerprint"),
    time("told_at"),
    key("customer_id", "fingerprint"),
    Index(None, "told_at"),
)
