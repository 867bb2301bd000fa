"""Outlets and appointments: the records that cross a port, and what the house asks of the store about them."""

from __future__ import annotations

import msgspec


class Outlet(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the bank. Coordinates are WGS-84, degrees; None where nobody knows them."""

    outlet_id: str  # the bank's own stable number for it
    name: str
    kind: str = "branch"  # branch | sub-branch | self-service | atm
    name_latin: str = ""
    address: str = ""
    country: str = "CN"  # ISO 3166-1 alpha-2: whose holidays count
    province: str = ""
    city: str = ""
    district: str = ""
    latitude: float | None = None
    longitude: float | None = None
    phone: str = ""
    services: tuple[str, ...] = ()  # codes of `rules.services`
    languages: tuple[str, ...] = ()  # BCP 47
    wheelchair: str = "unknown"  # yes | limited | no | unknown, as OSM says it
    hours: str = ""  # OSM opening_hours syntax; empty: nobody knows
    time_zone: str = "Asia/Shanghai"  # IANA


class HoursException(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank says about one day, above hours and holidays. `outlet_id` empty: every outlet of the country."""

    outlet_id: str
    country: str
    day: str  # ISO date
    hours: str  # "off", or OSM time ranges such as 10:00-14:00
    reason: str = ""
