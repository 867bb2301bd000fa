"""Who works for the bank, and what they propose.

A proposal stands under its subject: the customer, or the member of staff whom it is about. That maker and checker
differ, and that nothing of two persons is done by one, is held here by constraints, whatever the code above does.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy
from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from foregate.store.columns import count, key, raw, raw_or_none, table, text, text_or_none, time

staff: Final = table(
    "staff",
    text("staff_id"),
    raw("user_name_digest"),
    raw("user_name_sealed"),
    raw("name_sealed"),
    text("role"),
    text_or_none("outlet_id"),
    raw_or_none("core_ref_sealed"),
    count("is_active"),
    text("hold"),
    time("held_at"),
    time("created_at"),
    key("staff_id"),
    UniqueConstraint("user_name_digest"),
    Index(None, "outlet_id"),
)

# How often a member did what is counted (searches, number changes) since a window was opened.
staff_tally: Final = table(
    "staff_tally",
    text("staff_id"),
    text("what"),
    time("window_from"),
    count("count"),
    key("staff_id", "what"),
    Index(None, "window_from"),
)

OPEN: Final = "state = 'proposed'"
proposal: Final = table(
    "proposal",
    text("subject_id"),
    text("proposal_id"),
    text("act"),
    count("persons"),
    text_or_none("outlet_id"),
    text("maker"),
    raw("payload_sealed"),
    raw("digest"),
    text_or_none("document_type"),
    raw_or_none("document_digest"),
    text_or_none("document_expires_on"),
    count("awaits_code"),
    text("state"),
    text_or_none("checker"),
    text("note"),
    time("created_at"),
    time("expires_at"),
    time("ended_at"),
    key("subject_id", "proposal_id"),
    CheckConstraint("checker IS NULL OR checker <> maker", name="ck_proposal_two_people"),
    CheckConstraint(
        "state NOT IN ('consented', 'done') OR persons = 1 OR checker IS NOT NULL", name="ck_proposal_consented"
    ),
    Index(None, "proposal_id"),
    Index(None, "outlet_id"),
    Index(
        "uq_proposal_open",
        "subject_id",
        "act",
        unique=True,
        sqlite_where=sqlalchemy.text(OPEN),
        postgresql_where=sqlalchemy.text(OPEN),
    ),
    Index(
        "ix_proposal_waiting",
        "expires_at",
        sqlite_where=sqlalchemy.text(OPEN),
        postgresql_where=sqlalchemy.text(OPEN),
    ),
    Index(None, "ended_at"),
)
