"""How the counter reads what is typed, and how it writes what was done: search words, notes, cells, timelines."""

import csv
import io

import pytest

from foregate.counter.guard import noted
from foregate.counter.records import rows_as_csv
from foregate.counter.search import Wanted, understood
from foregate.counter.sheets import safe
from foregate.counter.timeline import kinds_of, line_of, page_of
from foregate.ports.counter import TrailEntry
from foregate.rules import limits


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("138 0013 8000", Wanted("phone", ("+8613800138000",))),
        ("+86 13800138000", Wanted("phone", ("+8613800138000",))),
        ("6222 0200 0000 0000 018", Wanted("card", ("6222020000000000018",))),
        ("44030819990110151２", Wanted("document", ("440308199901101512",))),
        ("11010519491231002x", Wanted("document", ("11010519491231002X",))),
        ("李小明", Wanted("name", ("李小明", ""))),
        ("李小明 1512", Wanted("name", ("李小明", "1512"))),
        ("李小明 002x", Wanted("name", ("李小明", "002X"))),
        ("阿依古丽・买买提 1512", Wanted("name", ("阿依古丽·买买提", "1512"))),
        ("Mary Jane Smith", Wanted("name", ("MARY JANE SMITH", ""))),
    ],
)
def test_one_box_for_everything(typed: str, wanted: Wanted) -> None:
    """Numbers in any spelling, names with or without the end of the document."""
    assert wanted == understood(typed)[0]


@pytest.mark.parametrize("typed", ["", "   ", "12", "6222020000000000019", "<script>", "张三 or 1=1"])
def test_what_nobody_is_found_by(typed: str) -> None:
    """Too little, a wrong check digit, or no name at all."""
    assert () == understood(typed)


def test_a_reason_carries_no_numbers_into_the_record() -> None:
    """What staff type as a reason is short and inert, and long numbers are left out (AUD-05)."""
    assert "card … lost" == noted("card 6222 0200 0000 0000 018 lost")
    assert "号码…换了" == noted("号码13800138000换了")
    assert "ticket 4711" == noted("ticket\x1b 4711\n")
    assert limits.NOTE_CHARS_MAX == len(noted("长" * 999))


def entry(kind: str, seq: int = 7, **details: str | int) -> TrailEntry:
    return TrailEntry(
        chain="c", seq=seq, at=1_800_000_000, kind=kind, journey_id=None, actor="staff:a+staff:b", source="10.0.0.8",
        details=details,
    )  # fmt: skip


def test_an_event_in_words() -> None:
    """Names of things lead to their own texts, members to their names; an unknown kind is told as such."""
    line = line_of(entry("proof-refused", cause="password-wrong", proof="password"), {"a": "周", "b": "吴"})
    assert ("timeline.proof-refused", "周 + 吴", "sign-in") == (line.key, line.actor, line.group)
    assert {"cause": "cause.password-wrong.title", "proof": "way.password"} == line.words
    assert "timeline.other" == line_of(entry("unheard-of"), {}).key


def test_pages_and_groups() -> None:
    """A full page leads on from its last event; the last page leads nowhere."""
    full = tuple(entry("code-sent", seq) for seq in range(limits.TRAIL_LISTED + 5, 5, -1))
    assert 6 == page_of(full, {}).before
    assert None is page_of(full[1:], {}).before
    assert ("code-sent",) == kinds_of(("codes", "no such group"))
    assert () == kinds_of(())


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    """What a spreadsheet would run is text in the export."""
    assert f"'{cell}" == safe(cell)
    (row,) = csv.reader(io.StringIO(rows_as_csv([entry("code-sent", purpose=cell)])))
    assert all(not value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row)
