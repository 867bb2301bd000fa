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

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
APPEND_ONLY: Final = "Append only: the role that Foregate runs under has neither UPDATE nor DELETE here."
metadata: Final = MetaData(naming_convention=NAMES)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _text_or_none(name: str) -> Column[str]:
    return Column(name, Text, nullable=True)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _bytes_or_none(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=True)


def _time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _key(*columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*columns)


def _index_where(name: str, column: str, condition: str) -> Index:
    return Index(name, column, sqlite_where=text(condition), postgresql_where=text(condition))


def _table(name: str, *parts: Any, comment: str | None = None) -> Table:
    return Table(name, metadata, *parts, comment=comment)


# ---------------------------------------------------------------- customers

customer: Final = _table(
    "customer",
    _text("customer_id"),
    _bytes("core_ref_sealed"),
    _bytes("name_sealed"),
    _bytes("phone_sealed"),
    _bytes_or_none("user_name_sealed"),
    _text_or_none("password_hash"),
    _time("created_at"),
    _time("last_sign_in_at"),
    _time("ended_at"),
    _key("customer_id"),
)

login_name: Final = _table(
    "login_name",
    _text("kind"),
    _bytes("digest"),
    _text("customer_id"),
    _key("kind", "digest"),
    Index(None, "customer_id"),
)

counter: Final = _table(
    "counter",
    _text("customer_id"),
    _text("counter"),
    _text("lane"),
    _count("in_a_row"),
    _count("total"),
    _time("blocked_until"),
    _time("touched_at"),
    _key("customer_id", "counter", "lane"),
    Index(None, "touched_at"),
)

permission: Final = _table(
    "permission",
    _text("customer_id"),
    _text("lane"),
    _text("state"),
    _time("changed_at"),
    _key("customer_id", "lane"),
)

session: Final = _table(
    "session",
    _text("customer_id"),
    _text("session_id"),
    _bytes("secret_digest"),
    _text("level"),
    _text("evidence"),
    _text_or_none("device_id"),
    _text("agent"),
    _time("created_at"),
    _time("seen_at"),
    _time("expires_at"),
    _key("customer_id", "session_id"),
    Index(None, "expires_at"),
)

device: Final = _table(
    "device",
    _text("customer_id"),
    _text("device_id"),
    _bytes("secret_digest"),
    _text("agent"),
    _time("created_at"),
    _time("seen_at"),
    _key("customer_id", "device_id"),
    Index(None, "seen_at"),
)

# ---------------------------------------------------------------- journeys and codes

journey: Final = _table(
    "journey",
    _text("journey_id"),
    _text("name"),
    _count("version"),
    _text("status"),
    _bytes("visitor_digest"),
    _text_or_none("customer_id"),
    _bytes_or_none("claim_digest"),
    _bytes("state_sealed"),
    _time("created_at"),
    _time("expires_at"),
    _text_or_none("last_key"),
    _bytes_or_none("last_request"),
    _bytes_or_none("last_reply_sealed"),
    _key("journey_id"),
    Index(None, "visitor_digest"),
    Index(None, "customer_id"),
    Index(None, "expires_at"),
)

code: Final = _table(
    "code",
    _text("journey_id"),
    _text("purpose"),
    _bytes("phone_digest"),
    _bytes("nonce"),
    _count("is_long"),
    _count("tries"),
    _count("sends"),
    _time("sent_at"),
    _time("expires_at"),
    _count("is_used"),
    _key("journey_id"),
)

# How much may still be sent under a key (a number, a card): counted from the first message of an hour and of a day.
send_guard: Final = _table(
    "send_guard",
    _bytes("key"),
    _time("last_at"),
    _time("hour_from"),
    _count("hour_count"),
    _time("day_from"),
    _count("day_count"),
    _count("streak"),
    _time("touched_at"),
    _key("key"),
    Index(None, "touched_at"),
)

inbound_text: Final = _table(
    "inbound_text",
    _bytes("phone_digest"),
    _bytes("token_digest"),
    _time("expires_at"),
    _key("phone_digest", "token_digest"),
    Index(None, "expires_at"),
)

# ---------------------------------------------------------------- messages

outbox: Final = _table(
    "outbox",
    _text("message_id"),
    _text_or_none("customer_id"),
    _bytes_or_none("phone_sealed"),
    _text("template"),
    _text("language"),
    _bytes_or_none("facts_sealed"),
    _bytes_or_none("nonce"),
    _time("created_at"),
    _time("expires_at"),
    _text("status"),
    _count("tries"),
    _time("next_at"),
    _time("ended_at"),
    _key("message_id"),
    _index_where("ix_outbox_waiting", "next_at", "status = 'waiting'"),
    _index_where("ix_outbox_ended", "ended_at", "status <> 'waiting'"),
)

# ---------------------------------------------------------------- audit

audit_event: Final = _table(
    "audit_event",
    _text("chain"),
    Column("seq", BigInteger, nullable=False),
    _time("at"),
    _text("kind"),
    _text_or_none("journey_id"),
    _text("actor"),
    _text("source"),
    _text("details"),
    _bytes("prev"),
    _bytes("hash"),
    _key("chain", "seq"),
    comment=APPEND_ONLY,
)

audit_head: Final = _table(
    "audit_head",
    _text("chain"),
    Column("seq", BigInteger, nullable=False),
    _bytes("hash"),
    _count("is_sealed"),
    _key("chain"),
    # Which heads the next seal has to cover. `seq` stays out of it, or each event would have to write an index.
    _index_where("ix_audit_head_unsealed", "chain", "is_sealed = 0"),
)

audit_seal: Final = _table(
    "audit_seal",
    Column("seal", BigInteger, nullable=False, autoincrement=False),
    _time("at"),
    _count("heads"),
    _bytes("root"),
    _bytes("prev"),
    _bytes("hash"),
    _key("seal"),
    comment=APPEND_ONLY,
)

# Which event of which chain was the newest when a seal was made.
audit_sealed_head: Final = _table(
    "audit_sealed_head",
    _text("chain"),
    Column("seal", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    _key("chain", "seal"),
    Index(None, "seal"),
    comment=APPEND_ONLY,
)

# ---------------------------------------------------------------- the embedded core bank

core_person: Final = _table(
    "core_person",
    _text("core_ref"),
    _bytes("name_sealed"),
    _bytes("birth_date_sealed"),
    _text("document_type"),
    _bytes("document_number_sealed"),
    _text_or_none("document_expires_on"),
    _key("core_ref"),
)

core_card: Final = _table(
    "core_card",
    _bytes("card_digest"),
    _text("card_ref"),
    _text("core_ref"),
    _bytes("card_number_sealed"),
    _bytes_or_none("bound_phone_sealed"),
    _bytes_or_none("bound_phone_digest"),
    _text("pin_hash"),
    _text("status"),
    _key("card_digest"),
    Index(None, "core_ref"),
    Index(None, "bound_phone_digest"),
)
