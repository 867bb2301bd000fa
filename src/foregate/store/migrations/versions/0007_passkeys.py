"""Customers' passkeys, and the challenges that are open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "passkey",
        *(_text(name) for name in ("customer_id", "passkey_id")),
        *(_raw(name) for name in ("credential_digest", "credential_sealed", "public_key")),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("is_synced_kind", "is_backed_up")),
        _raw("name_sealed"),
        _text("agent"),
        *(_time(name) for name in ("created_at", "used_at")),
        sa.PrimaryKeyConstraint("customer_id", "passkey_id", name="pk_passkey"),
    )
    op.create_table(
        "passkey_challenge",
        _text("journey_id"),
        _raw("challenge"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("journey_id", name="pk_passkey_challenge"),
    )
    op.create_index("ix_passkey_challenge_expires_at", "passkey_challenge", ["expires_at"])


def downgrade() -> None:
    """Take them away."""
    op.execute(sa.text("DELETE FROM login_name WHERE kind = 'passkey'"))
    op.drop_table("passkey_challenge")
    op.drop_table("passkey")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _raw(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)
