"""The ID document on the counter, against what the bank holds. What the maker typed is compared, never shown back."""

from __future__ import annotations

from datetime import date

from foregate.counter.guard import Objected
from foregate.counter.views import IdCheck
from foregate.ports import Person
from foregate.rules import documents, inputs
from foregate.rules.documents import Document
from foregate.rules.inputs import BadInput
from foregate.rules.staff import CounterAct


def checked(act: CounterAct, seen: IdCheck | None, person: Person, today: str) -> IdCheck:
    """Return the document in normal form. Raises Objected: not theirs, expired, or newer than the bank's record."""
    if seen is None:
        raise Objected("input-invalid", fields={"number": "empty"})
    document = _normal(seen)
    if (document.document_type, document.number) != (person.document_type, person.document_number):
        raise Objected("document-mismatch")
    expires_on = document.expires_on or None
    if expires_on is not None and expires_on < today:
        raise Objected("document-expired")
    is_as_held = expires_on == person.document_expires_on and _is_issue_as_held(act, document.issued_on, person)
    if act.renews_document and is_as_held:
        raise Objected("document-not-renewed")
    if not act.renews_document and not is_as_held:
        raise Objected("document-outdated")
    _plausible(document, person, today)
    return document


def _is_issue_as_held(act: CounterAct, issued_on: str, person: Person) -> bool:
    """What was not typed differs from nothing. A day that the bank does not hold yet is something to correct."""
    if not issued_on or issued_on == person.document_issued_on:
        return True
    return person.document_issued_on is None and not act.renews_document


def _plausible(seen: IdCheck, person: Person, today: str) -> None:
    document = Document(
        name=person.name,
        document_type=seen.document_type,
        number=seen.number,
        expires_on=seen.expires_on or None,
        issued_on=seen.issued_on or None,
    )
    fault = documents.issue_doubt(document, date.fromisoformat(person.birth_date), date.fromisoformat(today))
    if fault is not None:
        raise Objected("input-invalid", fields={"issued_on": fault})


def _normal(seen: IdCheck) -> IdCheck:
    wrong: dict[str, str] = {}
    kind = number = ""
    days = {"expires_on": seen.expires_on, "issued_on": seen.issued_on}
    try:
        kind = inputs.normal_document_type(seen.document_type)
        number = inputs.normal_document(kind, seen.number)
    except BadInput as bad:
        wrong["number" if kind else "document_type"] = bad.code
    for name, typed in days.items():
        try:
            days[name] = _day(inputs.plain(typed))
        except ValueError:
            wrong[name] = "date"
    if wrong:
        raise Objected("input-invalid", fields=wrong)
    return IdCheck(document_type=kind, number=number, **days)


def _day(text: str) -> str:
    if not text:
        return ""
    if len(text) != len("2035-01-31"):
        raise ValueError(text)  # fromisoformat alone would take 20350131 too
    return date.fromisoformat(text).isoformat()
