"""Where a record stopped, as text that a client carries and does not read: a day and a number, below which it goes on.

It holds no secret and gives no right. Who changes one reads on from another place of the same record.
"""

from __future__ import annotations

import base64
import binascii
import re
from calendar import monthrange
from typing import Final

import msgspec

DIGITS: Final = 18
_PLACE: Final = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/([0-9]{{1,{DIGITS}}})")


class BadCursor(ValueError):
    """This is no cursor of ours."""


class Place(msgspec.Struct, frozen=True):
    """Where a list stopped; the next entry comes before it."""

    day: str
    sequence: int


NEWEST: Final = Place("9999-12-31", 10**DIGITS - 1)


def cursor_of(day: str, sequence: int) -> str:
    """Return the cursor that goes on behind this entry."""
    return base64.urlsafe_b64encode(f"{day}/{sequence}".encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> Place:
    """Return the place that a cursor names; without one, before the newest entry. Raises BadCursor."""
    if cursor is None:
        return NEWEST
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise BadCursor("not a cursor of ours") from None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise BadCursor("not a cursor of ours")
    return Place(found[1], int(found[2]))


def last_day_of(month: str) -> str:
    """Return the last day of a month such as 2026-11."""
    year, number = int(month[:4]), int(month[5:])
    return f"{month}-{monthrange(year, number)[1]:02d}"
