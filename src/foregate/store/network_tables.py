"""What people sent us of their network checks. Nothing in it says whose it is, so nothing is sealed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index

from foregate.store.columns import key, table, text, time

network_report: Final = table(
    "network_report",
    text("report_id"),
    text("code"),
    text("figures"),
    text("client"),
    time("created_at"),
    time("expires_at"),
    key("report_id"),
    Index("ix_network_report_code", "code", "created_at"),
    Index(None, "created_at"),
    Index(None, "expires_at"),
)
