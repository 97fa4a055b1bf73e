"""Stores near a place: boxes that an index finds, and the distance on a sphere that decides.

Boxes hold at least every place within the radius (Matuschek, "Finding Points Within a Distance of a
Latitude/Longitude Using Bounding Coordinates"). One that would cross the antimeridian is two; one that
reaches a pole has every longitude.
"""

import math
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Double, Label, func, literal, or_

from services.store.model import PLACE, stores
from services.store.schema import Near

EARTH_RADIUS_M = 6_371_008.8
"""The Earth's mean radius in metres: (2a + b) / 3 of GRS 80 (H. Moritz, "Geodetic Reference System 1980")."""

_SLACK = 1e-9  # degrees, a tenth of a millimetre: more than rounding takes away


class Box(NamedTuple):
    """A part of the globe between two latitudes and two longitudes, in degrees, edges included."""

    south: float
    west: float
    north: float
    east: float


def boxes(latitude: float, longitude: float, radius_m: float) -> list[Box]:
    """Return boxes in which every place within `radius_m` of this one is."""
    angle = radius_m / EARTH_RADIUS_M
    reach = math.degrees(angle) + _SLACK
    south, north = max(latitude - reach, -90.0), min(latitude + reach, 90.0)
    if south == -90 or north == 90:
        return [Box(south, -180.0, north, 180.0)]
    # The meridians that touch the circle; below 1 as long as no pole is in reach.
    width = math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(latitude)))) + _SLACK
    return [Box(south, west, north, east) for west, east in _around(longitude - width, longitude + width)]


def distance_m(near: Near) -> Label[float]:
    """Return the distance of a store from a place in metres, along a great circle (the haversine formula)."""
    north, east = stores.c.latitude - near.latitude, stores.c.longitude - near.longitude
    narrowing = func.cosd(literal(near.latitude, Double)) * func.cosd(stores.c.latitude)
    half_chord = _square(func.sind(north / 2)) + narrowing * _square(func.sind(east / 2))
    distance = 2 * EARTH_RADIUS_M * func.asin(func.sqrt(func.least(1.0, half_chord)), type_=Double)
    return distance.label("distance_m")


def within(near: Near, radius_m: float) -> list[ColumnElement[bool]]:
    """Return the conditions that a store is within `radius_m` of a place, by an index and by distance."""
    found = [PLACE.op("<@")(_corners(box)) for box in boxes(near.latitude, near.longitude, radius_m)]
    return [or_(*found), distance_m(near).element <= radius_m]


def _around(west: float, east: float) -> list[tuple[float, float]]:
    if west < -180:
        return [(west + 360, 180.0), (-180.0, east)]
    if east > 180:
        return [(west, 180.0), (-180.0, east - 360)]
    return [(west, east)]


def _corners(box: Box) -> ColumnElement[Any]:
    return func.box(func.point(box.west, box.south), func.point(box.east, box.north))


def _square(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.power(value, 2)
