"""Boxes around a place miss nothing that is near it, wherever on the globe."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.store.repository.near import Box, boxes
from tests.support.globe import CORNERS, Place, around, metres_between

LATITUDES = st.floats(-90, 90) | st.sampled_from([-90.0, -89.9999, 0.0, 89.5, 90.0])
LONGITUDES = st.floats(-180, 180) | st.sampled_from([-180.0, -179.9999, 0.0, 179.9, 180.0])
PLACES = st.tuples(LATITUDES, LONGITUDES) | st.sampled_from(CORNERS)
RADII = st.floats(0.001, 50_000)


def holds(box: Box, place: Place) -> bool:
    latitude, longitude = place
    return box.south <= latitude <= box.north and box.west <= longitude <= box.east


@given(PLACES, RADII, st.integers())
def test_what_is_within_the_radius_is_in_a_box(centre: Place, radius_m: float, seed: int) -> None:
    found = boxes(*centre, radius_m)
    for _ in range(20):
        place = around(random.Random(seed), centre, radius_m)
        assert any(holds(box, place) for box in found), place


@given(PLACES, PLACES, RADII)
def test_what_is_in_no_box_is_further_away(centre: Place, place: Place, radius_m: float) -> None:
    if not any(holds(box, place) for box in boxes(*centre, radius_m)):
        assert metres_between(centre, place) > radius_m


@given(PLACES, RADII)
def test_boxes_are_on_the_globe_and_not_inside_out(centre: Place, radius_m: float) -> None:
    for south, west, north, east in boxes(*centre, radius_m):
        assert -90 <= south <= north <= 90
        assert -180 <= west <= east <= 180


@pytest.mark.parametrize(
    ("centre", "count"),
    [
        ((0.0, 0.0), 1),
        ((0.0, 180.0), 2),
        ((0.0, -180.0), 2),
        ((-16.8, 179.9), 2),
        ((89.9, 10.0), 1),
        ((-90.0, 0.0), 1),
    ],
)
def test_a_circle_over_the_antimeridian_has_two_boxes(centre: Place, count: int) -> None:
    assert len(boxes(*centre, 50_000)) == count


def test_a_box_is_hardly_larger_than_its_circle() -> None:
    (box,) = boxes(60.0, 10.0, 10_000)
    assert metres_between((60.0, 10.0), (box.north, 10.0)) == pytest.approx(10_000, abs=1)
    assert metres_between((60.0, 10.0), (60.0, box.east)) == pytest.approx(10_000, rel=0.001)
