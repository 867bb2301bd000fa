"""Customers' passkeys, and the challenges that are open."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index

from foregate.store.columns import count, key, raw, table, text, time

# That no two customers have one credential is held by `login_name`, which leads from it to its customer.
passkey: Final = table(
    "passkey",
    text("customer_id"),
    text("passkey_id"),
    raw("credential_digest"),
    raw("credential_sealed"),
    raw("public_key"),
    Column("sign_count", BigInteger, nullable=False),
    count("is_synced_kind"),
    count("is_backed_up"),
    raw("name_sealed"),
    text("agent"),
    time("created_at"),
    time("used_at"),
    key("customer_id", "passkey_id"),
)

passkey_challenge: Final = table(
    "passkey_challenge",
    text("journey_id"),
    raw("challenge"),
    time("expires_at"),
    key("journey_id"),
    Index(None, "expires_at"),
)
