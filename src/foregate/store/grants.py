"""What the role that Foregate runs under may do in PostgreSQL: everything it needs, and no touching the record.

The tables belong to another role, the one that migrates. The owner of a table may always change it.
"""

from __future__ import annotations

from typing import Final

from foregate.store.every_table import metadata

APPEND_ONLY: Final = ("audit_event", "audit_seal", "audit_sealed_head", "consent", "posting", "statement")
NEVER_DELETED: Final = ("audit_head", "account", "balance")
# What was booked stays by a trigger; what waits may go.
NEVER_CHANGED: Final = ("entry",)


def app_role_grants(role: str) -> str:
    """Return the SQL that gives `role` its rights. Run it as the owner of the tables, after every migration."""
    quoted = '"' + role.replace('"', '""') + '"'
    lines = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted};",
        f"GRANT SELECT ON alembic_version TO {quoted};",
    ]
    for name in sorted(metadata.tables):
        lines.append(f"GRANT {', '.join(_rights(name))} ON {name} TO {quoted};")
    return "\n".join(lines) + "\n"


def _rights(table: str) -> tuple[str, ...]:
    if table in APPEND_ONLY:
        return ("SELECT", "INSERT")
    if table in NEVER_DELETED:
        return ("SELECT", "INSERT", "UPDATE")
    if table in NEVER_CHANGED:
        return ("SELECT", "INSERT", "DELETE")
    return ("SELECT", "INSERT", "UPDATE", "DELETE")
