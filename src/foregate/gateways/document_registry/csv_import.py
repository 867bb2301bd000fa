"""Read a file of identity documents into the embedded registry.

One line is one document. `holder` is whatever names a person in the file: the same on every document of theirs, so
that a passport under a new number is known to succeed the old one.

    holder,name,document_type,document_number,document_expires_on

`document_expires_on` is empty for a document without an end; dates are written YYYY-MM-DD. A last column
`document_issued_on` may follow; it is empty where nobody knows. Running a file again changes nothing; nothing is ever
deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from foregate.gateways.core_bank.csv_import import Report, checked, days_of, good_lines, reference
from foregate.gateways.document_registry.embedded import EmbeddedRegistry
from foregate.rules import inputs
from foregate.rules.documents import Document

COLUMNS: Final = ("holder", "name", "document_type", "document_number", "document_expires_on")


class Line(msgspec.Struct, frozen=True):
    """One good line, in normal form."""

    holder: str
    document: Document


class Counts(msgspec.Struct, frozen=True):
    """What became of the lines."""

    loaded: int
    refused: int

    def __str__(self) -> str:
        return f"{self.loaded} documents loaded, {self.refused} lines refused"


async def import_documents(registry: EmbeddedRegistry, lines: Iterable[str], report: Report) -> Counts:
    """Load the good lines of a CSV file, and give line number and reason of each bad one to `report`.

    Raises ValueError when the header is another.
    """
    loaded = refused = 0

    def refuse(line: int, reason: str) -> None:
        nonlocal refused
        refused += 1
        report(line, reason)

    for line in good_lines(lines, refuse, COLUMNS, parse):
        await registry.put(line.holder, line.document)
        loaded += 1
    return Counts(loaded, refused)


def parse(row: dict[str, str]) -> Line:
    """Return one line in normal form. Raises BadInput with `column: code`, for a person to find it."""
    issued_on, expires_on = days_of(row)
    document_type = checked("document_type", inputs.normal_document_type, row)
    document = Document(
        name=checked("name", inputs.normal_name, row),
        document_type=document_type,
        number=checked("document_number", lambda n: inputs.normal_document(document_type, n), row),
        expires_on=expires_on,
        issued_on=issued_on,
    )
    return Line(checked("holder", reference, row), document)
