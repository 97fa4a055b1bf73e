"""Entity tags and the conditions that requests make of them."""

import pytest

from shared.errors import InvalidInput
from shared.preconditions import UNCONDITIONAL, Condition, PreconditionFailed, etag


def condition(value: str | None) -> Condition:
    return Condition("If-Match", value)


def test_a_tag_is_strong_and_covers_each_version() -> None:
    assert etag(3) == '"3"'
    assert etag(3, 5) == '"3-5"'


@pytest.mark.parametrize("value", [None, "*", " * ", '"3"', '"1", "3"', '"1","3" , W/"9"', '"", "3"'])
def test_what_may_go_on(value: str | None) -> None:
    condition(value).require(3)


@pytest.mark.parametrize("value", ['"2"', 'W/"3"', '"3-5"', '"1", "2"', '""', '"03"'])
def test_what_is_stale(value: str) -> None:
    with pytest.raises(PreconditionFailed) as raised:
        condition(value).require(3)
    assert raised.value.headers["ETag"] == '"3"'


@pytest.mark.parametrize(
    "value", ["", "3", '"3', "'3'", '"3" "4"', '"3",', "*, *", 'w/"3"', '"a b"', '*,"3"']
)
def test_what_is_no_condition(value: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        condition(value)
    assert [each.field for each in raised.value.details] == ["If-Match"]


@pytest.mark.parametrize(
    ("value", "named"), [(None, False), ("*", True), ('"3"', True), ('W/"3"', True), ('"2", "4"', False)]
)
def test_a_representation_is_named_weakly(value: str | None, *, named: bool) -> None:
    assert condition(value).names('"3"') is named


def test_without_a_condition_everything_may_go_on() -> None:
    UNCONDITIONAL.require(7)
