"""A document that ends, and what its holder types from the new one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from foregate.rules import documents
from tests.bank import LI, NOW, WANG, Answer, Bank, Person, Visitor, open_bank

TODAY = documents.day_of(NOW)
NEW_END = "2041-01-10"
FOREIGN = replace(
    LI, core_ref="C077", name="MARIE CLAIRE DUBOIS", card="6222020000000000042", phone="+8613300001111",
    bound="+8613300001111", user_name="marie.d", document_type="PASSPORT_FOREIGN", document_number="21AB00029",
    birth_date="1988-03-09",
)  # fmt: skip


def in_days(days: int) -> str:
    """The day that many days from today, at the bank."""
    return (TODAY + timedelta(days)).isoformat()


async def let_end(bank: Bank, person: Person, expires_on: str | None) -> None:
    """Let a person's document end then, as the core bank knows."""
    await bank.house.core.set_document_expiry(person.core_ref, expires_on)


def written_on(person: Person, **changes: Any) -> dict[str, Any]:
    """What a person types from their new document."""
    document = {
        "name": person.name,
        "document_type": person.document_type,
        "document_number": person.document_number,
        "issued_on": "",
        "expires_on": NEW_END,
        "long_term": False,
    }
    return document | changes


async def signed_in(bank: Bank, person: Person = LI) -> Visitor:
    """A visitor in a full session, asked for the new document."""
    visitor = bank.visitor()
    await visitor.sign_in(person)
    asked = await visitor.start("renew-document")
    assert "renew-document" == asked.step
    return visitor


async def document_of(visitor: Visitor) -> dict[str, Any] | None:
    """What a signed-in customer is told of their document."""
    found: dict[str, Any] | None = (await visitor.get("/v1/me")).body["document"]
    return found


def wrong(answer: Answer) -> dict[str, str]:
    """What is wrong with which field."""
    return {field["name"]: field["code"] for field in answer.body.get("fields", [])}


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Bank]:
    """A bank over SQLite, for what both databases do alike."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI, WANG)
    yield bank
    await bank.close()
