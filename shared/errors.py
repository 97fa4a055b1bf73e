"""Errors that reach a caller.

Each class carries its HTTP status, a stable machine-readable code and a message template::

    GeraiError
    ├── InvalidInput 400          ├── Conflict 409               ├── InternalError 500
    ├── Unauthenticated 401       ├── PayloadTooLarge 413        ├── BadGateway 502
    ├── Forbidden 403             ├── UnsupportedMediaType 415   ├── ServiceUnavailable 503
    ├── NotFound 404              └── TooManyRequests 429        └── GatewayTimeout 504
    └── MethodNotAllowed 405

A service subclasses these with its own code and template; `shared.app` renders every one of them.

After a status from 500 on, nobody knows what became of a request that changes something: the answer may have
been lost, and not what it tells of. The messages of those that a caller meets say how to repeat it safely.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

REPEAT = "Try again; repeat a creation with the same Idempotency-Key, as it may have been made."
"""What to do about an answer that is missing."""


class FieldError(msgspec.Struct, frozen=True):
    """One invalid field of a request and what is wrong with it."""

    field: str
    message: str


class GeraiError(Exception):
    """An error with a status, a code and a message filled from `context`.

    `details` names each invalid field; `headers` are added to the response.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    template: ClassVar[str] = (
        "Something went wrong on our side. Try again, and report the trace id if it stays."
    )
    default_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        *,
        details: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **context: object,
    ) -> None:
        self.message = self.template.format(**context)
        self.details = tuple(details)
        self.headers = {**self.default_headers, **(headers or {})}
        super().__init__(self.message)


class InternalError(GeraiError):
    """The fault is ours; nothing internal is shown."""


class InvalidInput(GeraiError):
    """The request is malformed or a field of it is invalid."""

    status = 400
    code = "INVALID_INPUT"
    template = "The request is not valid. See details for each field."


class MalformedBody(InvalidInput):
    """The body cannot be read as what it claims to be."""

    code = "MALFORMED_BODY"
    template = "The request body cannot be read: {reason}."


class Unauthenticated(GeraiError):
    """There is no token, or it is not valid (RFC 6750)."""

    status = 401
    code = "UNAUTHENTICATED"
    template = "Sign in first: {reason}."
    default_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(GeraiError):
    """The caller is known but may not do this."""

    status = 403
    code = "FORBIDDEN"
    template = "Your role does not allow this action."


class NotFound(GeraiError):
    """Nothing is at this path."""

    status = 404
    code = "NOT_FOUND"
    template = "Nothing is at {path}. The available endpoints are listed at /swagger/index.html."


class MethodNotAllowed(GeraiError):
    """The path exists; the method does not."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    template = "{method} is not available at {path}."


class Conflict(GeraiError):
    """The request contradicts the current state."""

    status = 409
    code = "CONFLICT"
    template = "The request conflicts with the current state of the resource."


class PayloadTooLarge(GeraiError):
    """The body exceeds what this endpoint accepts."""

    status = 413
    code = "PAYLOAD_TOO_LARGE"
    template = "The request body is larger than the {limit} bytes accepted here."


class UnsupportedMediaType(GeraiError):
    """The body is of another content type than the endpoint reads."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"
    template = "Send the body as {accepted}."


class TooManyRequests(GeraiError):
    """The caller has to wait for the seconds in Retry-After."""

    status = 429
    code = "TOO_MANY_REQUESTS"
    template = "Too many requests. Try again in {seconds} seconds."

    def __init__(self, *, seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(seconds)}, seconds=seconds)


class BadGateway(GeraiError):
    """A neighbour answered with something that cannot be used."""

    status = 502
    code = "BAD_GATEWAY"
    template = "The {service} service gave an answer that cannot be used. " + REPEAT


class ServiceUnavailable(GeraiError):
    """Something this answer needs is not available now."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    template = "The {service} service is not available. Wait a moment. " + REPEAT
    default_headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class GatewayTimeout(GeraiError):
    """A neighbour did not answer in time."""

    status = 504
    code = "GATEWAY_TIMEOUT"
    template = "The {service} service did not answer in time. " + REPEAT
    default_headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}
