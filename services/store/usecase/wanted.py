"""What a list of stores is asked for, read and checked."""

from contextlib import suppress
from datetime import datetime

from services.store import constants
from services.store.schema import Near, StoreQuery, Wanted
from shared.conversion import to_instant, to_uuids
from shared.cursors import carried_by
from shared.errors import FieldError, InvalidInput
from shared.hours.validation import instant_problems


def wanted(query: StoreQuery, now: datetime) -> Wanted:
    """Return what `query` asks for besides plain fields.

    What is open now is what was open when a walk by cursor began.

    Raises:
        InvalidInput: for each field that has no meaning, or none beside the others.
    """
    problems = [*_near_problems(query), *_open_problems(query)]
    if problems:
        raise InvalidInput(details=problems)
    return Wanted(
        uuids=None if query.uuids is None else to_uuids("uuids", query.uuids),
        near=_near(query),
        open_at=_began(query, now) if query.open_now else query.open_at,
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


def _open_problems(query: StoreQuery) -> list[FieldError]:
    problems: list[FieldError] = []
    if query.open_at is not None:
        problems += instant_problems("open_at", query.open_at)
    if query.open_now is False:
        problems.append(FieldError("open_now", constants.OPEN_NOW_IS_TRUE))
    if query.open_now is not None and query.open_at is not None:
        problems.append(FieldError("open_now", constants.ONE_INSTANT))
    return problems


def _began(query: StoreQuery, now: datetime) -> datetime:
    carried = carried_by(query.cursor).get("evaluated_at")
    with suppress(InvalidInput):
        instant = to_instant("cursor", carried)
        if not instant_problems("cursor", instant):
            return instant
    return now


def _coordinates(text: str) -> tuple[float, float]:
    latitude, _, longitude = text.partition(",")
    return float(latitude), float(longitude)
