"""Outlets as rows, and rows as outlets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from foregate.ports.outlets import Outlet
from foregate.rules import outlet_words, places
from foregate.store.outlets import tables
from foregate.store.statements import Row, Statement, Value, insert_into

# How an outlet stands: for everybody to find, gone from the bank's file, or taken out at the console.
LISTED, GONE, CLOSED = 0, 1, 2


def put_into(table: Any, key: str) -> Statement:
    """Return the statement that writes a row, whether or not it is there."""
    made = insert_into(table)
    changes = {column.name: made.excluded[column.name] for column in table.c if column.name != key}
    return Statement(made.on_conflict_do_update(index_elements=[key], set_=changes))


PUT: Final = put_into(tables.outlet, "outlet_id")
PUT_WORDS: Final = put_into(tables.outlet_words, "outlet_id")


def listed(values: Sequence[str]) -> str:
    """Return codes as a column holds them: every one between commas."""
    return f",{','.join(values)}," if values else ""


def unlisted(stored: str) -> tuple[str, ...]:
    """Return the codes of a column."""
    return tuple(part for part in stored.split(",") if part)


def digest_of(outlet: Outlet) -> bytes:
    """Return what tells whether a file says anything else than before."""
    whole = msgspec.json.encode(outlet) + str(outlet_words.VERSION).encode()
    return hashlib.sha256(whole).digest()[:16]


def row_of(outlet: Outlet, digest: bytes, now: int, is_retired: int = LISTED) -> dict[str, Value]:
    """Return the row of an outlet. `digest`: of what the file says of it."""
    where = outlet.place
    x, y, z = places.on_sphere(where) if where else (None, None, None)
    return {
        "outlet_id": outlet.outlet_id,
        "name": outlet.name,
        "kind": outlet.kind,
        "name_latin": outlet.name_latin,
        "address": outlet.address,
        "country": outlet.country,
        "province": outlet.province,
        "city": outlet.city,
        "city_plain": outlet_words.plain_city(outlet.city),
        "district": outlet.district,
        "latitude": round(where.latitude * places.MICRO) if where else None,
        "longitude": round(where.longitude * places.MICRO) if where else None,
        "x": x,
        "y": y,
        "z": z,
        "phone": outlet.phone,
        "services": listed(outlet.services),
        "languages": listed(outlet.languages),
        "wheelchair": outlet.wheelchair,
        "hours": outlet.hours,
        "time_zone": outlet.time_zone,
        "digest": digest,
        "changed_at": now,
        "is_retired": is_retired,
    }


def words_row(outlet: Outlet) -> dict[str, Value]:
    """Return the row that an outlet is found by."""
    towns, places_ = (outlet.city, outlet.district), (outlet.province, outlet.address)
    words = outlet_words.words_of(outlet.outlet_id, outlet.name, outlet.name_latin, towns, places_)
    return {"outlet_id": outlet.outlet_id, "words": words}


def opened(row: Row) -> Outlet:
    """Return the outlet of a row."""
    latitude, longitude = row["latitude"], row["longitude"]
    return Outlet(
        outlet_id=row["outlet_id"],
        name=row["name"],
        kind=row["kind"],
        name_latin=row["name_latin"],
        address=row["address"],
        country=row["country"],
        province=row["province"],
        city=row["city"],
        district=row["district"],
        latitude=None if latitude is None else latitude / places.MICRO,
        longitude=None if longitude is None else longitude / places.MICRO,
        phone=row["phone"],
        services=unlisted(row["services"]),
        languages=unlisted(row["languages"]),
        wheelchair=row["wheelchair"],
        hours=row["hours"],
        time_zone=row["time_zone"],
    )
