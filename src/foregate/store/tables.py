"""The tables, defined once for SQLite, PostgreSQL and the migrations.

Rules
  1. Plain types only (text, whole numbers, bytes), so a row means the same in both databases without conversion.
     Times are seconds since 1970. Yes and no are 1 and 0.
  2. A table that belongs to a customer has customer_id first in its key: at scale the tables are spread by it.
     A name to sign in by is claimed in `login_name`, because uniqueness over all customers needs a table of its own.
  3. What is personal is encrypted, in columns that end in `_sealed`; what has to be found again without being kept
     is an HMAC, in columns that end in `_digest`.
  4. No foreign keys to `customer`: decoys have counters, journeys and audit chains too, and cost the same.
  5. Every table says in `janitor.py` how it is purged or why it is kept.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index

from foregate.store.columns import (
    APPEND_ONLY,
    count,
    index_where,
    key,
    raw,
    raw_or_none,
    table,
    text,
    text_or_none,
    time,
)

# ---------------------------------------------------------------- customers

customer: Final = table(
    "customer",
    text("customer_id"),
    raw("core_ref_sealed"),
    raw("name_sealed"),
    raw("phone_sealed"),
    raw_or_none("user_name_sealed"),
    text_or_none("password_hash"),
    time("created_at"),
    time("last_sign_in_at"),
    time("ended_at"),
    time("cooling_until"),
    key("customer_id"),
)

login_name: Final = table(
    "login_name",
    text("kind"),
    raw("digest"),
    text("customer_id"),
    key("kind", "digest"),
    Index(None, "customer_id"),
)

counter: Final = table(
    "counter",
    text("customer_id"),
    text("counter"),
    text("lane"),
    count("in_a_row"),
    count("total"),
    time("blocked_until"),
    time("touched_at"),
    key("customer_id", "counter", "lane"),
    Index(None, "touched_at"),
)

permission: Final = table(
    "permission",
    text("customer_id"),
    text("lane"),
    text("state"),
    time("changed_at"),
    key("customer_id", "lane"),
)

session: Final = table(
    "session",
    text("customer_id"),
    text("session_id"),
    raw("secret_digest"),
    text("level"),
    text("evidence"),
    text_or_none("device_id"),
    text("agent"),
    time("created_at"),
    time("seen_at"),
    time("expires_at"),
    key("customer_id", "session_id"),
    Index(None, "expires_at"),
)

device: Final = table(
    "device",
    text("customer_id"),
    text("device_id"),
    raw("secret_digest"),
    text("agent"),
    time("created_at"),
    time("seen_at"),
    key("customer_id", "device_id"),
    Index(None, "seen_at"),
)

# ---------------------------------------------------------------- journeys and codes

journey: Final = table(
    "journey",
    text("journey_id"),
    text("name"),
    count("version"),
    text("status"),
    raw("visitor_digest"),
    text_or_none("customer_id"),
    raw_or_none("claim_digest"),
    raw("state_sealed"),
    time("created_at"),
    time("expires_at"),
    text_or_none("last_key"),
    raw_or_none("last_request"),
    raw_or_none("last_reply_sealed"),
    key("journey_id"),
    Index(None, "visitor_digest"),
    Index(None, "customer_id"),
    Index(None, "expires_at"),
)

code: Final = table(
    "code",
    text("journey_id"),
    text("purpose"),
    raw("phone_digest"),
    raw("nonce"),
    count("is_long"),
    count("tries"),
    count("sends"),
    time("sent_at"),
    time("expires_at"),
    count("is_used"),
    key("journey_id"),
    Index(None, "sent_at"),
    # Codes at the counter belong to proposals, so they go by themselves.
    index_where("ix_code_at_counter", "expires_at", "purpose = 'replace-phone-at-counter'"),
)

# How much may still be sent under a key (a number, a card): counted from the first message of an hour and of a day.
send_guard: Final = table(
    "send_guard",
    raw("key"),
    time("last_at"),
    time("hour_from"),
    count("hour_count"),
    time("day_from"),
    count("day_count"),
    count("streak"),
    time("touched_at"),
    key("key"),
    Index(None, "touched_at"),
)

# What was sent, by the hour that `hour_from` begins: one row an hour.
message_hour: Final = table(
    "message_hour",
    time("hour_from"),
    count("sent"),
    key("hour_from"),
)

inbound_text: Final = table(
    "inbound_text",
    raw("phone_digest"),
    raw("token_digest"),
    time("expires_at"),
    key("phone_digest", "token_digest"),
    Index(None, "expires_at"),
)

# ---------------------------------------------------------------- messages

outbox: Final = table(
    "outbox",
    text("message_id"),
    text_or_none("customer_id"),
    raw_or_none("phone_sealed"),
    text("template"),
    text("language"),
    raw_or_none("facts_sealed"),
    raw_or_none("nonce"),
    time("created_at"),
    time("expires_at"),
    text("status"),
    count("tries"),
    time("next_at"),
    time("ended_at"),
    key("message_id"),
    index_where("ix_outbox_waiting", "next_at", "status = 'waiting'"),
    index_where("ix_outbox_ended", "ended_at", "status <> 'waiting'"),
)

# ---------------------------------------------------------------- audit

audit_event: Final = table(
    "audit_event",
    text("chain"),
    Column("seq", BigInteger, nullable=False),
    time("at"),
    text("kind"),
    text_or_none("journey_id"),
    text("actor"),
    text("source"),
    text("details"),
    raw("prev"),
    raw("hash"),
    key("chain", "seq"),
    comment=APPEND_ONLY,
)

audit_head: Final = table(
    "audit_head",
    text("chain"),
    Column("seq", BigInteger, nullable=False),
    raw("hash"),
    count("is_sealed"),
    key("chain"),
    # Which heads the next seal has to cover. `seq` stays out of it, or each event would have to write an index.
    index_where("ix_audit_head_unsealed", "chain", "is_sealed = 0"),
)

audit_seal: Final = table(
    "audit_seal",
    Column("seal", BigInteger, nullable=False, autoincrement=False),
    time("at"),
    count("heads"),
    raw("root"),
    raw("prev"),
    raw("hash"),
    key("seal"),
    comment=APPEND_ONLY,
)

# Which event of which chain was the newest when a seal was made.
audit_sealed_head: Final = table(
    "audit_sealed_head",
    text("chain"),
    Column("seal", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    key("chain", "seal"),
    Index(None, "seal"),
    comment=APPEND_ONLY,
)

# ---------------------------------------------------------------- the embedded core bank

core_person: Final = table(
    "core_person",
    text("core_ref"),
    raw("name_sealed"),
    raw("birth_date_sealed"),
    text("document_type"),
    raw("document_number_sealed"),
    text_or_none("document_expires_on"),
    text_or_none("document_issued_on"),
    # To find people at the counter. Empty for those who came before there was one, until they are imported again.
    raw_or_none("name_digest"),
    raw_or_none("name_and_tail_digest"),
    raw_or_none("document_digest"),
    key("core_ref"),
    Index(None, "name_digest"),
    Index(None, "name_and_tail_digest"),
    Index(None, "document_digest"),
    Index(None, "document_expires_on", "core_ref"),
)

core_card: Final = table(
    "core_card",
    raw("card_digest"),
    text("card_ref"),
    text("core_ref"),
    raw("card_number_sealed"),
    raw_or_none("bound_phone_sealed"),
    raw_or_none("bound_phone_digest"),
    text("pin_hash"),
    text("status"),
    key("card_digest"),
    Index(None, "core_ref"),
    Index(None, "bound_phone_digest"),
)
