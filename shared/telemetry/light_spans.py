"""OpenTelemetry's tracer and span (https://opentelemetry.io/docs/specs/otel/trace/api/) for little time.

The SDK's span locks, checks, copies and bounds whatever is noted, because anybody may note anything. Ours is
filled by a few lines of our own, in one task. Spans with links, and all batching, stay the SDK's.
"""
# ruff: noqa: FBT001, FBT002, PLR0913, PLR0917 - OpenTelemetry's signatures

import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer
from opentelemetry.util.types import Attributes, AttributeValue

_UNSET = Status(StatusCode.UNSET)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SAMPLED_RANDOM = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)


class LightProvider(TracerProvider):
    """Records whatever is begun, and hands it to one processor."""

    def __init__(self, processor: SpanProcessor, resource: Resource, ids: IdGenerator) -> None:
        super().__init__(sampler=ALWAYS_ON, resource=resource, id_generator=ids)
        self.add_span_processor(processor)
        self.processor = processor
        self._light: dict[InstrumentationScope, Tracer] = {}

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """Return the tracer of a part of this process, always the same one."""
        naming = instrumenting_module_name, instrumenting_library_version or "", schema_url, attributes
        scope = InstrumentationScope(*naming)
        full = super().get_tracer(*naming)
        return self._light.setdefault(scope, _Tracer(self, scope, full))


class _Tracer(Tracer):
    def __init__(self, provider: LightProvider, scope: InstrumentationScope, full: Tracer) -> None:
        self.provider = provider
        self.scope = scope
        self._full = full

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        if links:
            told = record_exception, set_status_on_exception
            return self._full.start_span(name, context, kind, attributes, links, start_time, *told)
        parent = trace.get_current_span(context).get_span_context()
        known = parent if parent.is_valid else None
        return _Span(self, name, kind, self._ids(known), known, attributes, start_time or time.time_ns())

    def start_as_current_span(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - another's signature
        return self._full.start_as_current_span(*arguments, **named)

    def _ids(self, parent: SpanContext | None) -> SpanContext:
        """Return the ids of a span, with what the flags say of its trace's: whether it is chance's."""
        ids = self.provider.id_generator
        trace_id = parent.trace_id if parent else ids.generate_trace_id()
        random = parent.trace_flags.random_trace_id if parent else ids.is_trace_id_random()
        return SpanContext(
            trace_id,
            ids.generate_span_id(),
            is_remote=False,
            trace_flags=_SAMPLED_RANDOM if random else _SAMPLED,
            trace_state=parent.trace_state if parent else None,
        )


class _Span(Span):
    def __init__(
        self,
        tracer: _Tracer,
        name: str,
        kind: SpanKind,
        context: SpanContext,
        parent: SpanContext | None,
        attributes: Attributes,
        start_time: int,
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._kind = kind
        self._context = context
        self._parent = parent
        self._attributes: dict[str, AttributeValue] = {**attributes} if attributes else {}
        self._start_time = start_time
        self._events: tuple[Event, ...] = ()
        self._status = _UNSET
        self._recording = True

    def get_span_context(self) -> SpanContext:
        return self._context

    def is_recording(self) -> bool:
        return self._recording

    def update_name(self, name: str) -> None:
        self._name = name

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self._attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self._attributes.update(attributes)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self._status = status if isinstance(status, Status) else Status(status, description)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        self._events += (Event(name, attributes, timestamp),)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        told: dict[str, AttributeValue] = {
            "exception.type": _full_name(type(exception)),
            "exception.message": str(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        if not self._recording:
            return
        self._recording = False
        # The exporter's thread reads what was noted: what comes late is noted elsewhere, for nobody.
        attributes, self._attributes = self._attributes, {}
        provider = self._tracer.provider
        ended = ReadableSpan(
            self._name,
            self._context,
            self._parent,
            provider.resource,
            attributes,
            self._events,
            kind=self._kind,
            status=self._status,
            start_time=self._start_time,
            end_time=end_time or time.time_ns(),
            instrumentation_scope=self._tracer.scope,
        )
        provider.processor.on_end(ended)


def _full_name(kind: type[BaseException]) -> str:
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"
