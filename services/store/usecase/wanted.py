"""What a list of stores is asked for, read and checked."""

from services.store import constants
from services.store.schema import Near, StoreQuery, Wanted
from shared.conversion import to_uuids
from shared.errors import FieldError, InvalidInput


def wanted(query: StoreQuery) -> Wanted:
    """Return what `query` asks for besides plain fields.

    Raises:
        InvalidInput: for each field that has no meaning, or none beside the others.
    """
    problems = _near_problems(query)
    if problems:
        raise InvalidInput(details=problems)
    return Wanted(
        uuids=None if query.uuids is None else to_uuids("uuids", query.uuids),
        near=_near(query),
    )


def _near(query: StoreQuery) -> Near | None:
    if query.near is None or query.radius_m is None:
        return None
    latitude, longitude = _coordinates(query.near)
    return Near(latitude, longitude, query.radius_m)


def _near_problems(query: StoreQuery) -> list[FieldError]:
    problems: list[FieldError] = []
    if query.near is None:
        if query.radius_m is not None:
            problems.append(FieldError("near", constants.NEEDED_TOGETHER.format(other="radius_m")))
        return problems
    if query.radius_m is None:
        problems.append(FieldError("radius_m", constants.NEEDED_TOGETHER.format(other="near")))
    if query.sort is not None:
        problems.append(FieldError("sort", constants.NEAR_HAS_AN_ORDER))
    latitude, longitude = _coordinates(query.near)
    if abs(latitude) > 90:
        problems.append(FieldError("near", constants.LATITUDE_RANGE))
    if abs(longitude) > 180:
        problems.append(FieldError("near", constants.LONGITUDE_RANGE))
    return problems


def _coordinates(text: str) -> tuple[float, float]:
    latitude, _, longitude = text.partition(",")
    return float(latitude), float(longitude)
