"""The one handler that turns any error into its envelope."""

import logging
from collections.abc import Callable
from typing import Any, cast

from litestar import Request, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE

from shared.errors import (
    FieldError,
    GeraiError,
    InternalError,
    InvalidInput,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
)
from shared.responses import error_envelope
from shared.telemetry.context import current_trace_id, note_failure
from shared.telemetry.refusals import count_refusal

MOST_BODY_BYTES = 2 * 1024 * 1024

logger = logging.getLogger("gerai.app")


def error_handlers(
    meaning: Callable[[Exception], GeraiError | None],
) -> dict[type[Exception] | int, Callable[[Request[Any, Any, Any], Exception], Response[Any]]]:
    """Return what makes the envelope of any error.

    `meaning` says what a caller is told of an error that is neither ours nor Litestar's, when it knows.
    """

    def render(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        known = _known(error, request) or meaning(error) or InternalError()
        count_refusal(known)
        if known.status >= 500:
            note_failure(error)
            logger.error("%s %s failed: %s", request.method, request.url.path, error, exc_info=error)
        return Response(
            error_envelope(known, current_trace_id()), status_code=known.status, headers=known.headers
        )

    return {Exception: render, HTTPException: render}


def _known(error: Exception, request: Request[Any, Any, Any]) -> GeraiError | None:
    if isinstance(error, GeraiError):
        return error
    if isinstance(error, HTTPException):
        return _from_litestar(error, request)
    return None


def _from_litestar(error: HTTPException, request: Request[Any, Any, Any]) -> GeraiError:
    path = request.scope["path"]
    if isinstance(error, NotFoundException):
        return NotFound(path=path)
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed(method=request.method, path=path, headers=error.headers)
    if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
        return PayloadTooLarge(limit=MOST_BODY_BYTES)
    if isinstance(error, ValidationException):
        return _from_validation(error)
    if isinstance(error, ClientException):
        return MalformedBody(reason="it is not what this endpoint reads")
    return InternalError()


def _from_validation(error: ValidationException) -> GeraiError:
    problems = cast("list[dict[str, str]]", error.extra or [])
    if any(problem.get("key") == "data" for problem in problems):
        return MalformedBody(reason="it is empty")
    details = [FieldError(problem.get("key", ""), problem.get("message", "")) for problem in problems]
    return InvalidInput(details=details)
