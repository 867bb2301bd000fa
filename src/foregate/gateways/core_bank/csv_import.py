"""Read a file of customers into the embedded core bank.

One line is one card. A person with several cards has a line for each; what the lines say of the person has to
agree. Running a file again changes nothing; running a newer one changes what changed. Nothing is ever deleted: a
card that was closed is for the bank to say.

    core_ref,name,birth_date,document_type,document_number,document_expires_on,card_number,card_pin,bound_phone

`document_expires_on` is empty for a document without an end, `bound_phone` for a card without a number. Dates are
written YYYY-MM-DD. A last column `document_issued_on` may follow; it is empty where nobody knows.
"""

from __future__ import annotations

import asyncio
import csv
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final, TypeVar

import msgspec

from foregate.gateways.core_bank.embedded import EmbeddedCoreBank
from foregate.rules import inputs, limits
from foregate.rules.inputs import BadInput

COLUMNS: Final = (
    "core_ref", "name", "birth_date", "document_type", "document_number", "document_expires_on", "card_number",
    "card_pin", "bound_phone",
)  # fmt: skip
# A file may have this column at its end, or do without.
ISSUED: Final = "document_issued_on"
CORE_REF_CHARS: Final = 64
# As many lines at once as there are processors to hash their PINs.
AT_ONCE: Final = os.cpu_count() or 1

Report = Callable[[int, str], None]
AnyLine = TypeVar("AnyLine")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One good line, in normal form."""

    core_ref: str
    name: str
    birth_date: str
    document_type: str
    document_number: str
    document_expires_on: str | None
    card_number: str
    card_pin: str
    bound_phone: str | None
    document_issued_on: str | None


class Counts(msgspec.Struct, frozen=True):
    """What became of the lines."""

    loaded: int
    refused: int

    def __str__(self) -> str:
        return f"{self.loaded} cards loaded, {self.refused} lines refused"


async def import_customers(core: EmbeddedCoreBank, lines: Iterable[str], report: Report) -> Counts:
    """Load the good lines of a CSV file, and give line number and reason of each bad one to `report`.

    `lines` may be an open file of any size; line 1 is the header. Raises ValueError when the header is another.
    """
    loaded = refused = 0

    def refuse(line: int, reason: str) -> None:
        nonlocal refused
        refused += 1
        report(line, reason)

    batch: list[Line] = []
    for line in good_lines(lines, refuse, COLUMNS, parse):
        batch.append(line)
        if len(batch) == AT_ONCE:
            loaded += await _load(core, batch)
            batch = []
    loaded += await _load(core, batch)
    return Counts(loaded, refused)


async def _load(core: EmbeddedCoreBank, batch: list[Line]) -> int:
    # Lines of one batch may name the same card, where the later line counts; so only different cards go together.
    by_card = {line.card_number: line for line in batch}
    await asyncio.gather(*(_load_line(core, line) for line in by_card.values()))
    return len(batch)


async def _load_line(core: EmbeddedCoreBank, line: Line) -> None:
    # The person first: whoever finds the card finds its holder.
    await core.put_person(
        core_ref=line.core_ref,
        name=line.name,
        birth_date=line.birth_date,
        document_type=line.document_type,
        document_number=line.document_number,
        document_expires_on=line.document_expires_on,
        document_issued_on=line.document_issued_on,
    )
    await core.put_card(
        core_ref=line.core_ref, card_number=line.card_number, card_pin=line.card_pin, bound_phone=line.bound_phone
    )


def good_lines(
    lines: Iterable[str], refuse: Report, columns: tuple[str, ...], parse: Callable[[dict[str, str]], AnyLine]
) -> Iterator[AnyLine]:
    """Yield the good lines; `refuse` the others. Raises ValueError when the header is not `columns`.

    ISSUED may follow them.
    """
    numbered = enumerate(lines, start=1)
    header = next(numbered, (1, ""))[1].lstrip("\ufeff").strip()
    found = tuple(column.strip() for column in header.split(","))
    if found not in (columns, (*columns, ISSUED)):
        raise ValueError(f"The first line has to be: {','.join(columns)}")
    for line_number, text in numbered:
        if not text.strip():
            continue
        try:
            yield parse(row_of(text, found))
        except BadInput as bad:
            refuse(line_number, bad.code)


def row_of(text: str, columns: tuple[str, ...]) -> dict[str, str]:
    """Return the cells of one line by their columns. Raises BadInput."""
    if len(text) > limits.IMPORT_LINE_CHARS:
        raise BadInput(f"longer than {limits.IMPORT_LINE_CHARS} characters")
    try:
        # One line at a time: a quote that is never closed spoils its own line, not the rest of the file.
        (cells,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        raise BadInput("not a line of CSV") from None
    if len(cells) != len(columns):
        raise BadInput(f"{len(cells)} columns in place of {len(columns)}")
    return dict(zip(columns, cells, strict=True))


def parse(row: dict[str, str]) -> Line:
    """Return one line in normal form. Raises BadInput with `column: code`, for a person to find it."""
    document_type = checked("document_type", inputs.normal_document_type, row)
    issued_on, expires_on = days_of(row)
    return Line(
        core_ref=checked("core_ref", reference, row),
        name=checked("name", inputs.normal_name, row),
        birth_date=checked("birth_date", day, row),
        document_type=document_type,
        document_number=checked("document_number", lambda n: inputs.normal_document(document_type, n), row),
        document_expires_on=expires_on,
        document_issued_on=issued_on,
        card_number=checked("card_number", inputs.normal_card, row),
        card_pin=checked("card_pin", inputs.normal_pin, row),
        bound_phone=checked_or_none("bound_phone", inputs.normal_phone, row),
    )


def days_of(row: dict[str, str]) -> tuple[str | None, str | None]:
    """Return when a document was issued and when it ends. Raises BadInput for an end that comes first.

    A bank's own record is not held against the terms of the law: it may be older than they are.
    """
    issued_on = checked_or_none(ISSUED, day, row)
    expires_on = checked_or_none("document_expires_on", day, row)
    if issued_on and expires_on and expires_on <= issued_on:
        raise BadInput(f"{ISSUED}: issue-after-end")
    return issued_on, expires_on


def checked(column: str, normal: Callable[[str], str], row: dict[str, str]) -> str:
    """Return a cell in normal form. Raises BadInput that names the column."""
    try:
        return normal(row[column])
    except BadInput as bad:
        raise BadInput(f"{column}: {bad.code}") from None


def checked_or_none(column: str, normal: Callable[[str], str], row: dict[str, str]) -> str | None:
    """Return a cell in normal form, None for an empty one. Raises BadInput that names the column."""
    return checked(column, normal, row) if row.get(column, "").strip() else None


def day(text: str) -> str:
    """Return a date as a file has it."""
    text = inputs.plain(text)
    try:
        # fromisoformat alone would take 19900412 and 1990-W15-4 too.
        if len(text) != len("1990-04-12"):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadInput("not a date like 1990-04-12") from None


def reference(text: str) -> str:
    """Return what names a person in the file."""
    ref = inputs.plain(text)
    if not ref or len(ref) > CORE_REF_CHARS:
        raise BadInput(f"has to have 1 to {CORE_REF_CHARS} characters")
    return ref
