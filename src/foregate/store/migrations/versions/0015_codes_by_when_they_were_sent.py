"""Codes by when they were sent: who guesses at many numbers is looked for among the newest."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_code_sent_at", "code", ["sent_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_code_sent_at", "code")
