"""When a document was issued, as the core bank and the registry know it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ISSUED = {"core_person": "document_issued_on", "registry_document": "issued_on"}


def upgrade() -> None:
    """Make the columns."""
    for table, column in ISSUED.items():
        op.add_column(table, sa.Column(column, sa.Text, nullable=True))


def downgrade() -> None:
    """Take them away."""
    for table, column in ISSUED.items():
        op.drop_column(table, column)
