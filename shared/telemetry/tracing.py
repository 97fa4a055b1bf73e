"""OpenTelemetry set-up and W3C trace context (https://www.w3.org/TR/trace-context/)."""

import asyncio
import random
import re
from collections.abc import Mapping, MutableMapping
from threading import Thread
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.config import TracingConfig
from shared.telemetry.context import RequestContext, current_request, enter_request
from shared.telemetry.identifiers import AssignedIds
from shared.telemetry.light_spans import LightProvider

MOST_WAITING_SPANS = 4096
"""Spans beyond these are lost while the collector is slow or away; requests are not."""

_SPANS_A_BATCH = 512
_BATCH_MILLISECONDS = 1000
_LAST_EXPORT_SECONDS = 0.5

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


class Parent(NamedTuple):
    """What a caller's traceparent says, in hexadecimal digits."""

    trace_id: bytes
    span_id: bytes
    flags: bytes


def tracer_provider(service: str, config: TracingConfig, version: str, environment: str) -> TracerProvider:
    """Return a provider that exports in batches by OTLP when an endpoint is configured.

    Without an endpoint nothing is recorded, yet every request has a trace id that is passed on. With one, it
    records whatever is begun: `Sampling` decides what is.
    """
    endpoint = config.exporter_otlp_endpoint
    resource = Resource.create(
        {
            "service.name": f"gerai-{service}",
            "service.version": version,
            "deployment.environment.name": environment,
        }
    )
    if endpoint:
        return LightProvider(_export_to(endpoint), resource, AssignedIds())
    return TracerProvider(sampler=ALWAYS_OFF, resource=resource)


def _export_to(endpoint: str) -> BatchSpanProcessor:
    # Imported here because it takes time and most starts export nothing.
    from shared.telemetry.exporter import Exporter  # noqa: PLC0415

    return BatchSpanProcessor(
        Exporter(endpoint),
        max_queue_size=MOST_WAITING_SPANS,
        max_export_batch_size=_SPANS_A_BATCH,
        schedule_delay_millis=_BATCH_MILLISECONDS,
    )


async def flush(provider: TracerProvider) -> None:
    """Export what waits, for a moment: a collector that does not answer must not hold up the stop."""
    ending = Thread(target=provider.shutdown, daemon=True)
    ending.start()
    await asyncio.to_thread(ending.join, _LAST_EXPORT_SECONDS)


def records(provider: TracerProvider) -> bool:
    """Tell whether `provider` may record a span at all."""
    return provider.sampler is not ALWAYS_OFF


def parent_of(headers: Mapping[bytes, bytes]) -> Parent | None:
    """Return the caller's trace context, or None when it sent none that is valid."""
    found = _TRACEPARENT.fullmatch(headers[b"traceparent"]) if b"traceparent" in headers else None
    return Parent(found[1], found[2], found[3]) if found else None


def remote_context(headers: Mapping[bytes, bytes]) -> Context | None:
    """Return the caller's trace context for a span, or None when it sent none."""
    if b"traceparent" not in headers:
        return None
    carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
    return _PROPAGATOR.extract(carrier, Context())


def enter_unrecorded(
    headers: Mapping[bytes, bytes], request_id: str, parent: Parent | None, *, keeps_flags: bool
) -> RequestContext:
    """Continue the caller's trace, or begin one, without a span: a tenth of the cost of one not sampled.

    What follows is told not to record either, unless with `keeps_flags` that is left to the caller.
    """
    digits = f"{random.getrandbits(192):048x}"
    trace_id, span_id, flags, tracestate = digits[:32], digits[32:], "00", ""
    if parent:
        trace_id = parent.trace_id.decode()
        flags = parent.flags.decode() if keeps_flags else "00"
        tracestate = headers.get(b"tracestate", b"").decode("latin-1")
    traceparent = f"00-{trace_id}-{span_id}-{flags}"
    request = RequestContext(request_id, trace_id, span_id, traceparent=traceparent, tracestate=tracestate)
    enter_request(request)
    return request


def inject_trace_context(headers: MutableMapping[str, str]) -> None:
    """Add traceparent and tracestate of the current span, or of the unrecorded request, to `headers`."""
    request = current_request()
    if request is None or request.recorded:
        _PROPAGATOR.inject(headers)
    elif request.traceparent:
        headers["traceparent"] = request.traceparent
        if request.tracestate:
            headers["tracestate"] = request.tracestate
