"""Messages sent, by the hour: what a day's codes and notices cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "message_hour",
        sa.Column("hour_from", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour_from", name="pk_message_hour"),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("message_hour")
