"""WeChat and Alipay accounts, what was taken along from them, and the ledger of consents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "social_account",
        *(_text(name) for name in ("customer_id", "provider")),
        sa.Column("names_sealed", sa.LargeBinary, nullable=False),
        *(_time(name) for name in ("linked_at", "used_at")),
        sa.PrimaryKeyConstraint("customer_id", "provider", name="pk_social_account"),
    )
    op.create_table(
        "profile_attribute",
        *(_text(name) for name in ("customer_id", "provider", "attribute")),
        sa.Column("value_sealed", sa.LargeBinary, nullable=False),
        _text("origin"),
        _time("taken_at"),
        sa.PrimaryKeyConstraint("customer_id", "provider", "attribute", name="pk_profile_attribute"),
    )
    op.create_table(
        "consent",
        *(_text(name) for name in ("customer_id", "purpose")),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        *(_text(name) for name in ("verb", "text_version")),
        _time("at"),
        sa.PrimaryKeyConstraint("customer_id", "purpose", "seq", name="pk_consent"),
        comment="Append only: the role that Foregate runs under has neither UPDATE nor DELETE here.",
    )


def downgrade() -> None:
    """Take them away."""
    for name in ("consent", "profile_attribute", "social_account"):
        op.drop_table(name)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)
