"""All tables of the house, whichever module defines them. A new module of tables is one more import here."""

from __future__ import annotations

from foregate.store import document_tables, face_tables, network_tables, passkey_tables, social_tables, tables
from foregate.store.accounts import export_tables
from foregate.store.accounts import tables as account_tables
from foregate.store.columns import metadata
from foregate.store.counter import credential_tables, permit_tables
from foregate.store.counter import tables as counter_tables
from foregate.store.outlets import appointment_tables
from foregate.store.outlets import tables as outlet_tables

MODULES = (
    tables,
    counter_tables,
    outlet_tables,
    credential_tables,
    permit_tables,
    appointment_tables,
    document_tables,
    face_tables,
    passkey_tables,
    account_tables,
    export_tables,
    social_tables,
    network_tables,
)

__all__ = ["MODULES", "metadata"]
