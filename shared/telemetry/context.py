"""The request being served, for log lines, spans and outgoing calls."""

import re
from contextvars import ContextVar
from uuid import UUID

import msgspec
from opentelemetry import trace
from uuid_utils import uuid7

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestContext(msgspec.Struct):
    """What is known of the request while it is served.

    Where it is `recorded` there is a span of it, which outgoing calls carry; else they carry `traceparent`.
    `user` and `tenant` are those of its token, once that is verified; `failure` is why it is answered with a
    5xx.
    """

    request_id: str
    trace_id: str
    span_id: str = ""
    recorded: bool = False
    traceparent: str | None = None
    tracestate: str = ""
    user: str | None = None
    tenant: UUID | None = None
    failure: BaseException | None = None


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)
current_request = _current.get
enter_request = _current.set


def is_recorded() -> bool:
    """Tell whether spans of what is done now are recorded."""
    request = _current.get()
    return request is not None and request.recorded


def note_user(user: str, tenant: UUID | None) -> None:
    """Note whose token the request being served has."""
    request = _current.get()
    if request:
        request.user, request.tenant = user, tenant


def note_failure(error: BaseException) -> None:
    """Note why the request being served is answered with a 5xx."""
    request = _current.get()
    if request:
        request.failure = error


def request_id_from(header: bytes | None) -> str:
    """Return the caller's request id where it is sane, else a new one."""
    text = header.decode("latin-1") if header else ""
    return text if text and _SANE_REQUEST_ID.fullmatch(text) else str(uuid7())


def current_trace_id() -> str:
    """Return the trace id of the request, or else of the current span, 32 hexadecimal digits."""
    request = _current.get()
    if request:
        return request.trace_id
    return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)
