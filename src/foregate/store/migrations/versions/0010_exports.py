"""Files of a record that customers asked for, and what they want to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account_export",
        _text("export_id"),
        _text("customer_id"),
        sa.Column("core_ref_sealed", sa.LargeBinary, nullable=False),
        *(_text(name) for name in ("account_id", "format", "language", "date_from", "date_to", "status")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("done", "tries")),
        *(_time(name) for name in ("created_at", "next_at", "expires_at")),
        sa.Column("body_sealed", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("export_id", name="pk_account_export"),
    )
    op.create_index("ix_account_export_customer_id", "account_export", ["customer_id"])
    op.create_index("ix_account_export_expires_at", "account_export", ["expires_at"])
    waiting = sa.text("status = 'waiting'")
    op.create_index(
        "ix_account_export_next_at", "account_export", ["next_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "alert_choice",
        _text("customer_id"),
        sa.Column("money_in", sa.Integer, nullable=False),
        sa.Column("out_above_minor", sa.BigInteger, nullable=True),
        sa.Column("sign_in", sa.Integer, nullable=False),
        _text("language"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("customer_id", name="pk_alert_choice"),
    )
    op.create_table(
        "alert_told",
        _text("customer_id"),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        _time("told_at"),
        sa.PrimaryKeyConstraint("customer_id", "fingerprint", name="pk_alert_told"),
    )
    op.create_index("ix_alert_told_told_at", "alert_told", ["told_at"])


def downgrade() -> None:
    """Take them away."""
    for name in ("alert_told", "alert_choice", "account_export"):
        op.drop_table(name)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)
