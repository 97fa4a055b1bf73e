import pytest

from shared.errors import InvalidInput
from shared.request import parse_object


def test_an_object_is_read() -> None:
    assert parse_object('{"name": "Café", "n": [1, 2.5, null, true]}'.encode()) == {
        "name": "Café",
        "n": [1, 2.5, None, True],
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'\xef\xbb\xbf{"a": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\x00"}',
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_object(body)


def test_duplicate_keys_are_named() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_object(b'{"a": 1, "b": {"c": 1, "c": 2}}')
    assert [problem.field for problem in raised.value.details] == ["c"]
