"""Reports of the network check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "network_report",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("report_id", "code", "figures", "client")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "expires_at")),
        sa.PrimaryKeyConstraint("report_id", name="pk_network_report"),
    )
    op.create_index("ix_network_report_code", "network_report", ["code", "created_at"])
    op.create_index("ix_network_report_created_at", "network_report", ["created_at"])
    op.create_index("ix_network_report_expires_at", "network_report", ["expires_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("network_report")
