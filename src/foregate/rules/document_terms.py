"""For how many years a document is given, by its kind and by its holder's age on the day of issue.

Sources: Identity Card Law, art. 5 (residents); the printed terms of permits and passports. What other countries and
the services print is their own affair: of such a document only the order of its two days is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from foregate.rules.document_inputs import DocumentType
from foregate.rules.inputs import age_on

# Resident identity cards alone are given without an end, and to nobody younger (Identity Card Law, art. 5).
LONG_TERM_FROM_YEARS: Final = 46
# Below this age on the day of issue, a resident's card is given for so many years.
RESIDENT_YEARS: Final = ((16, 5), (26, 10), (LONG_TERM_FROM_YEARS, 20))
# A temporary card bridges the time until the lasting one is made.
TEMPORARY_DAYS_MAX: Final = 92
# Others are given for one of these terms, and some of them end on the day before the anniversary.
TERM_YEARS: Final[Mapping[str, tuple[int, ...]]] = {
    DocumentType.RESIDENCE_PERMIT_HKMO: (5,),
    DocumentType.RESIDENCE_PERMIT_TW: (5,),
    DocumentType.FOREIGN_PR_ID: (5, 10),
    DocumentType.MAINLAND_PERMIT_HKMO: (5, 10),
    DocumentType.MAINLAND_PERMIT_TW: (5,),
    DocumentType.PASSPORT_CN: (5, 10),
}


def issue_fault(kind: str, issued_on: date, ends_on: date | None, birth_date: date, today: date) -> str | None:
    """Return the code of what cannot be right with a day of issue; None when it may be. `ends_on` None: long-term."""
    if issued_on > today:
        return "issue-future"
    if issued_on < birth_date:
        return "issue-before-birth"
    if ends_on is not None and ends_on <= issued_on:
        return "issue-after-end"
    return None if _is_its_term(kind, issued_on, ends_on, birth_date) else "issue-term"


def years_after(day: date, years: int) -> date:
    """Return the day so many years later; where there is no 29 February, the 28th stands for it."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _is_its_term(kind: str, issued_on: date, ends_on: date | None, birth_date: date) -> bool:
    if kind == DocumentType.RESIDENT_ID:
        age = age_on(issued_on, birth_date)
        years = next((years for below, years in RESIDENT_YEARS if age < below), None)
        return ends_on is None if years is None else ends_on in _anniversaries(issued_on, years)
    if ends_on is None:
        return True
    if kind == DocumentType.TEMP_RESIDENT_ID:
        return (ends_on - issued_on).days <= TEMPORARY_DAYS_MAX
    terms = TERM_YEARS.get(kind)
    if terms is None:
        return True
    last = {day - timedelta(before) for years in terms for day in _anniversaries(issued_on, years) for before in (0, 1)}
    return ends_on in last


def _anniversaries(day: date, years: int) -> set[date]:
    """One day; after a 29 February, in a year without one, either of its neighbours is printed."""
    that = years_after(day, years)
    return {that} if (that.month, that.day) == (day.month, day.day) else {that, that + timedelta(1)}
