"""The request being served, for log lines and outgoing calls."""

import re
from contextvars import ContextVar

import msgspec
from opentelemetry import trace
from uuid_utils import uuid7

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestContext(msgspec.Struct):
    """What is known of the request while it is served.

    `traceparent` is what its outgoing calls carry, None where they carry that of a recorded span.
    """

    request_id: str
    trace_id: str
    traceparent: str | None = None
    tracestate: str = ""


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)
current_request = _current.get
enter_request = _current.set


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
