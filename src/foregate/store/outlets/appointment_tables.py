"""Tables of appointments. One row of `appointment_unit` is one person of the outlet in one slot, and its key is the
promise that nothing is booked twice: whoever has the row has the place."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index

from foregate.store.columns import count, index_where, key, raw, raw_or_none, table, text, text_or_none, time

appointment: Final = table(
    "appointment",
    text("appointment_id"),
    text_or_none("journey_id"),
    text("outlet_id"),
    text("service"),
    text("state"),
    time("starts_at"),
    time("ends_at"),
    count("people"),
    time("created_at"),
    time("held_until"),
    raw_or_none("phone_sealed"),
    raw_or_none("phone_digest"),
    raw_or_none("surname_sealed"),
    raw_or_none("token_digest"),
    text("reference"),
    text_or_none("case_no"),
    text("language"),
    count("reminded"),
    text_or_none("ticket"),
    time("queue_at"),
    time("called_at"),
    text("desk"),
    time("ended_at"),
    key("appointment_id"),
    Index(None, "journey_id", unique=True),
    Index(None, "token_digest", unique=True),
    Index(None, "phone_digest"),
    Index(None, "outlet_id", "starts_at"),
    index_where("ix_appointment_held", "held_until", "state = 'held'"),
    index_where("ix_appointment_ahead", "starts_at", "state = 'confirmed'"),
    index_where("ix_appointment_here", "starts_at", "state IN ('called', 'checked-in')"),
    Index(None, "ends_at"),
)

# `held_until`: when the place is free again; far beyond all time once it is confirmed.
appointment_unit: Final = table(
    "appointment_unit",
    text("outlet_id"),
    text("pool"),
    Column("slot_start", BigInteger, nullable=False, autoincrement=False),
    Column("unit", BigInteger, nullable=False, autoincrement=False),
    text("appointment_id"),
    time("held_until"),
    key("outlet_id", "pool", "slot_start", "unit"),
    Index(None, "slot_start"),
)

# What a number did before. Its row is also what two bookings of one number wait for.
booker: Final = table(
    "booker",
    raw("phone_digest"),
    count("no_shows"),
    time("paused_until"),
    time("touched_at"),
    key("phone_digest"),
    Index(None, "touched_at"),
)

# Where the bank said otherwise than `rules/services.py`. Capacity 0: this outlet does not do that.
outlet_service: Final = table(
    "outlet_service",
    text("outlet_id"),
    text("service"),
    count("capacity"),
    key("outlet_id", "service"),
)

ticket_counter: Final = table(
    "ticket_counter",
    text("outlet_id"),
    text("day"),
    text("letter"),
    count("last"),
    time("touched_at"),
    key("outlet_id", "day", "letter"),
    Index(None, "touched_at"),
)

case_file: Final = table(
    "case_file",
    text("case_no"),
    text("journey_id"),
    count("number"),
    text("service"),
    raw("facts_sealed"),
    time("created_at"),
    time("expires_at"),
    key("case_no"),
    # One row for each number up to CASES_PER_JOURNEY: two at once cannot be one too many.
    Index(None, "journey_id", "number", unique=True),
    Index(None, "expires_at"),
)
