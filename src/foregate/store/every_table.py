"""All tables of the house, whichever module defines them. A new module of tables is one more import here."""

from __future__ import annotations

from foregate.store import tables
from foregate.store.columns import metadata

MODULES = (tables,)

__all__ = ["MODULES", "metadata"]
