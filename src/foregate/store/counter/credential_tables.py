"""What members of staff sign in with, and their sessions."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint

from foregate.store.columns import count, key, raw, table, text, time

# The id of a credential and its public key are no secrets: an authenticator shows them to whoever asks.
staff_passkey: Final = table(
    "staff_passkey",
    raw("credential_id"),
    text("staff_id"),
    raw("public_key"),
    Column("sign_count", BigInteger, nullable=False),
    count("is_backed_up"),
    time("created_at"),
    time("used_at"),
    key("credential_id"),
    Index(None, "staff_id"),
)

staff_secret: Final = table(
    "staff_secret",
    text("staff_id"),
    text("password_hash"),
    raw("totp_secret_sealed"),
    Column("last_step", BigInteger, nullable=False),
    time("created_at"),
    key("staff_id"),
)

staff_enrolment: Final = table(
    "staff_enrolment",
    text("staff_id"),
    raw("code_digest"),
    raw("totp_secret_sealed"),
    time("expires_at"),
    key("staff_id"),
    UniqueConstraint("code_digest"),
    Index(None, "expires_at"),
)

staff_challenge: Final = table(
    "staff_challenge",
    raw("browser_digest"),
    text("purpose"),
    raw("challenge"),
    time("expires_at"),
    key("browser_digest"),
    Index(None, "expires_at"),
)

# By the digest of a user name, so that names nobody has are locked like those of members.
staff_tries: Final = table(
    "staff_tries",
    raw("key"),
    count("in_a_row"),
    time("locked_until"),
    time("touched_at"),
    key("key"),
    Index(None, "touched_at"),
)

staff_session: Final = table(
    "staff_session",
    text("staff_id"),
    text("session_id"),
    raw("secret_digest"),
    text("method"),
    time("created_at"),
    time("seen_at"),
    time("expires_at"),
    key("staff_id", "session_id"),
    Index(None, "expires_at"),
)
