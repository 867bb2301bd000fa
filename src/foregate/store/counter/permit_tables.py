"""Permits that the counter hands out, and links that freeze."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index

from foregate.store.columns import key, raw, table, text, time

permit: Final = table(
    "permit",
    text("customer_id"),
    raw("digest"),
    time("created_at"),
    time("expires_at"),
    time("lent_until"),
    key("customer_id", "digest"),
    Index(None, "created_at"),
)

# Found by what stands in the link and nothing else, as a name to sign in by is.
stop_link: Final = table(
    "stop_link",
    raw("digest"),
    text("customer_id"),
    time("expires_at"),
    time("used_at"),
    key("digest"),
    Index(None, "expires_at"),
)
