"""A sketch of where outlets are: you in the middle, north up, rings of whole distances, a numbered pin for each.

Nothing else is drawn, no coast and no border: it says how far and in which direction, and a map says the rest. The
pins are pushed apart until each can be tapped, so one may stand a little beside its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, hypot, sin
from typing import Final

import msgspec

from foregate.rules import places
from foregate.rules.places import Place

SIZE: Final = 320
EDGE: Final = 16  # room for half a pin
PIN_APART: Final = 27.0  # a pin is 24 wide: WCAG 2.2, 2.5.8
ROUNDS: Final = 60
RINGS_MAX: Final = 3
NICE: Final = (1, 2, 5)
KM: Final = 1000


class Ring(msgspec.Struct, frozen=True):
    """A circle around the middle. `metres` is what its label says."""

    radius: int
    metres: int


class Pin(msgspec.Struct, frozen=True):
    """The `number`-th outlet of the list, drawn at x, y."""

    number: int
    x: int
    y: int


class Sketch(msgspec.Struct, frozen=True):
    """Everything there is to draw, in a square of SIZE."""

    rings: tuple[Ring, ...]
    pins: tuple[Pin, ...]


def sketch(centre: Place, outlets: Sequence[tuple[int, Place]]) -> Sketch | None:
    """Return a sketch of numbered places around `centre`; None when there is nothing to draw."""
    if not outlets:
        return None
    middle = SIZE / 2
    away = [(number, places.metres_between(centre, place), places.bearing(centre, place)) for number, place in outlets]
    reach = max(float(KM), max(metres for _, metres, _ in away))
    scale = (middle - EDGE) / reach
    spots = [
        [middle + sin(bearing) * metres * scale, middle - cos(bearing) * metres * scale] for _, metres, bearing in away
    ]
    _push_apart(spots)
    pins = tuple(Pin(number, round(x), round(y)) for (number, _, _), (x, y) in zip(away, spots, strict=True))
    step = _ring_step(reach)
    rings = tuple(
        Ring(round(n * step * scale), n * step) for n in range(1, RINGS_MAX + 1) if n * step * scale <= middle - 4
    )
    return Sketch(rings, pins)


def _ring_step(reach: float) -> int:
    """Return the smallest nice distance of which RINGS_MAX reach far enough, or nearly."""
    step, power = KM, KM
    while True:
        for nice in NICE:
            step = nice * power
            if step * (RINGS_MAX + 0.5) >= reach:
                return step
        power *= 10


def _push_apart(spots: list[list[float]]) -> None:
    """Move pins that overlap away from each other, a little at a time, always the same way."""
    for _ in range(ROUNDS):
        is_calm = True
        for n, one in enumerate(spots):
            for m in range(n):
                other = spots[m]
                across, down = one[0] - other[0], one[1] - other[1]
                gap = hypot(across, down)
                if gap >= PIN_APART:
                    continue
                is_calm = False
                if gap < 0.1:  # on the very same spot: every pair parts in a direction of its own
                    across, down, gap = cos(n * 2.4), sin(n * 2.4), 1.0
                push = (PIN_APART - min(gap, PIN_APART)) / 2 + 0.2
                for spot, sign in ((one, 1), (other, -1)):
                    spot[0] = _kept(spot[0] + sign * push * across / gap)
                    spot[1] = _kept(spot[1] + sign * push * down / gap)
        if is_calm:
            return


def _kept(value: float) -> float:
    return min(max(value, EDGE), SIZE - EDGE)
