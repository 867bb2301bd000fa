"""Every table says how it is purged, or why it is kept."""

from foregate.store.every_table import metadata
from foregate.store.janitor import RETENTION, Kept, Purged, PurgedWith


def test_every_table_is_registered() -> None:
    """A new table without a rule would grow for ever."""
    assert set(metadata.tables) == set(RETENTION)


def test_what_expires_is_purged() -> None:
    """A table whose rows say when they end is purged, or goes with one that is."""
    expiring = {name for name, table in metadata.tables.items() if "expires_at" in table.columns}
    kept = {name for name, rule in RETENTION.items() if isinstance(rule, Kept)}
    assert set() == expiring & kept


def test_rules_name_their_own_table() -> None:
    """No rule deletes from a table other than its own, and what goes with another goes with one that is purged."""
    for name, rule in RETENTION.items():
        if isinstance(rule, Purged):
            assert name == rule.table.name
        if isinstance(rule, PurgedWith):
            assert isinstance(RETENTION[rule.owner], Purged)
            assert rule.column in metadata.tables[name].columns


def test_reasons_are_given() -> None:
    """Keeping something for ever takes a reason."""
    assert all(rule.why for rule in RETENTION.values() if isinstance(rule, Kept))
