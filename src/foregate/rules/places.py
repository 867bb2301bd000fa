"""Places on earth: how far apart they are, which box holds a circle, and the shifted coordinates of Chinese maps.

Rules
  1. Inside the house every coordinate is WGS-84, in degrees, rounded to a millionth (eleven centimetres).
  2. Distances are those of a great circle. Against the ellipsoid that is wrong by half a percent at most: nobody who
     chooses an outlet notices, and it needs neither tables nor iteration.
  3. GCJ-02 exists at the edge alone: where a file brings it, and where a map asks for it. It shifts places of mainland
     China and no other; Hong Kong, Macao and Taiwan are as GPS says.

Theory of operation
  A database should sort by distance without knowing a sine. So a place is also kept as a point of the unit sphere, in
  whole billionths: the square of the straight line between two such points grows with the way around, is a whole
  number, fits into 64 bits, and is exact to millimetres.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, atan2, cos, degrees, inf, isfinite, pi, radians, sin, sqrt
from typing import Final

import msgspec

EARTH_METRES: Final = 6_371_008.8  # mean radius
MICRO: Final = 1_000_000  # a degree, as it is stored
UNIT: Final = 1_000_000_000  # the radius of the stored sphere
HALF_WAY_METRES: Final = pi * EARTH_METRES  # nothing is farther than this


class Place(msgspec.Struct, frozen=True):
    """A place, WGS-84, in degrees."""

    latitude: float
    longitude: float


class Box(msgspec.Struct, frozen=True):
    """Millionths of a degree, the edges included; never across the antimeridian."""

    south: int
    north: int
    west: int
    east: int


def place(latitude: float, longitude: float) -> Place:
    """Return the place, rounded as it is stored. Raises ValueError for what is not on earth."""
    if not (isfinite(latitude) and isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        raise ValueError("not on earth")
    return Place(round(latitude, 6), round(longitude, 6))


def metres_between(one: Place, other: Place) -> float:
    """Return the way from one place to another along the earth."""
    north, east = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    haversine = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(haversine)))


def on_sphere(where: Place) -> tuple[int, int, int]:
    """Return the point of the stored sphere."""
    latitude, longitude = radians(where.latitude), radians(where.longitude)
    return (
        round(UNIT * cos(latitude) * cos(longitude)),
        round(UNIT * cos(latitude) * sin(longitude)),
        round(UNIT * sin(latitude)),
    )


def metres_of_chord(squared: int) -> float:
    """Return the way along the earth, given the square of the straight line between two points of the sphere."""
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(squared) / (2 * UNIT)))


def chord_of_metres(metres: float) -> int:
    """Return the square of the straight line under a way along the earth."""
    return int((2 * UNIT * sin(min(metres, HALF_WAY_METRES) / (2 * EARTH_METRES))) ** 2)


def boxes_around(centre: Place, metres: float) -> tuple[Box, ...]:
    """Return one box, or two where the antimeridian cuts it, that hold every place within `metres` of `centre`."""
    reach = degrees(metres / EARTH_METRES)
    # A hair more on every side: what is stored was rounded.
    south, north = centre.latitude - reach - 1 / MICRO, centre.latitude + reach + 1 / MICRO
    low, high = max(-90 * MICRO, int(south * MICRO) - 1), min(90 * MICRO, int(north * MICRO) + 1)
    aside = sin(radians(reach)) / cos(radians(centre.latitude)) if abs(centre.latitude) < 90 else inf
    if south <= -90 or north >= 90 or reach >= 90 or aside >= 1:
        return (Box(low, high, -180 * MICRO, 180 * MICRO),)  # a pole lies within, and with it every meridian
    half = degrees(asin(aside))
    west, east = int((centre.longitude - half) * MICRO) - 2, int((centre.longitude + half) * MICRO) + 2
    if west < -180 * MICRO:
        return Box(low, high, west + 360 * MICRO, 180 * MICRO), Box(low, high, -180 * MICRO, east)
    if east > 180 * MICRO:
        return Box(low, high, west, 180 * MICRO), Box(low, high, -180 * MICRO, east - 360 * MICRO)
    return (Box(low, high, west, east),)


def bearing(one: Place, other: Place) -> float:
    """Return the direction from one place to another: radians, 0 is north, clockwise."""
    first, second = radians(one.latitude), radians(other.latitude)
    aside = radians(other.longitude - one.longitude)
    return atan2(sin(aside) * cos(second), cos(first) * sin(second) - sin(first) * cos(second) * cos(aside))


def middle(places: Sequence[Place]) -> Place:
    """Return the middle one of some places of a neighbourhood, in each direction: strays do not pull it away."""
    latitudes, longitudes = sorted(p.latitude for p in places), sorted(p.longitude for p in places)
    return Place(latitudes[len(places) // 2], longitudes[len(places) // 2])


# ---------------------------------------------------------------- GCJ-02

# The ellipsoid that the shift is computed on (Krasovsky 1940).
_AXIS: Final = 6_378_245.0
_ECCENTRICITY_SQUARED: Final = 0.006_693_421_622_965_943
_MAINLAND: Final = Box(int(17.8 * MICRO), int(53.7 * MICRO), int(73.4 * MICRO), int(135.2 * MICRO))
# Rough outlines (longitude, latitude), drawn through the water between.
_UNSHIFTED: Final = (
    # Hong Kong
    ((113.82, 22.13), (113.82, 22.38), (113.90, 22.46), (113.97, 22.50), (114.05, 22.505), (114.10, 22.53),
     (114.15, 22.548), (114.22, 22.55), (114.32, 22.57), (114.51, 22.47), (114.51, 22.13)),
    # Macao
    ((113.532, 22.212), (113.545, 22.217), (113.557, 22.216), (113.60, 22.21), (113.60, 22.10), (113.552, 22.105),
     (113.547, 22.15), (113.535, 22.18)),
    # Taiwan and Penghu; Kinmen; Matsu
    ((119.25, 21.80), (122.15, 21.80), (122.15, 25.35), (120.60, 25.35), (119.90, 24.60), (119.25, 23.90)),
    ((118.21, 24.35), (118.52, 24.35), (118.52, 24.55), (118.30, 24.55), (118.21, 24.47)),
    ((119.85, 25.93), (120.52, 25.93), (120.52, 26.40), (120.12, 26.40)),
)  # fmt: skip


def is_shifted(where: Place) -> bool:
    """Return whether Chinese maps show `where` shifted. Near the outer borders it is for the country to say."""
    inside = (
        _MAINLAND.south <= where.latitude * MICRO <= _MAINLAND.north
        and _MAINLAND.west <= where.longitude * MICRO <= _MAINLAND.east
    )
    return inside and not any(_is_within(where, outline) for outline in _UNSHIFTED)


def to_gcj02(where: Place) -> Place:
    """Return where a Chinese map shows this place."""
    if not is_shifted(where):
        return where
    north, east = _shift(where)
    return Place(round(where.latitude + north, 6), round(where.longitude + east, 6))


def on_chinese_map(where: Place, country: str) -> Place:
    """Return where a Chinese map shows something of this country. Abroad no map is shifted, however near the border."""
    return to_gcj02(where) if country == "CN" else where


def from_gcj02(shown: Place) -> Place:
    """Return the place that a Chinese map shows there."""
    # The shift hardly changes over its own length, so a few rounds of correcting find the place to a millionth.
    guess = shown
    for _ in range(6):
        there = to_gcj02(guess)
        guess = Place(
            guess.latitude + shown.latitude - there.latitude, guess.longitude + shown.longitude - there.longitude
        )
    return Place(round(guess.latitude, 6), round(guess.longitude, 6))


def _shift(where: Place) -> tuple[float, float]:
    """Return by how many degrees GCJ-02 moves a place, to the north and to the east."""
    x, y = where.longitude - 105, where.latitude - 35
    root, swing = sqrt(abs(x)), (20 * sin(6 * pi * x) + 20 * sin(2 * pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + swing
    north += (20 * sin(pi * y) + 40 * sin(pi * y / 3) + 160 * sin(pi * y / 12) + 320 * sin(pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + swing
    east += (20 * sin(pi * x) + 40 * sin(pi * x / 3) + 150 * sin(pi * x / 12) + 300 * sin(pi * x / 30)) * 2 / 3
    latitude = radians(where.latitude)
    flat = 1 - _ECCENTRICITY_SQUARED * sin(latitude) ** 2
    along_meridian = _AXIS * (1 - _ECCENTRICITY_SQUARED) / (flat * sqrt(flat))
    along_parallel = _AXIS / sqrt(flat) * cos(latitude)
    return degrees(north / along_meridian), degrees(east / along_parallel)


def _is_within(where: Place, outline: Sequence[tuple[float, float]]) -> bool:
    is_inside = False
    for (x1, y1), (x2, y2) in zip(outline, (*outline[1:], outline[0]), strict=True):
        is_between = (y1 > where.latitude) != (y2 > where.latitude)
        if is_between and where.longitude < x1 + (where.latitude - y1) * (x2 - x1) / (y2 - y1):
            is_inside = not is_inside
    return is_inside
