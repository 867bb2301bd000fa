"""The embedded core bank, and the file it is filled from."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import cast

import pytest

from foregate.gateways.core_bank.csv_import import COLUMNS, import_customers
from foregate.gateways.core_bank.embedded import EmbeddedCoreBank
from foregate.gateways.hashing import Argon2Hasher
from foregate.ports import CardHolder, Person
from foregate.rules import limits
from foregate.rules.inputs import normal_name
from foregate.store.keyring import Keys
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import count, sql

pytestmark = pytest.mark.anyio

CARD, SECOND_CARD, OTHER_CARD = "6222020000000000018", "6222020000000000026", "6222020000000000034"
PHONE = "+8613800138000"


@pytest.fixture
async def core(store: SqlStore, keys: Keys) -> AsyncIterator[EmbeddedCoreBank]:
    hasher = Argon2Hasher(keys)
    yield EmbeddedCoreBank(store, keys, hasher)
    hasher.close()


async def put(core: EmbeddedCoreBank, card: str, core_ref: str = "C1", phone: str | None = PHONE, **rest: str) -> None:
    await core.put_person(
        core_ref=core_ref, name="王𬭎", birth_date="1990-03-07", document_type="RESIDENT_ID",
        document_number="11010119900307109X", document_expires_on=None,
    )  # fmt: skip
    await core.put_card(core_ref=core_ref, card_number=card, card_pin="246813", bound_phone=phone, **rest)


def holder(found: CardHolder | None) -> tuple[str, ...]:
    assert found is not None
    return (found.core_ref, found.name, found.document_number, found.card_number, found.bound_phone or "")


async def test_who_holds_a_card(core: EmbeddedCoreBank) -> None:
    """Known cards lead to their holder, closed ones too; unknown ones to nobody."""
    await put(core, CARD)
    await put(core, SECOND_CARD, phone=None, status="closed")
    assert ("C1", "王𬭎", "11010119900307109X", CARD, PHONE) == holder(await core.holder(CARD))
    assert ("C1", "王𬭎", "11010119900307109X", SECOND_CARD, "") == holder(await core.holder(SECOND_CARD))
    assert None is await core.holder(OTHER_CARD)


async def test_the_expiry_of_a_document_is_corrected(core: EmbeddedCoreBank) -> None:
    """For every card of the person, said twice as once; long-term too, and of nobody it is nothing."""
    await put(core, CARD)
    for expires_on, issued_on in (("2037-03-06", "2017-03-06"), ("2037-03-06", "2017-03-06"), (None, None)):
        await core.set_document_expiry("C1", expires_on, issued_on)
        card, person = await core.holder(CARD), await core.person("C1")
        assert card is not None
        assert person is not None
        assert (expires_on, expires_on) == (card.document_expires_on, person.document_expires_on)
        assert issued_on == person.document_issued_on
    await core.set_document_expiry("C-nobody", "2037-03-06")


async def test_cards_of_a_person_and_of_a_number(core: EmbeddedCoreBank) -> None:
    """Active ones only, oldest first; a family's number leads to all of them."""
    await put(core, CARD)
    await put(core, OTHER_CARD, core_ref="C2")
    await put(core, SECOND_CARD)
    await put(core, CARD)  # brought up to date: it stays the oldest
    assert [CARD, SECOND_CARD] == [card.card_number for card in await core.cards_of("C1")]
    assert [CARD, OTHER_CARD, SECOND_CARD] == [card.card_number for card in await core.cards_bound_to(PHONE)]
    await put(core, CARD, status="closed")
    assert [SECOND_CARD] == [card.card_number for card in await core.cards_of("C1")]
    assert () == await core.cards_of("C9")
    assert () == await core.cards_bound_to("+8613900000000")


async def test_a_pin_belongs_to_its_card(core: EmbeddedCoreBank) -> None:
    """The right PIN of this card alone."""
    await put(core, CARD)
    await put(core, SECOND_CARD)
    assert await core.is_pin(CARD, "246813")
    assert not await core.is_pin(CARD, "246814")
    assert not await core.is_pin(OTHER_CARD, "246813")
    assert not await core.is_pin(None, "246813")


async def test_equal_pins_look_different(core: EmbeddedCoreBank, store: SqlStore) -> None:
    """A PIN hash copied to another card does not fit there."""
    await put(core, CARD)
    await put(core, SECOND_CARD)
    rows = await sql(store, "SELECT pin_hash FROM core_card")
    await sql(store, f"UPDATE core_card SET pin_hash = '{rows[0]['pin_hash']}' RETURNING 1")
    assert 1 == sum([await core.is_pin(CARD, "246813"), await core.is_pin(SECOND_CARD, "246813")])


# ---------------------------------------------------------------- the file

GOOD = {
    "core_ref": "C1", "name": "林晚晴", "birth_date": "1990-03-07", "document_type": "RESIDENT_ID",
    "document_number": "11010119900307109X", "document_expires_on": "2038-05-20", "card_number": CARD,
    "card_pin": "246813", "bound_phone": "13800138000",
}  # fmt: skip


def line(**changes: str) -> str:
    return ",".join({**GOOD, **changes}[column] for column in COLUMNS) + "\n"


HEADER = ",".join(COLUMNS) + "\n"


async def run(core: EmbeddedCoreBank, *lines: str) -> tuple[str, list[tuple[int, str]]]:
    refused: list[tuple[int, str]] = []
    counts = await import_customers(core, lines, lambda number, reason: refused.append((number, reason)))
    return str(counts), refused


async def test_a_good_file(core: EmbeddedCoreBank, store: SqlStore) -> None:
    """Lines are brought to normal form; running it again changes nothing but salts."""
    lines = [
        "\ufeff" + HEADER,
        line(card_number="6222 0200 0000 0000 018", document_number="11010119900307109x"),
        "\r\n",
        line(card_number=SECOND_CARD, bound_phone="", document_expires_on="").replace("\n", "\r\n"),
        line(core_ref="C2", name='"KOWALSKA, ANNA"'.replace(",", ""), card_number=OTHER_CARD),
    ]
    for _ in range(2):
        assert ("3 cards loaded, 0 lines refused", []) == await run(core, *lines)
        assert (2, 3) == (await count(store, "core_person"), await count(store, "core_card"))
        assert ("C1", "林晚晴", "11010119900307109X", CARD, PHONE) == holder(await core.holder(CARD))
        assert [CARD, SECOND_CARD] == [card.card_number for card in await core.cards_of("C1")]
        assert await core.is_pin(CARD, "246813")
    dated = [HEADER.strip() + ",document_issued_on\n", line().strip() + ",2018-05-20\n"]
    assert ("1 cards loaded, 0 lines refused", []) == await run(core, *dated)
    found = await core.person("C1")
    assert ("2018-05-20", "2038-05-20") == (found and (found.document_issued_on, found.document_expires_on))


async def test_a_newer_file_changes_what_changed(core: EmbeddedCoreBank) -> None:
    """A new number, a new PIN, a new document; the later of two lines of one card counts."""
    await run(core, HEADER, line())
    await run(core, HEADER, line(card_pin="111111"), line(bound_phone="13900139000", card_pin="135792"))
    found = await core.holder(CARD)
    assert found is not None
    assert "+8613900139000" == found.bound_phone
    assert await core.is_pin(CARD, "135792")
    assert not await core.is_pin(CARD, "246813")


BAD = {
    "card_number: card-check-digit": line(card_number="6222020000000000019"),
    "card_number: card-not-a-number": line(card_number="62220200"),
    "card_pin: pin-shape": line(card_pin="12345"),
    "bound_phone: phone-elsewhere": line(bound_phone="+85261234567"),
    "bound_phone: phone-not-mobile": line(bound_phone="01012345678"),
    "document_number: document-check-digit": line(document_number="110101199003071091"),
    "document_type: document-type": line(document_type="LIBRARY_CARD"),
    "birth_date: not a date like 1990-04-12": line(birth_date="19900307"),
    "document_expires_on: not a date like 1990-04-12": line(document_expires_on="2038-02-30"),
    "name: name-characters": line(name="<script>"),
    "core_ref: has to have 1 to 64 characters": line(core_ref=" "),
    "8 columns in place of 9": line().rpartition(",")[0] + "\n",
    "not a line of CSV": '"' + line(),
    f"longer than {limits.IMPORT_LINE_CHARS} characters": line(name="名" * limits.IMPORT_LINE_CHARS),
}


@pytest.mark.parametrize("reason", BAD)
async def test_a_bad_line_is_named_and_the_others_are_loaded(core: EmbeddedCoreBank, reason: str) -> None:
    """By its number and its reason; lines before and after it are loaded."""
    lines = [HEADER, line(), BAD[reason], line(card_number=SECOND_CARD)]
    assert ("2 cards loaded, 1 lines refused", [(3, reason)]) == await run(core, *lines)
    assert ["C1", "C1"] == [card.core_ref for card in await core.cards_of("C1")]


async def test_another_header_is_refused(core: EmbeddedCoreBank, tmp_path: Path) -> None:
    """A file of other columns is not read at all."""
    with pytest.raises(ValueError, match="first line"):
        await run(core, HEADER.replace("card_pin", "pin"), line())
    with pytest.raises(ValueError, match="first line"):
        await run(core)


async def test_no_number_is_readable(core: EmbeddedCoreBank, store: SqlStore) -> None:
    """Card, PIN, document, name and number stand in no column in clear."""
    await run(core, HEADER, line())
    rows = [*await sql(store, "SELECT * FROM core_person"), *await sql(store, "SELECT * FROM core_card")]
    values = [value for row in rows for value in cast(Iterable[object], row)]
    stored = b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    for plain in (CARD, CARD[::-1], "246813", "13800138000", "11010119900307109", "林晚晴", "1990-03-07"):
        assert plain.encode() not in stored


async def test_people_are_found_by_name_and_by_document(core: EmbeddedCoreBank) -> None:
    """By the whole name in any spelling, by name and the end of the document, by the document; by nothing less."""
    await put(core, CARD)
    for core_ref, document in (("C2", "11010519491231002X"), ("C3", "440308199901101512")):
        await core.put_person(
            core_ref=core_ref, name="阿依古丽•买买提", birth_date="1990-03-07", document_type="RESIDENT_ID",
            document_number=document, document_expires_on="2037-03-06",
        )  # fmt: skip

    async def called(name: str, tail: str = "") -> list[str]:
        return [person.core_ref for person in await core.people_called(normal_name(name), tail)]

    assert ["C1"] == await called("王𬭎")
    assert ["C2", "C3"] == await called("阿依古丽 · 买买提")
    assert ["C2"] == await called("阿依古丽·买买提", "002X")
    assert [] == await called("阿依古丽·买买提", "109X")
    assert [] == await called("阿依古丽")
    assert ["C1"] == [person.core_ref for person in await core.people_with_document("11010119900307109X")]
    assert () == await core.people_with_document("11010119900307")


async def test_a_person_is_read_back_whole(core: EmbeddedCoreBank) -> None:
    """With a card or without; nobody is nobody."""
    await put(core, CARD)
    assert Person(
        core_ref="C1",
        name="王𬭎",
        document_type="RESIDENT_ID",
        document_number="11010119900307109X",
        document_expires_on=None,
        birth_date="1990-03-07",
    ) == await core.person("C1")
    assert None is await core.person("C9")


async def test_a_name_that_hundreds_share(core: EmbeddedCoreBank) -> None:
    """One more than a page is returned, so that the counter can say: add the last four."""
    for number in range(limits.FOUND_LISTED + 3):
        await core.put_person(
            core_ref=f"C{number:03}", name="王伟", birth_date="1990-03-07", document_type="PASSPORT_CN",
            document_number=f"E{number:08}", document_expires_on=None,
        )  # fmt: skip
    assert limits.FOUND_LISTED + 1 == len(await core.people_called("王伟"))
    assert 1 == len(await core.people_called("王伟", "0012"))


async def test_renamed_and_renewed_people_are_found_as_they_are_now(core: EmbeddedCoreBank) -> None:
    """The newer file counts for searching too."""
    await put(core, CARD)
    await core.put_person(
        core_ref="C1", name="王小𬭎", birth_date="1990-03-07", document_type="PASSPORT_CN",
        document_number="E12345678", document_expires_on=None,
    )  # fmt: skip
    assert () == await core.people_called("王𬭎")
    assert 1 == len(await core.people_called("王小𬭎", "5678"))
    assert () == await core.people_with_document("11010119900307109X")
