"""Services, capacity and appointments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("appointment", "appointment_unit", "booker", "outlet_service", "ticket_counter", "case_file")


def upgrade() -> None:
    """Make the tables."""
    _appointment()
    _capacity()
    _people()


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _bytes(name: str, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _where(name: str, table: str, column: str, condition: str) -> None:
    op.create_index(
        name, table, [column], sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )  # fmt: skip


def _appointment() -> None:
    op.create_table(
        "appointment",
        _text("appointment_id"),
        _text("journey_id", nullable=True),
        _text("outlet_id"),
        _text("service"),
        _text("state"),
        _time("starts_at"),
        _time("ends_at"),
        _count("people"),
        _time("created_at"),
        _time("held_until"),
        _bytes("phone_sealed", nullable=True),
        _bytes("phone_digest", nullable=True),
        _bytes("surname_sealed", nullable=True),
        _bytes("token_digest", nullable=True),
        _text("reference"),
        _text("case_no", nullable=True),
        _text("language"),
        _count("reminded"),
        _text("ticket", nullable=True),
        _time("queue_at"),
        _time("called_at"),
        _text("desk"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("appointment_id", name="pk_appointment"),
    )
    op.create_index("ix_appointment_journey_id", "appointment", ["journey_id"], unique=True)
    op.create_index("ix_appointment_token_digest", "appointment", ["token_digest"], unique=True)
    op.create_index("ix_appointment_phone_digest", "appointment", ["phone_digest"])
    op.create_index("ix_appointment_outlet_id_starts_at", "appointment", ["outlet_id", "starts_at"])
    op.create_index("ix_appointment_ends_at", "appointment", ["ends_at"])
    _where("ix_appointment_held", "appointment", "held_until", "state = 'held'")
    _where("ix_appointment_ahead", "appointment", "starts_at", "state = 'confirmed'")


def _capacity() -> None:
    op.create_table(
        "appointment_unit",
        _text("outlet_id"),
        _text("pool"),
        _time("slot_start"),
        _time("unit"),
        _text("appointment_id"),
        _time("held_until"),
        sa.PrimaryKeyConstraint("outlet_id", "pool", "slot_start", "unit", name="pk_appointment_unit"),
    )
    op.create_index("ix_appointment_unit_slot_start", "appointment_unit", ["slot_start"])
    op.create_table(
        "outlet_service",
        _text("outlet_id"),
        _text("service"),
        _count("capacity"),
        sa.PrimaryKeyConstraint("outlet_id", "service", name="pk_outlet_service"),
    )
    op.create_table(
        "ticket_counter",
        _text("outlet_id"),
        _text("day"),
        _text("letter"),
        _count("last"),
        _time("touched_at"),
        sa.PrimaryKeyConstraint("outlet_id", "day", "letter", name="pk_ticket_counter"),
    )
    op.create_index("ix_ticket_counter_touched_at", "ticket_counter", ["touched_at"])


def _people() -> None:
    op.create_table(
        "booker",
        _bytes("phone_digest"),
        _count("no_shows"),
        _time("paused_until"),
        _time("touched_at"),
        sa.PrimaryKeyConstraint("phone_digest", name="pk_booker"),
    )
    op.create_index("ix_booker_touched_at", "booker", ["touched_at"])
    op.create_table(
        "case_file",
        _text("case_no"),
        _text("journey_id"),
        _count("number"),
        _text("service"),
        _bytes("facts_sealed"),
        _time("created_at"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("case_no", name="pk_case_file"),
    )
    op.create_index("ix_case_file_journey_id_number", "case_file", ["journey_id", "number"], unique=True)
    op.create_index("ix_case_file_expires_at", "case_file", ["expires_at"])
