"""The tables of outlets. Nothing here is personal."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer

from foregate.store.columns import count, key, raw, table, text, text_or_none, time


def _whole(name: str, kind: type[Integer]) -> Column[int]:
    return Column(name, kind, nullable=True)


outlet: Final = table(
    "outlet",
    text("outlet_id"),
    text("name"),
    text("kind"),
    text("name_latin"),
    text("address"),
    text("country"),
    text("province"),
    text("city"),
    text("city_plain"),  # as it is asked for: see rules/outlet_words.py
    text("district"),
    # Millionths of a degree, and the same place on the stored sphere: see rules/places.py. None where nobody knows.
    _whole("latitude", Integer),
    _whole("longitude", Integer),
    _whole("x", BigInteger),
    _whole("y", BigInteger),
    _whole("z", BigInteger),
    text("phone"),
    text("services"),  # ",cash,loan,": every code between commas
    text("languages"),
    text("wheelchair"),
    text("hours"),
    text("time_zone"),
    raw("digest"),  # of all that was imported: tells what changed
    time("changed_at"),
    count("is_retired"),  # 1: gone from the file; 2: taken out at the console
    key("outlet_id"),
    # Both in one index: a box is read from it alone.
    Index("ix_outlet_latitude", "latitude", "longitude"),
    Index("ix_outlet_city_plain", "city_plain"),
)

# Apart from the rest and narrow, so that a look at all of them stays short.
outlet_words: Final = table(
    "outlet_words",
    text("outlet_id"),
    text("words"),
    key("outlet_id"),
)

# What the console says above the file, and the whole outlet as the file has it: see store/outlets/own.py.
outlet_own: Final = table(
    "outlet_own",
    text("outlet_id"),
    *(text_or_none(name) for name in ("name", "address", "phone", "services", "wheelchair", "hours")),
    text("filed"),
    time("changed_at"),
    key("outlet_id"),
)

hours_exception: Final = table(
    "hours_exception",
    text("outlet_id"),  # empty: every outlet of the country
    text("country"),
    text("day"),  # ISO date
    text("hours"),
    text("reason"),
    key("day", "outlet_id", "country"),
)
