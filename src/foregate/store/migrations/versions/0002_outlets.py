"""Outlets, and the exceptions to their hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("outlet", "outlet_words", "hours_exception")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outlet",
        *(_text(name) for name in ("outlet_id", "name", "kind", "name_latin", "address", "country", "province")),
        *(_text(name) for name in ("city", "city_plain", "district")),
        sa.Column("latitude", sa.Integer, nullable=True),
        sa.Column("longitude", sa.Integer, nullable=True),
        *(sa.Column(name, sa.BigInteger, nullable=True) for name in ("x", "y", "z")),
        *(_text(name) for name in ("phone", "services", "languages", "wheelchair", "hours", "time_zone")),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("is_retired", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("outlet_id", name="pk_outlet"),
    )
    op.create_index("ix_outlet_latitude", "outlet", ["latitude", "longitude"])
    op.create_index("ix_outlet_city_plain", "outlet", ["city_plain"])
    op.create_table(
        "outlet_words",
        _text("outlet_id"),
        _text("words"),
        sa.PrimaryKeyConstraint("outlet_id", name="pk_outlet_words"),
    )
    op.create_table(
        "hours_exception",
        *(_text(name) for name in ("outlet_id", "country", "day", "hours", "reason")),
        sa.PrimaryKeyConstraint("day", "outlet_id", "country", name="pk_hours_exception"),
    )


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)
