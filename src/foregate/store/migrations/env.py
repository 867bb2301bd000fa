"""Run by Alembic for every command; `foregate.store.migrate` brings the connection."""

from alembic import context
from sqlalchemy import text

from foregate.store.every_table import metadata

# Two nodes that are started together migrate one after the other. The number means nothing but this.
MIGRATION_LOCK = 6_700_417

connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
