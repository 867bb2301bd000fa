"""The sketch: directions, distances, and pins that can be tapped."""

from __future__ import annotations

from itertools import combinations
from math import hypot

from hypothesis import given
from hypothesis import strategies as st

from foregate.outlets.sketch import SIZE, sketch
from foregate.rules.places import Place, place

CENTRE = place(30.25, 120.17)
around = st.lists(
    st.builds(place, st.floats(30.0, 30.5), st.floats(119.9, 120.4)), min_size=1, max_size=30
)  # fmt: skip


def test_north_is_up_and_east_is_right() -> None:
    """And the nearer one is nearer."""
    drawn = sketch(CENTRE, [(1, place(30.30, 120.17)), (2, place(30.25, 120.20))])
    assert drawn is not None
    north, east = drawn.pins
    assert abs(north.x - SIZE // 2) <= 1
    assert north.y < SIZE // 2 - 100
    assert abs(east.y - SIZE // 2) <= 1
    assert SIZE // 2 < east.x < SIZE // 2 + 100


def test_rings_are_whole_distances() -> None:
    """As many as fit, three at most."""
    drawn = sketch(CENTRE, [(1, place(30.25 + 5.6 / 111.2, 120.17))])
    assert drawn is not None
    assert [2000, 4000, 6000] == [ring.metres for ring in drawn.rings]


def test_nothing_to_draw() -> None:
    """No sketch without outlets."""
    assert sketch(CENTRE, []) is None


@given(around)
def test_every_pin_can_be_tapped(spots: list[Place]) -> None:
    """Within the frame, and 24 wide without touching another; even thirty on one spot."""
    drawn = sketch(CENTRE, list(enumerate(spots, 1)))
    assert drawn is not None
    assert all(12 <= value <= SIZE - 12 for pin in drawn.pins for value in (pin.x, pin.y))
    assert all(hypot(a.x - b.x, a.y - b.y) >= 24 for a, b in combinations(drawn.pins, 2))


def test_thirty_on_one_spot() -> None:
    """The worst there is."""
    drawn = sketch(CENTRE, [(number, CENTRE) for number in range(1, 31)])
    assert drawn is not None
    assert all(hypot(a.x - b.x, a.y - b.y) >= 24 for a, b in combinations(drawn.pins, 2))
