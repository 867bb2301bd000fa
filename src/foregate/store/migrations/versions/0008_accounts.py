"""Accounts: the ledger, the record that customers read, balances and statements as reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("account", "posting", "entry", "balance", "statement")
APPEND_ONLY = "Append only: the role that Foregate runs under has neither UPDATE nor DELETE here."
RECORD = "ix_entry_account_id_day"
WAITING = "ix_entry_account_id_waiting"

# What happened stays as it happened. The owner of the tables is held by this as well.
GUARDS_POSTGRES = (
    """
    CREATE FUNCTION foregate_booked_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'foregate: what was booked never changes (% on %)', TG_OP, TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE TRIGGER posting_for_good BEFORE UPDATE OR DELETE ON posting
    FOR EACH ROW EXECUTE FUNCTION foregate_booked_for_good()
    """,
    """
    CREATE TRIGGER posting_not_emptied BEFORE TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION foregate_booked_for_good()
    """,
    "CREATE TRIGGER entry_as_it_was BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION foregate_booked_for_good()",
    """
    CREATE TRIGGER entry_for_good BEFORE DELETE ON entry
    FOR EACH ROW WHEN (OLD.status = 'BOOK') EXECUTE FUNCTION foregate_booked_for_good()
    """,
    """
    CREATE TRIGGER entry_not_emptied BEFORE TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION foregate_booked_for_good()
    """,
)
_REFUSE = "BEGIN SELECT RAISE(ABORT, 'foregate: what was booked never changes'); END"
GUARDS_SQLITE = (
    f"CREATE TRIGGER posting_not_changed BEFORE UPDATE ON posting {_REFUSE}",
    f"CREATE TRIGGER posting_for_good BEFORE DELETE ON posting {_REFUSE}",
    f"CREATE TRIGGER entry_as_it_was BEFORE UPDATE ON entry {_REFUSE}",
    f"CREATE TRIGGER entry_for_good BEFORE DELETE ON entry WHEN OLD.status = 'BOOK' {_REFUSE}",
)


def upgrade() -> None:
    """Make the tables."""
    _account()
    _posting()
    _entry()
    _reported()
    is_postgres = op.get_bind().dialect.name == "postgresql"
    for guard in GUARDS_POSTGRES if is_postgres else GUARDS_SQLITE:
        op.execute(guard)


def downgrade() -> None:
    """Take them away."""
    for name in reversed(TABLES):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION foregate_booked_for_good()")


def _account() -> None:
    op.create_table(
        "account",
        *(_text(name) for name in ("account_id", "core_ref", "scheme_name")),
        *(_raw(name) for name in ("identification_digest", "identification_sealed")),
        *(_text(name) for name in ("currency", "cash_account_type")),
        _raw("name_sealed"),
        *(_text(name) for name in ("product", "status", "account_class")),
        _raw("owner_name_sealed"),
        *(_text(name) for name in ("opened_on", "time_zone", "bicfi", "clearing_member_id", "servicer_name")),
        _text("outlet_id"),
        _whole("credit_line_minor", nullable=True),
        _whole("booked_minor"),
        _text("anchored_on"),
        *(_whole(name) for name in ("last_sequence", "version", "created_at", "changed_at")),
        sa.PrimaryKeyConstraint("account_id", name="pk_account"),
        sa.UniqueConstraint("account_id", "currency", name="uq_account_account_id_currency"),
        sa.UniqueConstraint("identification_digest", name="uq_account_identification_digest"),
    )
    op.create_index("ix_account_core_ref", "account", ["core_ref"])


def _posting() -> None:
    op.create_table(
        "posting",
        _text("posting_id"),
        _raw("reference_digest"),
        *(_text(name) for name in ("debit_account_id", "credit_account_id", "currency")),
        *(_whole(name) for name in ("amount_minor", "posted_at")),
        sa.PrimaryKeyConstraint("posting_id", name="pk_posting"),
        sa.UniqueConstraint("reference_digest", name="uq_posting_reference_digest"),
        sa.CheckConstraint("amount_minor > 0", name="ck_posting_amount"),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name="ck_posting_sides"),
        *(
            sa.ForeignKeyConstraint(
                [f"{side}_account_id", "currency"],
                ["account.account_id", "account.currency"],
                name=f"fk_posting_{side}",
            )
            for side in ("debit", "credit")
        ),
        comment=APPEND_ONLY,
    )
    op.create_index("ix_posting_debit_account_id", "posting", ["debit_account_id"])
    op.create_index("ix_posting_credit_account_id", "posting", ["credit_account_id"])


def _entry() -> None:
    op.create_table(
        "entry",
        _text("account_id"),
        _whole("sequence"),
        *(_text(name) for name in ("day", "status")),
        _whole("amount_minor"),
        sa.Column("value_date", sa.Text, nullable=True),
        *(_whole(name, nullable=True) for name in ("happened_at", "balance_after_minor")),
        _text("category"),
        sa.Column("posting_id", sa.Text, nullable=True),
        _whole("replaces_sequence"),
        *(_raw(name) for name in ("fingerprint", "details_sealed")),
        _text("words"),
        sa.PrimaryKeyConstraint("account_id", "sequence", name="pk_entry"),
        sa.UniqueConstraint("account_id", "fingerprint", name="uq_entry_account_id_fingerprint"),
        sa.CheckConstraint(
            "(status = 'BOOK' AND amount_minor <> 0) = (posting_id IS NOT NULL)", name="ck_entry_posting"
        ),
    )
    included = ["status", "amount_minor", "value_date", "category", "words"]
    op.create_index(RECORD, "entry", ["account_id", "day", "sequence"], postgresql_include=included)
    waiting = sa.text("status in ('PDNG', 'FUTR')")
    op.create_index(WAITING, "entry", ["account_id"], sqlite_where=waiting, postgresql_where=waiting)


def _reported() -> None:
    op.create_table(
        "balance",
        *(_text(name) for name in ("account_id", "balance_type", "reference_date")),
        _whole("amount_minor"),
        sa.Column("credit_line_included", sa.Integer, nullable=False),
        _whole("reported_at"),
        sa.PrimaryKeyConstraint("account_id", "balance_type", name="pk_balance"),
    )
    op.create_table(
        "statement",
        _text("account_id"),
        _raw("digest"),
        *(_text(name) for name in ("kind", "closing_day")),
        *(_whole(name, nullable=True) for name in ("opening_minor", "closing_minor")),
        sa.Column("entries", sa.Integer, nullable=False),
        *(_whole(name) for name in ("number", "imported_at")),
        sa.PrimaryKeyConstraint("account_id", "digest", name="pk_statement"),
        comment=APPEND_ONLY,
    )
    op.create_index("ix_statement_account_id_closing_day", "statement", ["account_id", "closing_day", "number"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _raw(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable, autoincrement=False)
