"""Distances on a sphere, computed otherwise than the services do: by the angle between vectors."""

import math
import random

Place = tuple[float, float]

CORNERS: list[Place] = [
    (0.0, 0.0), (0.0, 180.0), (0.0, -180.0), (90.0, 0.0), (90.0, 77.7), (-90.0, -180.0), (89.9, 12.0),
    (-89.7, 170.0), (-6.2, 106.8), (-16.8, 179.95), (-16.8, -179.95), (65.0, 180.0), (-45.0, -179.999),
    (84.0, -120.0), (51.5, 0.0),
]  # fmt: skip
"""Where latitudes and longitudes begin, end or meet, and some ordinary places."""


def metres_between(one: Place, other: Place) -> float:
    """Return the distance along a great circle."""
    a, b = _vector(one), _vector(other)
    cross = (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )
    angle = math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True)))
    return 6_371_008.8 * angle


def around(chance: random.Random, centre: Place, radius_m: float) -> Place:
    """Return a place less than `radius_m` away, in any direction."""
    angle, bearing = chance.random() * radius_m / 6_371_008.8, chance.random() * 2 * math.pi
    latitude, longitude = (math.radians(degrees) for degrees in centre)
    sine = math.sin(latitude) * math.cos(angle) + math.cos(latitude) * math.sin(angle) * math.cos(bearing)
    across = math.sin(bearing) * math.sin(angle) * math.cos(latitude)
    east = math.atan2(across, math.cos(angle) - math.sin(latitude) * sine)
    turned = (math.degrees(longitude + east) + 540) % 360 - 180
    return math.degrees(math.asin(max(-1.0, min(1.0, sine)))), turned


def _vector(place: Place) -> tuple[float, float, float]:
    latitude, longitude = (math.radians(degrees) for degrees in place)
    return (
        math.cos(latitude) * math.cos(longitude),
        math.cos(latitude) * math.sin(longitude),
        math.sin(latitude),
    )
