"""What people type to book an appointment, in its normal form. See `inputs.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from foregate.rules import limits
from foregate.rules.appointments import CASE_SYMBOLS, read
from foregate.rules.services import SERVICES
from foregate.rules.spelling import BadInput, normal_name, plain, without_separators

PEOPLE: Final = tuple(str(people) for people in range(1, limits.PEOPLE_PER_BOOKING + 1))
SURNAME_CHARS: Final = 20
OUTLET_CHARS: Final = 64


def normal_surname(text: str) -> str:
    """Return a family name: what a name may hold, and short enough to be called out."""
    surname = normal_name(text)
    if len(surname) > SURNAME_CHARS:
        raise BadInput("name-too-long")
    return surname


def normal_outlet(text: str) -> str:
    """Return an outlet's number as links carry it."""
    outlet = plain(text)
    if not outlet:
        raise BadInput("empty")
    if len(outlet) > OUTLET_CHARS:
        raise BadInput("outlet-unknown")
    return outlet


def normal_service(text: str) -> str:
    """Return the code of a service."""
    code = plain(text).lower()
    if not code:
        raise BadInput("empty")
    if code not in SERVICES:
        raise BadInput("service-not-offered")
    return code


def normal_moment(text: str) -> str:
    """Return a moment (RFC 3339, with its offset) in UTC, to the minute: two spellings of one moment are one."""
    typed = plain(text)
    if not typed:
        raise BadInput("empty")
    try:
        moment = datetime.fromisoformat(typed)
        if moment.tzinfo is None:  # without its offset nobody knows which moment is meant
            raise BadInput("time-not-offered")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput("time-not-offered") from None
    if moment.second or moment.microsecond:
        raise BadInput("time-not-offered")
    return moment.strftime("%Y-%m-%dT%H:%MZ")


def normal_people(text: str) -> str:
    """Return how many come, as digits."""
    people = without_separators(text) or "1"
    if people not in PEOPLE:
        raise BadInput("too-many-people")
    return people


def normal_case(text: str) -> str:
    """Return a case number without blanks, or nothing: it may be left out."""
    if not plain(text):
        return ""
    number = read(plain(text), CASE_SYMBOLS)
    if number is None:
        raise BadInput("case-number")
    return number
