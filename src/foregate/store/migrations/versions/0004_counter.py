"""Staff, proposals, permits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _staff_and_proposals()
    _credentials()
    _permits_and_cooling()


def downgrade() -> None:
    """Take them away."""
    _no_cooling()
    for name in reversed(PERMIT_TABLES):
        op.drop_table(name)
    for name in reversed(CREDENTIAL_TABLES):
        op.drop_table(name)
    _no_people_found()
    for name in reversed(STAFF_TABLES):
        op.drop_table(name)


# ---------------------------------------------------------------- what staff sign in with

CREDENTIAL_TABLES = (
    "staff_passkey", "staff_secret", "staff_enrolment", "staff_challenge", "staff_tries", "staff_session",
)  # fmt: skip


def _credentials() -> None:
    def text(name: str) -> sa.Column[str]:
        return sa.Column(name, sa.Text, nullable=False)

    def raw(name: str) -> sa.Column[bytes]:
        return sa.Column(name, sa.LargeBinary, nullable=False)

    def big(name: str) -> sa.Column[int]:
        return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)

    def count(name: str) -> sa.Column[int]:
        return sa.Column(name, sa.Integer, nullable=False)

    op.create_table(
        "staff_passkey",
        raw("credential_id"), text("staff_id"), raw("public_key"), big("sign_count"), count("is_backed_up"),
        big("created_at"), big("used_at"), sa.PrimaryKeyConstraint("credential_id", name="pk_staff_passkey"),
    )  # fmt: skip
    op.create_index("ix_staff_passkey_staff_id", "staff_passkey", ["staff_id"])
    op.create_table(
        "staff_secret",
        text("staff_id"), text("password_hash"), raw("totp_secret_sealed"), big("last_step"), big("created_at"),
        sa.PrimaryKeyConstraint("staff_id", name="pk_staff_secret"),
    )  # fmt: skip
    op.create_table(
        "staff_enrolment",
        text("staff_id"), raw("code_digest"), raw("totp_secret_sealed"), big("expires_at"),
        sa.PrimaryKeyConstraint("staff_id", name="pk_staff_enrolment"),
        sa.UniqueConstraint("code_digest", name="uq_staff_enrolment_code_digest"),
    )  # fmt: skip
    op.create_table(
        "staff_challenge",
        raw("browser_digest"), text("purpose"), raw("challenge"), big("expires_at"),
        sa.PrimaryKeyConstraint("browser_digest", name="pk_staff_challenge"),
    )  # fmt: skip
    op.create_table(
        "staff_tries",
        raw("key"), count("in_a_row"), big("locked_until"), big("touched_at"),
        sa.PrimaryKeyConstraint("key", name="pk_staff_tries"),
    )  # fmt: skip
    op.create_table(
        "staff_session",
        text("staff_id"), text("session_id"), raw("secret_digest"), text("method"), big("created_at"),
        big("seen_at"), big("expires_at"), sa.PrimaryKeyConstraint("staff_id", "session_id", name="pk_staff_session"),
    )  # fmt: skip
    for table in ("staff_enrolment", "staff_challenge", "staff_session"):
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"])
    op.create_index("ix_staff_tries_touched_at", "staff_tries", ["touched_at"])


# ---------------------------------------------------------------- permits, and how long a replaced number cools

PERMIT_TABLES = ("permit", "stop_link")
CODE_AT_COUNTER = sa.text("purpose = 'replace-phone-at-counter'")


def _permits_and_cooling() -> None:
    op.create_table(
        "permit",
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("lent_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "digest", name="pk_permit"),
    )
    op.create_table(
        "stop_link",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_stop_link"),
    )
    op.create_index("ix_permit_created_at", "permit", ["created_at"])
    op.create_index("ix_stop_link_expires_at", "stop_link", ["expires_at"])
    op.create_index(
        "ix_code_at_counter", "code", ["expires_at"], sqlite_where=CODE_AT_COUNTER, postgresql_where=CODE_AT_COUNTER
    )
    # Who is there already has nothing that cools.
    op.add_column("customer", sa.Column("cooling_until", sa.BigInteger, nullable=False, server_default="0"))


def _no_cooling() -> None:
    op.drop_column("customer", "cooling_until")
    op.drop_index("ix_code_at_counter", "code")


# ---------------------------------------------------------------- staff, proposals, and people found by name

STAFF_TABLES = ("staff", "staff_tally", "proposal")
OPEN_PROPOSAL = sa.text("state = 'proposed'")
PERSON_DIGESTS = ("name_digest", "name_and_tail_digest", "document_digest")


def _staff_and_proposals() -> None:
    def text(name: str, nullable: bool = False) -> sa.Column[str]:
        return sa.Column(name, sa.Text, nullable=nullable)

    def raw(name: str, nullable: bool = False) -> sa.Column[bytes]:
        return sa.Column(name, sa.LargeBinary, nullable=nullable)

    def big(name: str) -> sa.Column[int]:
        return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)

    def count(name: str) -> sa.Column[int]:
        return sa.Column(name, sa.Integer, nullable=False)

    op.create_table(
        "staff",
        text("staff_id"), raw("user_name_digest"), raw("user_name_sealed"), raw("name_sealed"), text("role"),
        text("outlet_id", nullable=True), raw("core_ref_sealed", nullable=True), count("is_active"), text("hold"),
        big("held_at"), big("created_at"), sa.PrimaryKeyConstraint("staff_id", name="pk_staff"),
        sa.UniqueConstraint("user_name_digest", name="uq_staff_user_name_digest"),
    )  # fmt: skip
    op.create_index("ix_staff_outlet_id", "staff", ["outlet_id"])
    op.create_table(
        "staff_tally",
        text("staff_id"), text("what"), big("window_from"), count("count"),
        sa.PrimaryKeyConstraint("staff_id", "what", name="pk_staff_tally"),
    )  # fmt: skip
    op.create_index("ix_staff_tally_window_from", "staff_tally", ["window_from"])
    op.create_table(
        "proposal",
        text("subject_id"), text("proposal_id"), text("act"), count("persons"), text("outlet_id", nullable=True),
        text("maker"), raw("payload_sealed"), raw("digest"), text("document_type", nullable=True),
        raw("document_digest", nullable=True), text("document_expires_on", nullable=True), count("awaits_code"),
        text("state"), text("checker", nullable=True), text("note"), big("created_at"), big("expires_at"),
        big("ended_at"), sa.PrimaryKeyConstraint("subject_id", "proposal_id", name="pk_proposal"),
        sa.CheckConstraint("checker IS NULL OR checker <> maker", name="ck_proposal_two_people"),
        sa.CheckConstraint(
            "state NOT IN ('consented', 'done') OR persons = 1 OR checker IS NOT NULL", name="ck_proposal_consented"
        ),
    )  # fmt: skip
    for column in ("proposal_id", "outlet_id", "ended_at"):
        op.create_index(f"ix_proposal_{column}", "proposal", [column])
    op.create_index(
        "uq_proposal_open", "proposal", ["subject_id", "act"], unique=True,
        sqlite_where=OPEN_PROPOSAL, postgresql_where=OPEN_PROPOSAL,
    )  # fmt: skip
    op.create_index(
        "ix_proposal_waiting", "proposal", ["expires_at"],
        sqlite_where=OPEN_PROPOSAL, postgresql_where=OPEN_PROPOSAL,
    )  # fmt: skip
    # Empty for whoever is there already: importing the people again fills them in.
    for column in PERSON_DIGESTS:
        op.add_column("core_person", raw(column, nullable=True))
        op.create_index(f"ix_core_person_{column}", "core_person", [column])


def _no_people_found() -> None:
    for column in PERSON_DIGESTS:
        op.drop_index(f"ix_core_person_{column}", "core_person")
        op.drop_column("core_person", column)
