"""WeChat and Alipay accounts, what was taken along from them, and the ledger of consents.

The names of an account are claimed in `login_name`, as every name to sign in by is: one account, one customer.
"""

from __future__ import annotations

from typing import Final

from foregate.store.columns import APPEND_ONLY, count, key, raw, table, text, time

social_account: Final = table(
    "social_account",
    text("customer_id"),
    text("provider"),
    raw("names_sealed"),
    time("linked_at"),
    time("used_at"),
    key("customer_id", "provider"),
)

profile_attribute: Final = table(
    "profile_attribute",
    text("customer_id"),
    text("provider"),
    text("attribute"),
    raw("value_sealed"),
    text("origin"),
    time("taken_at"),
    key("customer_id", "provider", "attribute"),
)

consent: Final = table(
    "consent",
    text("customer_id"),
    text("purpose"),
    count("seq"),
    text("verb"),  # given | withdrawn
    text("text_version"),
    time("at"),
    key("customer_id", "purpose", "seq"),
    comment=APPEND_ONLY,
)
