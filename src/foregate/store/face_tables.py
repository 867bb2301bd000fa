"""Templates of faces, challenges under way, and the pictures that were accepted once."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index

from foregate.store.columns import key, raw, table, text, time

# No picture: a template is a vector, turned by a key of its own and sealed. Who withdraws consent takes the row along.
face_template: Final = table(
    "face_template",
    text("customer_id"),
    raw("template_sealed"),
    raw("salt"),
    text("engine_id"),
    time("enrolled_at"),
    time("expires_at"),
    key("customer_id"),
    Index(None, "expires_at"),
)

face_challenge: Final = table(
    "face_challenge",
    text("journey_id"),
    raw("state"),
    time("expires_at"),
    key("journey_id"),
    Index(None, "expires_at"),
)

face_picture: Final = table(
    "face_picture",
    raw("digest"),
    time("expires_at"),
    key("digest"),
    Index(None, "expires_at"),
)
