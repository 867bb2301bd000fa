"""The ID document on the counter, against what the bank holds. What the maker typed is compared, never shown back."""

from __future__ import annotations

from datetime import date

from foregate.counter.guard import Objected
from foregate.counter.views import IdCheck
from foregate.ports import Person
from foregate.rules import inputs
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
    is_as_held = expires_on == person.document_expires_on
    if act.renews_document and is_as_held:
        raise Objected("document-not-renewed")
    if not act.renews_document and not is_as_held:
        raise Objected("document-outdated")
    return document


def _normal(seen: IdCheck) -> IdCheck:
    wrong: dict[str, str] = {}
    kind = number = expires_on = ""
    try:
        kind = inputs.normal_document_type(seen.document_type)
        number = inputs.normal_document(kind, seen.number)
    except BadInput as bad:
        wrong["number" if kind else "document_type"] = bad.code
    try:
        expires_on = _day(inputs.plain(seen.expires_on))
    except ValueError:
        wrong["expires_on"] = "date"
    if wrong:
        raise Objected("input-invalid", fields=wrong)
    return IdCheck(document_type=kind, number=number, expires_on=expires_on)


def _day(text: str) -> str:
    if not text:
        return ""
    if len(text) != len("2035-01-31"):
        raise ValueError(text)  # fromisoformat alone would take 20350131 too
    return date.fromisoformat(text).isoformat()
