"""The first tables.

On PostgreSQL, run what `foregate.store.grants.app_role_grants(role)` returns after every migration: the role that
Foregate runs under may add audit events and seals, and neither change nor delete one.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = "Append only: the role that Foregate runs under has neither UPDATE nor DELETE here."


# Nodes keep sessions in memory; the database itself tells them when one is over (store/session_cache.py).
ANNOUNCE = (
    """
    CREATE FUNCTION foregate_announce_session() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            PERFORM pg_notify('foregate_session', '*');
        ELSE
            PERFORM pg_notify('foregate_session', OLD.customer_id);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER foregate_session_over AFTER DELETE OR UPDATE OF secret_digest, level, evidence, expires_at
    ON session FOR EACH ROW EXECUTE FUNCTION foregate_announce_session()
    """,
    """
    CREATE TRIGGER foregate_sessions_over AFTER TRUNCATE
    ON session FOR EACH STATEMENT EXECUTE FUNCTION foregate_announce_session()
    """,
)


def upgrade() -> None:
    _customers()
    if op.get_bind().dialect.name == "postgresql":
        for statement in ANNOUNCE:
            op.execute(statement)
    _journeys()
    _audit()
    _core_bank()


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION foregate_announce_session()")


TABLES = (
    "customer",
    "login_name",
    "counter",
    "permission",
    "session",
    "device",
    "journey",
    "code",
    "send_guard",
    "inbound_text",
    "outbox",
    "audit_event",
    "audit_head",
    "audit_seal",
    "audit_sealed_head",
    "core_person",
    "core_card",
)


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _bytes(name: str, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _create(name: str, key: Sequence[str], *columns: sa.Column[Any], comment: str | None = None) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"), comment=comment)


def _index(table: str, column: str, name: str = "", where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    name = name or f"ix_{table}_{column}"
    op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition)


def _customers() -> None:
    _create(
        "customer", ("customer_id",),
        _text("customer_id"), _bytes("core_ref_sealed"), _bytes("name_sealed"), _bytes("phone_sealed"),
        _bytes("user_name_sealed", nullable=True), _text("password_hash", nullable=True), _big("created_at"),
        _big("last_sign_in_at"), _big("ended_at"),
    )  # fmt: skip
    _create(
        "login_name", ("kind", "digest"),
        _text("kind"), _bytes("digest"), _text("customer_id"),
    )  # fmt: skip
    _index("login_name", "customer_id")
    _create(
        "counter", ("customer_id", "counter", "lane"),
        _text("customer_id"), _text("counter"), _text("lane"), _count("in_a_row"), _count("total"),
        _big("blocked_until"), _big("touched_at"),
    )  # fmt: skip
    _index("counter", "touched_at")
    _create(
        "permission", ("customer_id", "lane"),
        _text("customer_id"), _text("lane"), _text("state"), _big("changed_at"),
    )  # fmt: skip
    _create(
        "session", ("customer_id", "session_id"),
        _text("customer_id"), _text("session_id"), _bytes("secret_digest"), _text("level"), _text("evidence"),
        _text("device_id", nullable=True), _text("agent"), _big("created_at"), _big("seen_at"), _big("expires_at"),
    )  # fmt: skip
    _index("session", "expires_at")
    _create(
        "device", ("customer_id", "device_id"),
        _text("customer_id"), _text("device_id"), _bytes("secret_digest"), _text("agent"), _big("created_at"),
        _big("seen_at"),
    )  # fmt: skip
    _index("device", "seen_at")


def _journeys() -> None:
    _create(
        "journey", ("journey_id",),
        _text("journey_id"), _text("name"), _count("version"), _text("status"), _bytes("visitor_digest"),
        _text("customer_id", nullable=True), _bytes("claim_digest", nullable=True), _bytes("state_sealed"),
        _big("created_at"), _big("expires_at"), _text("last_key", nullable=True),
        _bytes("last_request", nullable=True), _bytes("last_reply_sealed", nullable=True),
    )  # fmt: skip
    _index("journey", "customer_id")
    _index("journey", "expires_at")
    _index("journey", "visitor_digest")
    _create(
        "code", ("journey_id",),
        _text("journey_id"), _text("purpose"), _bytes("phone_digest"), _bytes("nonce"), _count("is_long"),
        _count("tries"), _count("sends"), _big("sent_at"), _big("expires_at"), _count("is_used"),
    )  # fmt: skip
    _create(
        "send_guard", ("key",),
        _bytes("key"), _big("last_at"), _big("hour_from"), _count("hour_count"), _big("day_from"),
        _count("day_count"), _count("streak"), _big("touched_at"),
    )  # fmt: skip
    _index("send_guard", "touched_at")
    _create(
        "inbound_text", ("phone_digest", "token_digest"),
        _bytes("phone_digest"), _bytes("token_digest"), _big("expires_at"),
    )  # fmt: skip
    _index("inbound_text", "expires_at")
    _create(
        "outbox", ("message_id",),
        _text("message_id"), _text("customer_id", nullable=True), _bytes("phone_sealed", nullable=True),
        _text("template"), _text("language"), _bytes("facts_sealed", nullable=True), _bytes("nonce", nullable=True),
        _big("created_at"), _big("expires_at"), _text("status"), _count("tries"), _big("next_at"), _big("ended_at"),
    )  # fmt: skip
    _index("outbox", "ended_at", "ix_outbox_ended", "status <> 'waiting'")
    _index("outbox", "next_at", "ix_outbox_waiting", "status = 'waiting'")


def _audit() -> None:
    _create(
        "audit_event", ("chain", "seq"),
        _text("chain"), _big("seq"), _big("at"), _text("kind"), _text("journey_id", nullable=True), _text("actor"),
        _text("source"), _text("details"), _bytes("prev"), _bytes("hash"), comment=APPEND_ONLY,
    )  # fmt: skip
    _create(
        "audit_head", ("chain",),
        _text("chain"), _big("seq"), _bytes("hash"), _count("is_sealed"),
    )  # fmt: skip
    _index("audit_head", "chain", "ix_audit_head_unsealed", "is_sealed = 0")
    _create(
        "audit_seal", ("seal",),
        _big("seal"), _big("at"), _count("heads"), _bytes("root"), _bytes("prev"), _bytes("hash"),
        comment=APPEND_ONLY,
    )  # fmt: skip
    _create(
        "audit_sealed_head", ("chain", "seal"),
        _text("chain"), _big("seal"), _big("seq"), comment=APPEND_ONLY,
    )  # fmt: skip
    _index("audit_sealed_head", "seal")


def _core_bank() -> None:
    _create(
        "core_person", ("core_ref",),
        _text("core_ref"), _bytes("name_sealed"), _bytes("birth_date_sealed"), _text("document_type"),
        _bytes("document_number_sealed"), _text("document_expires_on", nullable=True),
    )  # fmt: skip
    _create(
        "core_card", ("card_digest",),
        _bytes("card_digest"), _text("card_ref"), _text("core_ref"), _bytes("card_number_sealed"),
        _bytes("bound_phone_sealed", nullable=True), _bytes("bound_phone_digest", nullable=True), _text("pin_hash"),
        _text("status"),
    )  # fmt: skip
    _index("core_card", "bound_phone_digest")
    _index("core_card", "core_ref")
