"""Identity documents: the state on a day, what it closes, and when a renewed one is right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from foregate.rules import documents, limits
from foregate.rules.document_inputs import normal_day
from foregate.rules.document_terms import issue_fault
from foregate.rules.documents import Document, Standing, State
from foregate.rules.inputs import BadInput, DocumentType
from foregate.rules.journeys import JOURNEYS
from foregate.rules.policy import POLICY

AHEAD, GRACE = limits.DOCUMENT_AHEAD_DAYS, limits.DOCUMENT_GRACE_DAYS
TODAY = date(2027, 1, 15)
HELD = Document(name="李小明", document_type="RESIDENT_ID", number="440308199901101512", expires_on="2027-01-01")
PASSPORT = Document(name="LIAM O'CONNOR", document_type="PASSPORT_FOREIGN", number="XY0000023", expires_on="2027-01-01")


@pytest.mark.parametrize(
    ("days", "standing"),
    [
        (AHEAD + 1, Standing(State.VALID, AHEAD + 1)),
        (AHEAD, Standing(State.EXPIRING, AHEAD)),
        (1, Standing(State.EXPIRING, 1)),
        (0, Standing(State.EXPIRING, 0)),
        (-1, Standing(State.GRACE, GRACE - 1)),
        (-GRACE, Standing(State.GRACE, 0)),
        (-GRACE - 1, Standing(State.EXPIRED, None)),
        (-9999, Standing(State.EXPIRED, None)),
    ],
)
def test_the_state_on_a_day(days: int, standing: Standing) -> None:
    """The last day counts as good, and each bound holds at n and at n + 1."""
    assert standing == documents.standing_on((TODAY + timedelta(days)).isoformat(), TODAY)


def test_a_document_without_an_end_never_expires() -> None:
    """Long-term is no far date."""
    assert Standing(State.VALID, None) == documents.standing_on(None, date.max)


def test_a_document_that_ends_on_a_leap_day() -> None:
    """29 February is a day like any other: the next one is 1 March."""
    assert State.EXPIRING is documents.standing_on("2028-02-29", date(2028, 2, 29)).state
    assert State.GRACE is documents.standing_on("2028-02-29", date(2028, 3, 1)).state


@pytest.mark.parametrize(
    ("moment", "day", "hour"),
    [
        ("2027-01-14T15:59:59+00:00", date(2027, 1, 14), 23),
        ("2027-01-14T16:00:00+00:00", date(2027, 1, 15), 0),
        ("2027-07-14T16:00:00+00:00", date(2027, 7, 15), 0),  # no summer time
    ],
)
def test_the_bank_has_a_day_of_its_own(moment: str, day: date, hour: int) -> None:
    """A document ends at midnight at the bank, wherever its holder and its servers are."""
    now = int(datetime.fromisoformat(moment).astimezone(UTC).timestamp())
    assert (day, hour) == (documents.day_of(now), documents.hour_of(now))


# ---------------------------------------------------------------- what it closes


@pytest.mark.parametrize(
    ("act", "closed"),
    [
        ("renew-face", {State.GRACE, State.EXPIRED}),
        ("register", {State.EXPIRED}),
        ("open-full-session", set()),
        ("renew-document", set()),
        ("reopen", set()),
        ("set-password", set()),
    ],
)
def test_what_an_expired_document_closes(act: str, closed: set[State]) -> None:
    """Little, and never a way in or the way to renew it."""
    assert closed == {state for state in State if documents.is_closed(act, state)}


def test_what_is_closed_exists() -> None:
    """The table names acts of the policy, and none that opens a session for a customer."""
    assert set(documents.CLOSES) <= set(POLICY)
    opens = {row.act for row in JOURNEYS.values() if row.session} - {"register"}
    assert not opens & set(documents.CLOSES)


# ---------------------------------------------------------------- a day as typed


@pytest.mark.parametrize(
    "typed",
    [
        "2035-01-31",
        "20350131",
        "２０３５０１３１",
        "２０３５－０１－３１",
        "2035.1.31",
        "2035/01/31",
        "2035年1月31日",
        " 2035 01 31 ",
    ],
)
def test_a_day_in_any_spelling(typed: str) -> None:
    """As printed on the card, as the keyboard makes it, full-width or not."""
    assert "2035-01-31" == normal_day(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2035-02-29", "day-unknown"), ("20351301", "day-unknown"), ("0000-01-01", "day-unknown"),
        ("31-01-2035", "day-shape"), ("350131", "day-shape"), ("长期", "day-shape"), ("٢٠٣٥٠١٣١", "day-shape"),
        ("2035-01-31T00:00", "day-shape"), ("2035-W05-3", "day-shape"),
    ],
)  # fmt: skip
def test_what_is_no_day(typed: str, code: str) -> None:
    """It is told which: not a day of the calendar, or not a day at all."""
    with pytest.raises(BadInput) as bad:
        normal_day(typed)
    assert code == bad.value.code


def test_no_day_at_all() -> None:
    """Whoever ticks long-term leaves it empty."""
    assert "" == normal_day("  ")


# ---------------------------------------------------------------- a new end


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (TODAY - timedelta(1), "day-past"),
        (TODAY, "day-past"),
        (TODAY + timedelta(1), "day-soon"),
        (TODAY + timedelta(limits.DOCUMENT_LEFT_DAYS - 1), "day-soon"),
        (TODAY + timedelta(limits.DOCUMENT_LEFT_DAYS), None),
        (date(2047, 1, 15), None),
        (date(2047, 1, 16), "day-far"),
    ],
)
def test_the_end_of_a_new_document(day: date, code: str | None) -> None:
    """In the future, worth the trouble, and no further off than any document lasts."""
    if code is None:
        assert day.isoformat() == documents.last_day(day.isoformat(), False, TODAY)
        return
    with pytest.raises(BadInput, match=code):
        documents.last_day(day.isoformat(), False, TODAY)


def test_twenty_years_from_a_leap_day() -> None:
    """Where there is no 29 February, the 28th stands for it."""
    assert "2100-02-28" == documents.last_day("2100-02-28", False, date(2080, 2, 29))
    with pytest.raises(BadInput, match="day-far"):
        documents.last_day("2100-03-01", False, date(2080, 2, 29))


def test_a_day_or_long_term() -> None:
    """One of the two, and not both."""
    assert None is documents.last_day("", True, TODAY)
    with pytest.raises(BadInput, match="day-or-long-term"):
        documents.last_day("2040-01-01", True, TODAY)
    with pytest.raises(BadInput, match="empty"):
        documents.last_day("", False, TODAY)


# ---------------------------------------------------------------- a day of issue

BORN = "2000-02-29"


@pytest.mark.parametrize(
    ("kind", "issued_on", "ends_on", "code"),
    [
        # On the birthdays: somebody born on 29 February is a year older on 1 March.
        ("RESIDENT_ID", "2016-02-28", "2021-02-28", None), ("RESIDENT_ID", "2016-02-28", "2026-02-28", "issue-term"),
        ("RESIDENT_ID", "2016-02-29", "2026-02-28", None), ("RESIDENT_ID", "2016-02-29", "2026-03-01", None),
        ("RESIDENT_ID", "2016-02-29", "2026-03-02", "issue-term"),
        ("RESIDENT_ID", "2016-02-29", "2021-02-28", "issue-term"),
        ("RESIDENT_ID", "2026-02-28", "2036-02-28", None), ("RESIDENT_ID", "2026-02-28", "2046-02-28", "issue-term"),
        ("RESIDENT_ID", "2026-03-01", "2046-03-01", None), ("RESIDENT_ID", "2026-03-01", None, "issue-term"),
        ("RESIDENT_ID", "2026-03-01", "2046-02-28", "issue-term"),
        ("RESIDENT_ID", "2027-01-15", "2047-01-15", None), ("RESIDENT_ID", "2027-01-16", "2047-01-16", "issue-future"),
        ("RESIDENT_ID", "1999-12-31", "2004-12-31", "issue-before-birth"),
        ("RESIDENT_ID", "2026-03-01", "2026-03-01", "issue-after-end"),
        ("TEMP_RESIDENT_ID", "2026-12-01", "2027-03-01", None),
        ("TEMP_RESIDENT_ID", "2026-12-01", "2027-03-04", "issue-term"),
        ("PASSPORT_CN", "2020-05-10", "2030-05-09", None), ("PASSPORT_CN", "2020-05-10", "2030-05-10", None),
        ("PASSPORT_CN", "2020-05-10", "2030-05-08", "issue-term"),
        ("MAINLAND_PERMIT_TW", "2024-05-10", "2034-05-09", "issue-term"),
        ("RESIDENCE_PERMIT_HKMO", "2024-05-10", "2029-05-10", None),
        ("PASSPORT_FOREIGN", "2024-05-10", "2031-11-03", None),
        ("PASSPORT_FOREIGN", "2024-05-10", "2024-05-09", "issue-after-end"),
        ("HOUSEHOLD_REGISTER", "2024-05-10", None, None),
    ],
)  # fmt: skip
def test_how_long_a_document_is_given_for(kind: str, issued_on: str, ends_on: str | None, code: str | None) -> None:
    """By its kind and its holder's age on the day of issue; what other countries print is their affair."""
    day = date.fromisoformat
    ends = day(ends_on) if ends_on else None
    assert code == issue_fault(kind, day(issued_on), ends, day(BORN), TODAY)


def test_a_long_term_card_has_no_other_end() -> None:
    """From 46 on the day of issue; a day younger it is twenty years."""
    born, day = date(1980, 3, 10), date.fromisoformat
    assert issue_fault("RESIDENT_ID", day("2026-03-10"), None, born, TODAY) is None
    assert "issue-term" == issue_fault("RESIDENT_ID", day("2026-03-10"), day("2046-03-10"), born, TODAY)
    assert issue_fault("RESIDENT_ID", day("2026-03-09"), day("2046-03-09"), born, TODAY) is None
    assert "issue-term" == issue_fault("RESIDENT_ID", day("2026-03-09"), None, born, TODAY)


# ---------------------------------------------------------------- against what the bank holds


def typed(like: Document = HELD, **changes: str | None) -> Document:
    """A document as typed: like the one held, with a later end."""
    return msgspec.structs.replace(like, **{"expires_on": "2040-01-01"} | changes)


@pytest.mark.parametrize(
    ("given", "held", "fields"),
    [
        (typed(), HELD, {}),
        (typed(name="李晓明"), HELD, {"name": "name-differs"}),
        (typed(document_type="TEMP_RESIDENT_ID"), HELD, {"document_type": "document-type-differs"}),
        (typed(number="11010519491231002X"), HELD, {"document_number": "document-number-differs"}),
        (
            typed(name="李晓明", number="11010519491231002X"), HELD,
            {"name": "name-differs", "document_number": "document-number-differs"},
        ),
        (typed(PASSPORT), PASSPORT, {}),
        (typed(PASSPORT, number="ZZ9999999"), PASSPORT, {}),  # for the registry to say whose it is
        (typed(PASSPORT, name="LIAM OCONNOR"), PASSPORT, {"name": "name-differs"}),
    ],
)  # fmt: skip
def test_what_differs(given: Document, held: Document, fields: dict[str, str]) -> None:
    """Field by field; a number may differ only where documents are given out anew under another one."""
    assert fields == documents.differences(given, held)


def test_the_banks_spelling_is_normalised_too() -> None:
    """The core bank may write a name with another dot or in small letters."""
    assert {} == documents.differences(typed(name="阿依古丽·买买提"), typed(name="阿依古丽・买买提"))


@pytest.mark.parametrize("kind", ["RESIDENT_ID", "TEMP_RESIDENT_ID", "RESIDENCE_PERMIT_HKMO", "RESIDENCE_PERMIT_TW"])
def test_a_residents_number_never_changes(kind: str) -> None:
    """It is theirs for life."""
    assert kind not in documents.NUMBER_CHANGES
    assert set(documents.NUMBER_CHANGES) < set(DocumentType)


@pytest.mark.parametrize(
    ("given", "birth_date", "fields"),
    [
        (typed(), "1999-01-10", {}),
        (typed(expires_on="2027-01-01"), "1999-01-10", {"expires_on": "day-as-held"}),
        (typed(expires_on=None), "1981-01-15", {}),
        (typed(expires_on=None), "1981-01-16", {"long_term": "not-long-term"}),
        (typed(PASSPORT, expires_on=None), "1951-01-15", {"long_term": "not-long-term"}),
        (typed(PASSPORT, number="ZZ9999999", expires_on="2027-01-01"), "1999-01-10", {}),
        (typed(issued_on="2020-01-01"), "1999-01-10", {"issued_on": "issue-term"}),
        (typed(issued_on="2020-01-01"), "1993-01-10", {}),
        (typed(issued_on="2020-01-01", expires_on=None), "1974-01-02", {"long_term": "not-long-term"}),
        (typed(issued_on="2020-01-01", expires_on=None), "1974-01-01", {}),
    ],
)
def test_what_is_doubtful(given: Document, birth_date: str, fields: dict[str, str]) -> None:
    """An end that the bank has already, and one that is not given to somebody of this age or type."""
    held = PASSPORT if given.document_type == "PASSPORT_FOREIGN" else HELD
    assert fields == documents.doubts(given, held, date.fromisoformat(birth_date), TODAY)
