"""Templates of faces, challenges under way, and the pictures that were accepted once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "face_template",
        _text("customer_id"),
        _raw("template_sealed"),
        _raw("salt"),
        _text("engine_id"),
        *(_time(name) for name in ("enrolled_at", "expires_at")),
        sa.PrimaryKeyConstraint("customer_id", name="pk_face_template"),
    )
    op.create_table(
        "face_challenge",
        _text("journey_id"),
        _raw("state"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("journey_id", name="pk_face_challenge"),
    )
    op.create_table(
        "face_picture",
        _raw("digest"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_face_picture"),
    )
    for table in ("face_challenge", "face_picture", "face_template"):
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"])


def downgrade() -> None:
    """Take them away."""
    for table in ("face_challenge", "face_picture", "face_template"):
        op.drop_index(f"ix_{table}_expires_at", table)
    for table in ("face_picture", "face_challenge", "face_template"):
        op.drop_table(table)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _raw(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)
