"""The envelope of every answer with a body: successes, lists and errors."""

from typing import Generic, TypeVar

import msgspec

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

    `total` is exact up to 100,000 and an estimate above, which `total_is_estimate` then says.
    `page` is absent when the page was reached by cursor.
    """

    page: int | msgspec.UnsetType = msgspec.UNSET
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None
    total_is_estimate: bool = False


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
