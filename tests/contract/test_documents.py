"""The registry of documents, what was told about them, and what the core bank is asked to do with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from foregate.gateways.core_bank.embedded import EmbeddedCoreBank
from foregate.gateways.document_registry.csv_import import COLUMNS, import_documents
from foregate.gateways.document_registry.embedded import EmbeddedRegistry
from foregate.gateways.hashing import Argon2Hasher
from foregate.ids import new_id
from foregate.ports import RegistryVerdict
from foregate.rules.documents import Document
from foregate.store.keyring import Keys
from foregate.store.unit_of_work import SqlStore, Unit
from tests.contract.samples import NOW, Clock, at_once, count, in_one, sql

pytestmark = pytest.mark.anyio

NEW = Document(name="LIAM O'CONNOR", document_type="PASSPORT_FOREIGN", number="26CD00029", expires_on="2036-03-31")
OLD = msgspec.structs.replace(NEW, number="21AB00029", expires_on="2026-12-31")


@pytest.fixture
async def registry(store: SqlStore, keys: Keys, clock: Clock) -> EmbeddedRegistry:
    registry = EmbeddedRegistry(store, keys, clock)
    await registry.put("P1", like(issued_on="2026-03-31"))
    await registry.put("P1", msgspec.structs.replace(OLD, number="21AB00030"))  # nobody knows since when
    await registry.put("P1", OLD)
    return registry


def like(**changes: str | None) -> Document:
    return msgspec.structs.replace(NEW, **changes)


# ---------------------------------------------------------------- the registry


@pytest.mark.parametrize(
    ("document", "verdict"),
    [
        (NEW, RegistryVerdict.VALID),
        (like(name="Liam O’Connor"), RegistryVerdict.VALID),  # the same name in another spelling
        (OLD, RegistryVerdict.EXPIRED),
        (like(number="26CD00030"), RegistryVerdict.UNKNOWN),
        (like(document_type="PASSPORT_CN"), RegistryVerdict.UNKNOWN),
        (like(name="LIAM CONNOR"), RegistryVerdict.MISMATCH),
        (like(expires_on="2036-04-01"), RegistryVerdict.MISMATCH),
        (like(expires_on=None), RegistryVerdict.MISMATCH),
        (like(issued_on="2026-03-31"), RegistryVerdict.VALID),
        (like(issued_on="2026-03-30"), RegistryVerdict.MISMATCH),
        (msgspec.structs.replace(OLD, number="21AB00030", issued_on="2000-01-01"), RegistryVerdict.EXPIRED),
    ],
)
async def test_what_the_registry_says(registry: EmbeddedRegistry, document: Document, verdict: RegistryVerdict) -> None:
    """Valid is a document that is as written in every part, and good today."""
    assert verdict is await registry.confirm(document)


async def test_a_successor_is_one_persons(registry: EmbeddedRegistry) -> None:
    """A new number succeeds an old one of the same holder; not somebody else's, nor one that nobody knows."""
    await registry.put("P2", like(number="33ZZ00001"))
    assert RegistryVerdict.VALID is await registry.confirm(NEW, replaces=OLD.number)
    assert RegistryVerdict.MISMATCH is await registry.confirm(NEW, replaces="33ZZ00001")
    assert RegistryVerdict.MISMATCH is await registry.confirm(NEW, replaces="00000000")


async def test_a_document_ends_with_the_banks_day(registry: EmbeddedRegistry, clock: Clock) -> None:
    """On its last day it is good, and over one second after that day ended at the bank."""
    await registry.put("P3", like(number="44", expires_on="2027-01-15"))
    clock.at = NOW + 8 * 3600 - 1  # 23:59:59
    assert RegistryVerdict.VALID is await registry.confirm(like(number="44", expires_on="2027-01-15"))
    clock.at += 1
    assert RegistryVerdict.EXPIRED is await registry.confirm(like(number="44", expires_on="2027-01-15"))


async def test_what_lies_in_the_registry_cannot_be_read(registry: EmbeddedRegistry, store: SqlStore) -> None:
    """Digests under a key; the same document of another type looks different."""
    (row, *_) = await sql(store, "SELECT * FROM registry_document")
    assert b"LIAM" not in bytes(row["name_digest"])
    assert {32} == {len(row[f"{part}_digest"]) for part in ("document", "holder", "name")}


async def test_a_file_of_documents(registry: EmbeddedRegistry) -> None:
    """Good lines are loaded, bad ones told by line and column; twice is once."""
    lines = [
        ",".join(COLUMNS),
        "P9,李小明,RESIDENT_ID,440308199901101512,2041-01-10",
        "P9,李小明,RESIDENT_ID,440308199901101513,2041-01-10",
        "P9,李小明,RESIDENT_ID,440308199901101512,10.1.2041",
        ",李小明,RESIDENT_ID,440308199901101512,",
        "P8,王芳,RESIDENT_ID,11010519491231002x,",
    ]
    refused: list[tuple[int, str]] = []
    for _ in range(2):
        refused.clear()
        counts = await import_documents(registry, lines, lambda line, why: refused.append((line, why)))
        assert "2 documents loaded, 3 lines refused" == str(counts)
    assert [
        (3, "document_number: document-check-digit"),
        (4, "document_expires_on: not a date like 1990-04-12"),
        (5, "holder: has to have 1 to 64 characters"),
    ] == refused
    wang = Document(name="王芳", document_type="RESIDENT_ID", number="11010519491231002X", expires_on=None)
    assert RegistryVerdict.VALID is await registry.confirm(wang)
    dated = [
        f"{lines[0]},document_issued_on",
        "P8,王芳,RESIDENT_ID,11010519491231002x,,2005-06-07",
        "P9,李小明,RESIDENT_ID,440308199901101512,2041-01-10,2041-01-10",
        "P9,李小明,RESIDENT_ID,440308199901101512,2041-01-10",
    ]
    counts = await import_documents(registry, dated, lambda line, why: refused.append((line, why)))
    assert "1 documents loaded, 2 lines refused" == str(counts)
    assert [(3, "document_issued_on: issue-after-end"), (4, "5 columns in place of 6")] == refused[-2:]
    verdicts = [
        await registry.confirm(msgspec.structs.replace(wang, issued_on=day)) for day in ("2005-06-07", "2005-06-08")
    ]
    assert [RegistryVerdict.VALID, RegistryVerdict.MISMATCH] == verdicts
    with pytest.raises(ValueError, match="holder,name"):
        await import_documents(registry, ["core_ref,name"], lambda line, why: None)


# ---------------------------------------------------------------- what was told


async def test_a_notice_is_noted_once(store: SqlStore) -> None:
    """However many nodes are at it; another end, or the other notice, is another thing."""
    who = new_id()
    noted = await at_once(store, 20, lambda tx: tx.document_notices.note(who, "2027-02-01", "expiring", NOW))
    assert 1 == sum(noted)
    assert await in_one(store, lambda tx: tx.document_notices.note(who, "2027-02-01", "expired", NOW))
    assert await in_one(store, lambda tx: tx.document_notices.note(who, "2037-02-01", "expiring", NOW))
    assert 3 == await count(store, "document_notice")


async def test_what_was_rolled_back_was_not_told(store: SqlStore) -> None:
    """A notice whose message was not committed is given again."""
    who = new_id()

    async def dies(tx: Unit) -> None:
        assert await tx.document_notices.note(who, "2027-02-01", "expiring", NOW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await in_one(store, dies)
    assert await in_one(store, lambda tx: tx.document_notices.note(who, "2027-02-01", "expiring", NOW))


# ---------------------------------------------------------------- the core bank


@pytest.fixture
async def core(store: SqlStore, keys: Keys) -> AsyncIterator[EmbeddedCoreBank]:
    hasher = Argon2Hasher(keys)
    yield EmbeddedCoreBank(store, keys, hasher)
    hasher.close()


async def put(core: EmbeddedCoreBank, ref: str, expires_on: str | None, number: str = "21AB00029") -> None:
    await core.put_person(
        core_ref=ref, name="LIAM O'CONNOR", birth_date="1977-04-04", document_type="PASSPORT_FOREIGN",
        document_number=number, document_expires_on=expires_on,
    )  # fmt: skip


async def test_a_renewed_document_is_found_under_its_new_number(core: EmbeddedCoreBank) -> None:
    """Number, end, and what the counter finds people by; said twice as once, and of nobody it is nothing."""
    await put(core, "C1", "2026-12-31")
    for _ in range(2):
        await core.renew_document("C1", "26CD00029", "2036-03-31", "2026-03-31")
    person = await core.person("C1")
    assert person is not None
    assert "2026-03-31" == person.document_issued_on
    assert ("26CD00029", "2036-03-31") == (person.document_number, person.document_expires_on)
    assert (person,) == await core.people_with_document("26CD00029")
    assert (person,) == await core.people_called("LIAM O'CONNOR", "0029")
    assert () == await core.people_with_document("21AB00029")
    await core.renew_document("nobody", "26CD00029", None)


async def test_whose_document_ends(core: EmbeddedCoreBank) -> None:
    """Page by page, in one order, both ends included; who has no end is in no page."""
    ends = {"C1": "2027-01-02", "C2": "2027-01-01", "C3": "2027-01-02", "C4": "2027-01-31", "C5": "2027-02-01"}
    await asyncio.gather(*(put(core, ref, day) for ref, day in ends.items()), put(core, "C6", None))
    found: list[str] = []
    after = ("", "")
    while page := await core.documents_ending("2027-01-01", "2027-01-31", after, 2):
        assert len(page) <= 2
        found += [person.core_ref for person in page]
        after = (page[-1].document_expires_on or "", page[-1].core_ref)
    assert ["C2", "C1", "C3", "C4"] == found
