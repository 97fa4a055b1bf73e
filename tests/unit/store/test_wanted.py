"""What a list of stores may be asked for, and what is told of what has no meaning."""

from datetime import UTC, datetime

import pytest

from services.store.schema import Near, StoreQuery
from services.store.usecase.wanted import wanted
from shared.errors import InvalidInput

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_place_is_read() -> None:
    query = StoreQuery(near="-6.2146, 106.8451", radius_m=500)
    assert wanted(query, NOW).near == Near(-6.2146, 106.8451, 500)


def test_nothing_is_wanted_unless_it_is_asked_for() -> None:
    assert wanted(StoreQuery(), NOW).near is None
    assert wanted(StoreQuery(), NOW).uuids is None
    assert wanted(StoreQuery(uuids=""), NOW).uuids == []


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (StoreQuery(near="0,0"), ["radius_m"]),
        (StoreQuery(radius_m=10), ["near"]),
        (StoreQuery(near="0,0", radius_m=10, sort="-created_at"), ["sort"]),
        (StoreQuery(near="90.1,0", radius_m=10), ["near"]),
        (StoreQuery(near="0,-180.1", radius_m=10), ["near"]),
        (StoreQuery(near="-91,181", sort="name"), ["radius_m", "sort", "near", "near"]),
    ],
    ids=str,
)
def test_each_field_without_a_meaning_is_named(query: StoreQuery, fields: list[str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        wanted(query, NOW)
    assert [problem.field for problem in raised.value.details] == fields
