"""Faces as they are kept, on both databases."""

from __future__ import annotations

import msgspec
import pytest

from foregate.ports.face_records import FaceChallengeRow, FaceTemplateRow
from foregate.store.unit_of_work import SqlStore

pytestmark = pytest.mark.anyio

ROW = FaceTemplateRow(
    customer_id="c1", template=b"a vector, turned", salt=b"s" * 32, engine_id="e1", enrolled_at=1, expires_at=9,
)  # fmt: skip


async def test_one_template_for_each_customer(store: SqlStore) -> None:
    """A renewed one takes the place of the old, and withdrawing leaves nothing."""
    renewed = msgspec.structs.replace(ROW, template=b"another vector", salt=b"t" * 32)
    async with store.begin() as tx:
        assert await tx.faces.find("c1") is None
        await tx.faces.put(ROW)
        assert ROW == await tx.faces.find("c1")
        await tx.faces.put(renewed)
        assert renewed == await tx.faces.find("c1")
        assert await tx.faces.remove("c1")
        assert not await tx.faces.remove("c1")
        assert await tx.faces.find("c1") is None


async def test_whose_face_ends(store: SqlStore) -> None:
    """Page by page in one order, both ends included."""
    async with store.begin() as tx:
        for who, ends_at in {"c1": 9, "c2": 10, "c3": 10, "c4": 12, "c5": 13}.items():
            await tx.faces.put(msgspec.structs.replace(ROW, customer_id=who, expires_at=ends_at))
        assert ((10, "c2"), (10, "c3")) == await tx.faces.ending(10, 12, (0, ""), 2)
        assert ((10, "c3"), (12, "c4")) == await tx.faces.ending(10, 12, (10, "c2"), 2)
        assert () == await tx.faces.ending(10, 12, (12, "c4"), 2)


async def test_one_challenge_for_each_journey(store: SqlStore) -> None:
    """Written again it is what was written last."""
    async with store.begin() as tx:
        await tx.faces.put_challenge(FaceChallengeRow(journey_id="j1", state=b"1", expires_at=5))
        await tx.faces.put_challenge(FaceChallengeRow(journey_id="j1", state=b"2", expires_at=6))
        assert await tx.faces.challenge("j1") == FaceChallengeRow(journey_id="j1", state=b"2", expires_at=6)
        assert await tx.faces.challenge("j2") is None


async def test_a_picture_is_noted_once(store: SqlStore) -> None:
    """One that was seen before spoils its set, and so does one that comes twice."""
    async with store.begin() as tx:
        assert await tx.faces.note_pictures([b"1", b"2"], 9)
    async with store.begin() as tx:
        assert not await tx.faces.note_pictures([b"3", b"2"], 9)
        assert not await tx.faces.note_pictures([b"4", b"4"], 9)
