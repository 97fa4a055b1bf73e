"""The envelope of every answer with a body: successes, lists and errors."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from shared.errors import FieldError, GeraiError

T = TypeVar("T")

SUCCESS = "Success"


class Envelope(msgspec.Struct, Generic[T], kw_only=True):
    """A successful answer; `status_code` equals the HTTP status."""

    status_code: int = 200
    message: str = SUCCESS
    data: T


class Meta(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where a page stands in its list.

    `total` is exact up to 100,000, of a search up to 10,000, and an estimate above, which
    `total_is_estimate` then says. `capped` says that a search matches more than the 10,000 rows that are
    counted: a narrower one tells more. `page` is absent when the page was reached by cursor.
    """

    page: int | msgspec.UnsetType = msgspec.UNSET
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None
    total_is_estimate: bool = False
    capped: bool = False


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """A successful list answer."""

    status_code: int = 200
    message: str = SUCCESS
    data: list[T]
    meta: Meta


def enveloped(data: bytes) -> bytes:
    """Return the JSON of an `Envelope` around the JSON of its data."""
    return b'{"status_code":200,"message":"Success","data":%b}' % data


def enveloped_page(listing: bytes) -> bytes:
    """Return the JSON of a `Page` made of the JSON object with its data and meta."""
    return b'{"status_code":200,"message":"Success",%b' % listing[1:]


class JsonResponse(Response[Any]):
    """Sends JSON that is encoded already, with status 200.

    Litestar would look for cookies, encoders and defaults of headers: work as long as finding the route.
    """

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(body, headers=headers)
        self._body = body

    def to_asgi_response(self, *_: object, **__: object) -> ASGIResponse:
        """Return what sends it."""
        encoded = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        length = str(len(self._body)).encode()
        return _Encoded(
            self._body, [*encoded, (b"content-type", b"application/json"), (b"content-length", length)]
        )


class _Encoded(ASGIResponse):
    def __init__(self, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        self._body = body
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


class ErrorInfo(msgspec.Struct):
    """What went wrong: a stable code, the trace to quote, and each invalid field."""

    code: str
    trace_id: str
    details: list[FieldError] = []


class ErrorEnvelope(msgspec.Struct):
    """An error answer; `status_code` equals the HTTP status."""

    status_code: int
    message: str
    error: ErrorInfo


def error_envelope(error: GeraiError, trace_id: str) -> ErrorEnvelope:
    """Return the envelope that tells a caller about `error`."""
    return ErrorEnvelope(error.status, error.message, ErrorInfo(error.code, trace_id, list(error.details)))


def error_body(error: GeraiError, trace_id: str) -> bytes:
    """Return the JSON bytes of `error_envelope`."""
    return msgspec.json.encode(error_envelope(error, trace_id))
