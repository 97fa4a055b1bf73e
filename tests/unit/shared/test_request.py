import json
from typing import Any, cast

import msgspec
import pytest
from litestar import Litestar, post
from litestar.params import JSONBody
from litestar.types import Message

from shared.error_handling import error_handlers
from shared.errors import InvalidInput
from shared.request import JsonRequest, parse_object


def test_an_object_is_read() -> None:
    assert parse_object('{"name": "Café", "n": [1, 2.5, null, true]}'.encode()) == {
        "name": "Café",
        "n": [1, 2.5, None, True],
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"a": 1}{',
        b'{"a": {"b": 1}',
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


@pytest.mark.parametrize(
    "body",
    [
        '{"a": "9:00", "b": {"c": [1, {}]}, "d": 1.0, "e": -0, "f": 1e5}',
        '{"a": "\\u00e9", "é": "ü", "b": 123456789012345678901234567890, "c": 0.12345678901234567890}',
        ' {"a" :  "\\\\", "": null} \n',
        "{}",
    ],
)
def test_an_object_is_what_the_standard_library_reads(body: str) -> None:
    found, expected = parse_object(body.encode()), json.loads(body)
    assert repr(found) == repr(expected)


def test_a_key_that_is_there_twice_beside_few_colons_is_named() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_object(b'{"a": 1, "b": 2, "a": 1}')
    assert [problem.field for problem in raised.value.details] == ["a"]


def test_duplicate_keys_are_named() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_object(b'{"a": 1, "b": {"c": 1, "c": 2}}')
    assert [problem.field for problem in raised.value.details] == ["c"]


class Named(msgspec.Struct):
    name: str


@post("/")
async def read(data: JSONBody[Named]) -> None:
    del data


async def test_a_caller_that_leaves_within_its_body_is_no_failure_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Litestar(
        [read],
        request_class=JsonRequest,
        exception_handlers=error_handlers(lambda _: None),
        openapi_config=None,
    )
    arriving: list[dict[str, object]] = [
        {"type": "http.request", "body": b'{"name', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Message:
        return cast("Message", arriving.pop(0))

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await app(cast("Any", scope), cast("Any", receive), send)
    assert sent[0]["status"] == 400
    assert not caplog.records
