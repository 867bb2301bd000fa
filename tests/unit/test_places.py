"""Places: distances, boxes that miss nothing, and the shift of Chinese maps."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foregate.rules.places import (
    HALF_WAY_METRES,
    MICRO,
    Place,
    boxes_around,
    chord_of_metres,
    from_gcj02,
    is_shifted,
    metres_between,
    metres_of_chord,
    on_sphere,
    place,
    to_gcj02,
)

everywhere = st.builds(place, st.floats(-90, 90), st.floats(-180, 180))
TIANANMEN, SHANGHAI = place(39.9087, 116.3975), place(31.2304, 121.4737)


def chord(one: Place, other: Place) -> int:
    return sum((a - b) ** 2 for a, b in zip(on_sphere(one), on_sphere(other), strict=True))


def test_distances_that_are_known() -> None:
    """Beijing to Shanghai; a quarter of the earth; across the antimeridian, not around the world."""
    assert 1_067_000 == pytest.approx(metres_between(TIANANMEN, SHANGHAI), rel=0.005)
    assert HALF_WAY_METRES / 2 == pytest.approx(metres_between(place(0, 0), place(90, 12)))
    assert 22_239 == pytest.approx(metres_between(place(0, 179.9), place(0, -179.9)), abs=1)


@given(everywhere, everywhere)
def test_the_chord_tells_the_distance(one: Place, other: Place) -> None:
    """The whole number that the database sorts by is the distance, to a centimetre where anybody walks."""
    metres = metres_between(one, other)
    tolerance = 0.02 if metres < HALF_WAY_METRES * 0.9 else 2500
    assert metres == pytest.approx(metres_of_chord(chord(one, other)), abs=tolerance)


@given(everywhere, everywhere, st.floats(0, 2))
@example(place(0, 179.99), place(0, -179.99), 1.0)
@example(place(0, -179.99), place(0, 179.99), 1.0)
@example(place(89.999, 10), place(89.999, -170), 1.0)
@example(place(-90, 0), place(-89.9, 77), 1.0)
@example(place(10, 180), place(10, -180), 1.0)
def test_a_box_holds_whatever_is_as_near(centre: Place, other: Place, factor: float) -> None:
    """Nothing within the radius is outside; not at the poles, not across the antimeridian."""
    metres = min(metres_between(centre, other) * max(1.0, factor) + 1, HALF_WAY_METRES)
    latitude, longitude = round(other.latitude * MICRO), round(other.longitude * MICRO)
    boxes = boxes_around(centre, metres)
    # Where the antimeridian itself is meant, either of its names will do.
    names = {longitude, -longitude} if abs(longitude) == 180 * MICRO else {longitude}
    assert any(box.south <= latitude <= box.north and box.west <= name <= box.east for box in boxes for name in names)


def test_radius_and_chord_agree() -> None:
    """What counts as near enough to stop looking."""
    assert 5000 == pytest.approx(metres_of_chord(chord_of_metres(5000)), abs=0.01)


def test_the_shift_of_chinese_maps() -> None:
    """Half a kilometre, as measured by others at known places."""
    assert 555 == pytest.approx(metres_between(TIANANMEN, to_gcj02(TIANANMEN)), abs=1)
    assert 482 == pytest.approx(metres_between(SHANGHAI, to_gcj02(SHANGHAI)), abs=2)


@given(st.builds(place, st.floats(22.6, 45), st.floats(100, 117)))
def test_the_shift_is_undone(where: Place) -> None:
    """There and back is less than a metre."""
    assert metres_between(where, from_gcj02(to_gcj02(where))) < 1


@pytest.mark.parametrize(
    "where",
    [place(22.302, 114.177), place(22.19, 113.545), place(25.04, 121.51), place(24.43, 118.32), place(51.5, -0.1)],
    ids=["Hong Kong", "Macao", "Taipei", "Kinmen", "London"],
)
def test_places_that_are_not_shifted(where: Place) -> None:
    """They are as GPS says."""
    assert not is_shifted(where)
    assert where == to_gcj02(where) == from_gcj02(where)


@pytest.mark.parametrize(
    "where",
    [place(22.543, 114.058), place(22.27, 113.57), place(24.48, 118.09), place(26.07, 119.30)],
    ids=["Shenzhen", "Zhuhai", "Xiamen", "Fuzhou"],
)
def test_their_neighbours_are(where: Place) -> None:
    """Across the water the shift begins."""
    assert is_shifted(where)


@pytest.mark.parametrize(("latitude", "longitude"), [(90.1, 0), (0, 180.1), (float("nan"), 0), (0, float("inf"))])
def test_what_is_not_on_earth(latitude: float, longitude: float) -> None:
    """Is no place."""
    with pytest.raises(ValueError, match="not on earth"):
        place(latitude, longitude)
