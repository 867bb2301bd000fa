"""Whom a day left behind at an outlet is found at once, however many visits there were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    here = sa.text("state IN ('called', 'checked-in')")
    op.create_index("ix_appointment_here", "appointment", ["starts_at"], sqlite_where=here, postgresql_where=here)


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_appointment_here", "appointment")
