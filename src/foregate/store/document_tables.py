"""What customers were told about their documents, and the documents that the embedded registry knows."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index

from foregate.store.columns import key, raw, table, text, text_or_none, time

document_notice: Final = table(
    "document_notice",
    text("customer_id"),
    text("expires_on"),
    text("which"),
    time("told_at"),
    key("customer_id", "expires_on", "which"),
    Index(None, "told_at"),
)

# Digests alone: a registry is asked whether something is so, and tells nobody what else it knows.
registry_document: Final = table(
    "registry_document",
    raw("document_digest"),
    raw("holder_digest"),
    raw("name_digest"),
    text_or_none("expires_on"),
    text_or_none("issued_on"),
    key("document_digest"),
)
