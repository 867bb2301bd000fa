"""From a record of somebody's file to an outlet: which column is what, and whether it can be true.

Rules
  1. A field is a template: `{column}` stands for what the record has there, everything else for itself. A list of
     templates is joined; one whose column is empty is left out.
  2. In order: fill in, replace pieces, translate whole values, take what `[empty]` says where nothing is left, check.
  3. Every fault is said with its field, for a person to find it. Coordinates that nobody knows are no fault: such an
     outlet is found by its name, not by distance.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping as Table
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from foregate.outlets.hours import can_be_read
from foregate.outlets.reading import NotOutlets, Record
from foregate.ports.outlets import Outlet
from foregate.rules import limits, places
from foregate.rules.services import ACCESS, SERVICES

KINDS: Final = ("branch", "sub-branch", "self-service", "atm")
LISTS: Final = ("services", "languages")
_FIELDS: Final = Outlet.__struct_fields__
_COLUMN: Final = re.compile(r"\{([^{}]+)\}")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_JOINED_BY: Final = {"hours": "; ", "services": ";", "languages": ";"}

Templates = str | tuple[str, ...]


class BadRow(ValueError):
    """This record is no outlet; the text says which field and why."""


class Coordinates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file's coordinates are. `unknown`: points, [latitude, longitude], written where nobody knew better."""

    datum: Annotated[str, msgspec.Meta(pattern="^(wgs84|gcj02)$")] = "wgs84"
    unknown: tuple[tuple[float, float], ...] = ()


class Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the file is written."""

    encoding: str = "utf-8-sig"
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`unreadable_hours`: whether an outlet whose hours nobody can read is refused, or taken with unknown hours."""

    unreadable_hours: Annotated[str, msgspec.Meta(pattern="^(reject|unknown)$")] = "reject"


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping file. Everything in it is by the name of the outlet's field."""

    fields: dict[str, Templates] = msgspec.field(default_factory=lambda: {name: f"{{{name}}}" for name in _FIELDS})
    join: dict[str, str] = {}
    replace: dict[str, dict[str, str]] = {}
    translate: dict[str, dict[str, str]] = {}
    empty: dict[str, str] = {}
    coordinates: Coordinates = Coordinates()
    format: Format = Format()
    options: Options = Options()


class Mapped(msgspec.Struct, frozen=True):
    """An outlet; `without_hours`: those of the record could not be read."""

    outlet: Outlet
    without_hours: str | None = None


def load_mapping(path: Path | None) -> Mapping:
    """Return the mapping in a file; without one, columns are named like the fields. Raises NotOutlets."""
    if path is None:
        return Mapping()
    try:
        mapping = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Mapping)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as wrong:
        raise NotOutlets(f"{path} is no mapping: {wrong}") from None
    named = {*mapping.fields, *mapping.join, *mapping.replace, *mapping.translate, *mapping.empty}
    if strange := sorted(named - set(_FIELDS)):
        raise NotOutlets(f"{path} names fields that no outlet has: {', '.join(strange)}")
    if missing := [name for name in ("outlet_id", "name") if name not in mapping.fields]:
        raise NotOutlets(f"{path} does not say what {' and '.join(missing)} is")
    return mapping


def check_columns(mapping: Mapping, columns: frozenset[str], *, is_given: bool) -> None:
    """Raises NotOutlets when the mapping names columns that the file has not. Without a mapping two are enough."""
    named = {column for templates in mapping.fields.values() for column in _columns(templates)}
    if not is_given:
        named = {"outlet_id", "name"}
    if missing := sorted(named - columns):
        raise NotOutlets(f"it has no column {', '.join(missing)}; a mapping file says which column is what")


def outlet_of(record: Record, mapping: Mapping) -> Mapped:
    """Return the outlet that a record tells of. Raises BadRow."""
    values = {
        name: _filled(name, record, mapping) for name in _FIELDS if name in mapping.fields or name in mapping.empty
    }
    checked: dict[str, Any] = {name: _text(name, value) for name, value in values.items() if name not in LISTS}
    checked |= {name: _listed(name, values[name], mapping) for name in LISTS if name in values}
    where = _place(checked.pop("latitude", ""), checked.pop("longitude", ""), checked.get("country", "CN"), mapping)
    if where is not None:
        checked |= {"latitude": where.latitude, "longitude": where.longitude}
    given = {name: value for name, value in checked.items() if value not in ("", ())}
    unread = None
    if not can_be_read(given.get("hours", "24/7")):
        if mapping.options.unreadable_hours == "reject":
            raise BadRow(f"hours: {given['hours']!r} is not OSM's opening_hours")
        unread = given.pop("hours")
    return Mapped(_checked(Outlet(**{"outlet_id": "", "name": "", **given}), given), unread)


def _columns(templates: Templates) -> list[str]:
    return [name for one in ([templates] if isinstance(templates, str) else templates) for name in _COLUMN.findall(one)]


def _filled(name: str, record: Record, mapping: Mapping) -> str:
    templates = mapping.fields.get(name, "")
    parts = [_fill(one, record) for one in ([templates] if isinstance(templates, str) else templates)]
    text = mapping.join.get(name, _JOINED_BY.get(name, " ")).join(part for part in parts if part)
    for old, new in mapping.replace.get(name, {}).items():
        text = text.replace(old, new)
    if name not in LISTS:
        text = mapping.translate.get(name, {}).get(text, text)
    return text or mapping.empty.get(name, "")


def _fill(template: str, record: Record) -> str:
    """Return a template with its columns filled in; empty when one of them is."""
    values = {column: record.get(column, "").strip() for column in _COLUMN.findall(template)}
    if not all(values.values()):
        return ""
    return _COLUMN.sub(lambda found: values[found[1]], template)


def _text(name: str, value: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    if len(text) > limits.OUTLET_TEXT_CHARS and name != "hours":
        raise BadRow(f"{name}: longer than {limits.OUTLET_TEXT_CHARS} characters")
    return text


def _listed(name: str, value: str, mapping: Mapping) -> tuple[str, ...]:
    words = mapping.translate.get(name, {})
    parts = (part.strip() for part in re.split("[;,|、]", value))
    return tuple(dict.fromkeys(found for part in parts if part and (found := words.get(part, part))))


def _place(latitude: str, longitude: str, country: str, mapping: Mapping) -> places.Place | None:
    if not latitude and not longitude:
        return None
    try:
        where = places.place(float(latitude), float(longitude))
    except ValueError:
        raise BadRow(f"coordinates: {latitude!r}, {longitude!r} is no place on earth, in degrees") from None
    if (where.latitude, where.longitude) in mapping.coordinates.unknown:
        return None
    if where == places.Place(0, 0):
        raise BadRow("coordinates: 0, 0 lies in the sea; leave them empty where nobody knows them")
    is_shifted = mapping.coordinates.datum == "gcj02" and country == "CN"
    return places.from_gcj02(where) if is_shifted else where


def _checked(outlet: Outlet, given: Table[str, Any]) -> Outlet:
    """Raises BadRow for what cannot be true of an outlet."""
    if not _ID.fullmatch(outlet.outlet_id) or len(outlet.outlet_id) > limits.OUTLET_ID_CHARS:
        raise BadRow(f"outlet_id: 1 to {limits.OUTLET_ID_CHARS} of A-Z a-z 0-9 . _ -, not {outlet.outlet_id!r}")
    if outlet.outlet_id == "map":
        raise BadRow("outlet_id: not map, which is the address of the map")
    if not outlet.name:
        raise BadRow("name: empty")
    _one_of("kind", outlet.kind, KINDS)
    _one_of("wheelchair", outlet.wheelchair, ACCESS)
    for service in outlet.services:
        _one_of("services", service, tuple(SERVICES))
    if wrong := [one for one in outlet.languages if not _LANGUAGE.fullmatch(one)]:
        raise BadRow(f"languages: {wrong[0]!r} is no language tag such as zh or en-GB")
    if not re.fullmatch("[A-Z]{2}", outlet.country):
        raise BadRow(f"country: {outlet.country!r} is not two capital letters (ISO 3166-1)")
    if "time_zone" not in given and outlet.country != "CN":
        raise BadRow("time_zone: needed for an outlet outside CN")
    if not _is_zone(outlet.time_zone):
        raise BadRow(f"time_zone: {outlet.time_zone!r} is no zone such as Asia/Shanghai")
    return outlet


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadRow(f"{name}: {value!r} is none of {', '.join(allowed)}")


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
