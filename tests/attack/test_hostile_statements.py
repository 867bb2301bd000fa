"""Files from somebody who wants to harm the bank: nothing is expanded, fetched, kept in memory or believed."""

import io
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from foregate.accounts import camt, mt940, obp
from foregate.accounts.importing import Reader, reader_of
from foregate.accounts.statements import Refused, checked
from foregate.rules import limits
from tests import statement_files as files

pytestmark = pytest.mark.attack
ENTRIES = 1_500
LINE = ("2026-11-01", "5.00", "A", "x")
GOOD = files.camt_statement("0.00", "5.00", (LINE,))


def refused(reader: Reader, text: str | bytes) -> str:
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(Refused) as why:
        list(checked(reader(io.BytesIO(raw))))
    return str(why.value)


def with_prolog(prolog: str) -> str:
    return GOOD.replace("<Document", f"{prolog}\n<Document", 1)


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/evil.dtd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p">%p;]>',
        "<!DOCTYPE Document>",
        '<!DOCTYPE x [<!ATTLIST Amt Ccy CDATA "EUR">]>',
    ],
    ids=["bomb", "file", "dtd elsewhere", "parameter", "harmless", "default attribute"],
)
def test_a_document_type_is_refused_as_it_begins(prolog: str) -> None:
    """Whatever it would do, it does not come to it."""
    assert "line 2: a document type" in refused(camt.read, with_prolog(prolog))


def test_an_entity_that_nobody_declared() -> None:
    """It has no meaning here."""
    assert "no XML" in refused(camt.read, GOOD.replace("<MsgId>M1", "<MsgId>&lol;"))


@pytest.mark.parametrize("encoding", ["utf-7", "utf-32", "x-evil", "cp037", "idna"])
def test_an_encoding_that_hides_something(encoding: str) -> None:
    """Only what the parser itself reads is read."""
    text = GOOD.replace("UTF-8", encoding, 1)
    try:
        list(checked(camt.read(io.BytesIO(text.encode()))))
    except Refused as why:
        assert "no XML" in str(why)  # noqa: PT017 -- some builds of the parser know more encodings
    assert "no XML" in refused(camt.read, b'<?xml version="1.0" encoding="x-evil"?>' + b"<a/>")


def test_deep_long_and_wide() -> None:
    """At the limit and one beyond: depth, text, elements of one entry."""
    deep = "<D>" * limits.XML_DEPTH + "</D>" * limits.XML_DEPTH
    assert f"more than {limits.XML_DEPTH} deep" in refused(camt.read, GOOD.replace("<MsgId>M1", f"<MsgId>{deep}M1"))
    for length, is_good in ((limits.XML_TEXT_CHARS, True), (limits.XML_TEXT_CHARS + 1, False)):
        text = files.camt_statement("0.00", "5.00", ((*LINE[:3], "x" * length),))
        if is_good:
            assert list(checked(camt.read(io.BytesIO(text.encode()))))
        else:
            assert "a text of more than" in refused(camt.read, text)
    wide = GOOD.replace("</Ntry>", "<X/>" * (limits.XML_NODES + 1) + "</Ntry>")
    assert f"more than {limits.XML_NODES} elements" in refused(camt.read, wide)


class Endless(io.RawIOBase):
    """A file without an end."""

    def __init__(self, start: str, again: str, most: int) -> None:
        self.start, self.again, self.left = start.encode(), again.encode(), most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the base takes any buffer
        if not self.start:
            self.start, self.left = self.again, self.left - 1
        if self.left < 0:
            return 0
        taken = min(len(buffer), len(self.start))
        buffer[:taken], self.start = self.start[:taken], self.start[taken:]
        return taken


def endless(start: str, again: str, most: int) -> BinaryIO:
    return io.BufferedReader(Endless(start, again, most))


def test_memory_does_not_grow_with_the_file() -> None:
    """Megabytes of entries and of one text pass through a few."""
    entry = files.camt_entry(LINE)
    start = files.camt(files.camt_balance("OPBD", "0.00", "2026-11-01")).partition("</Stmt>")[0]
    tracemalloc.start()
    seen = 0
    try:
        for _ in camt.read(endless(start, entry, ENTRIES)):
            seen += 1
    except Refused as why:
        assert "no XML" in str(why)  # noqa: PT017 -- the file ends in the middle
    _, peak = tracemalloc.get_traced_memory()
    with pytest.raises(Refused, match="a text of more than"):
        list(camt.read(endless(start + "<Ntry><X>", "y" * 100_000, 1_000)))
    with pytest.raises(Refused, match="a line of more than"):
        list(mt940.read(endless(":20:X\n:25:1\n:86:", "y" * 100_000, 1_000)))
    with pytest.raises(Refused, match="a field of more than"):
        list(mt940.read(endless(":20:X\n:25:1\n:86:", "yyyyyyyyyy\n", 1_000)))
    tracemalloc.stop()
    assert ENTRIES <= seen
    assert peak < 4_000_000


def test_too_many_entries_and_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit and one beyond."""
    two = files.camt_statement("0.00", "10.00", (LINE, LINE))
    monkeypatch.setattr(limits, "STATEMENT_ENTRIES", 2)
    assert list(checked(camt.read(io.BytesIO(two.encode()))))
    monkeypatch.setattr(limits, "STATEMENT_ENTRIES", 1)
    assert "more than 1 entries" in refused(camt.read, two)
    messages = files.mt940("0.00", "5.00", (LINE,)) + files.mt940("5.00", "10.00", (LINE,))
    monkeypatch.setattr(limits, "STATEMENT_ENTRIES", 9)
    monkeypatch.setattr(limits, "STATEMENTS_PER_FILE", 1)
    assert "more than 1 statements" in refused(mt940.read, messages)


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"accounts": 1}', '{"accounts": [], "transactions": [{"id": "x"}]}', '{"a":' * 5_000, "\x00\xff"],
)
def test_json_that_is_no_sandbox(text: str) -> None:
    """Deep, short, or of other things."""
    assert "no sandbox file" in refused(obp.read, text.encode("latin-1"))


def test_amounts_that_overflow() -> None:
    """Neither one amount nor a sum of many leaves what the database holds."""
    assert "an amount that is none" in refused(camt.read, GOOD.replace(">5.00<", ">" + "9" * 18 + "<"))
    much = (LINE[0], "9" * 15 + ".99", *LINE[2:])
    assert "more than anybody owns" in refused(mt940.read, files.mt940("0.00", "5.00", (much, much)))


def test_a_pattern_that_takes_for_ever() -> None:
    """No line makes a regular expression go back and forth."""
    began = time.monotonic()
    for text in (
        f":61:{'2' * 1900}",
        f":61:2611011101C{'1' * 1900}",
        f":60F:C261101EUR{'1' * 1900}",
        f":86:{'?20' * 600}",
    ):
        with pytest.raises(Refused):
            list(checked(mt940.read(io.BytesIO(f":20:X\n:25:1\n{text}\n".encode()))))
    assert time.monotonic() - began < 2


def test_a_file_that_is_no_text() -> None:
    """Bytes of a picture are none of the formats; in the middle of one they are refused, not crashed on."""
    noise = bytes(range(256)) * 40
    for reader, good in ((camt.read, GOOD), (mt940.read, files.mt940("0.00", "5.00", (LINE,)))):
        for at in range(0, len(good), max(1, len(good) // 40)):
            raw = good.encode()[:at] + noise[at : at + 20] + good.encode()[at:]
            _read_or_refuse(reader, raw)


def _read_or_refuse(reader: Reader, raw: bytes) -> None:
    try:
        parts: Iterator[object] = checked(reader(io.BytesIO(raw)))
        list(parts)
    except Refused:
        pass


def test_a_huge_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is looked at first."""
    path = tmp_path / "huge.xml"
    path.write_text(GOOD)
    monkeypatch.setattr(limits, "STATEMENT_FILE_BYTES", len(GOOD) - 1)
    with pytest.raises(Refused, match="more than"):
        reader_of(path)
