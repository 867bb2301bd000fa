"""What the console says of outlets, above the bank's file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SAID = ("name", "address", "phone", "services", "wheelchair", "hours")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "outlet_own",
        sa.Column("outlet_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=True) for name in SAID),
        sa.Column("filed", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("outlet_id", name="pk_outlet_own"),
    )


def downgrade() -> None:
    """Take it away. Outlets stay as they are seen until the next import."""
    op.drop_table("outlet_own")
