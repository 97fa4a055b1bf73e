"""Ids of spans: chance's, or those that a request was given before anyone knew that it would be recorded."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

_assigned: ContextVar[tuple[int, int] | None] = ContextVar("assigned_ids", default=None)


class AssignedIds(RandomIdGenerator):
    """Gives spans that are begun within `assigned` its ids, and random ones to all others."""

    def generate_span_id(self) -> int:
        """Return the id of the next span."""
        ids = _assigned.get()
        return ids[1] if ids else super().generate_span_id()

    def generate_trace_id(self) -> int:
        """Return the id of the next trace."""
        ids = _assigned.get()
        return ids[0] if ids else super().generate_trace_id()


@contextmanager
def assigned(trace_id: str, span_id: str) -> Generator[None]:
    """Let the span begun within have these ids, hexadecimal digits."""
    token = _assigned.set((int(trace_id, 16), int(span_id, 16)))
    try:
        yield
    finally:
        _assigned.reset(token)
