"""What customers were told about their documents; the embedded registry; people by the end of their document."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BY_END = "ix_core_person_document_expires_on_core_ref"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "document_notice",
        *(_text(name) for name in ("customer_id", "expires_on", "which")),
        sa.Column("told_at", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("customer_id", "expires_on", "which", name="pk_document_notice"),
    )
    op.create_index("ix_document_notice_told_at", "document_notice", ["told_at"])
    op.create_table(
        "registry_document",
        *(sa.Column(f"{name}_digest", sa.LargeBinary, nullable=False) for name in ("document", "holder", "name")),
        sa.Column("expires_on", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("document_digest", name="pk_registry_document"),
    )
    op.create_index(BY_END, "core_person", ["document_expires_on", "core_ref"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index(BY_END, "core_person")
    op.drop_table("registry_document")
    op.drop_table("document_notice")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)
