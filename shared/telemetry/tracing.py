"""OpenTelemetry set-up and W3C trace context (https://www.w3.org/TR/trace-context/)."""

import random
import re
from collections.abc import Mapping, MutableMapping

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBasedTraceIdRatio, Sampler
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.config import TracingConfig
from shared.telemetry.context import RequestContext, current_request, enter_request

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")


def tracer_provider(service: str, config: TracingConfig) -> TracerProvider:
    """Return a provider that exports in batches by OTLP when an endpoint is configured.

    Without an endpoint nothing is recorded, yet every request has a trace id that is passed on.
    """
    endpoint = config.exporter_otlp_endpoint
    sampler: Sampler = ParentBasedTraceIdRatio(config.traces_sampler_arg) if endpoint else ALWAYS_OFF
    provider = TracerProvider(sampler=sampler, resource=Resource.create({"service.name": f"gerai-{service}"}))
    if endpoint:
        provider.add_span_processor(_export_to(endpoint))
    return provider


def _export_to(endpoint: str) -> BatchSpanProcessor:
    # Imported here because it takes a quarter of a second and most starts export nothing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5))


def records(provider: TracerProvider) -> bool:
    """Tell whether `provider` may record a span at all."""
    return provider.sampler is not ALWAYS_OFF


def remote_context(headers: Mapping[bytes, bytes]) -> Context | None:
    """Return the caller's trace context, or None when it sent none."""
    carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
    return _PROPAGATOR.extract(carrier, Context()) if "traceparent" in carrier else None


def enter_unrecorded(headers: Mapping[bytes, bytes], request_id: str) -> RequestContext:
    """Continue the caller's trace, or begin one, without a span: a tenth of the cost of one not sampled."""
    digits = f"{random.getrandbits(192):048x}"
    trace_id, span_id, flags, tracestate = digits[:32], digits[32:], "00", ""
    parent = _TRACEPARENT.fullmatch(headers[b"traceparent"]) if b"traceparent" in headers else None
    if parent:
        trace_id, flags = parent[1].decode(), parent[2].decode()
        tracestate = headers.get(b"tracestate", b"").decode("latin-1")
    traceparent = f"00-{trace_id}-{span_id}-{flags}"
    request = RequestContext(request_id, trace_id, traceparent, tracestate)
    enter_request(request)
    return request


def inject_trace_context(headers: MutableMapping[str, str]) -> None:
    """Add traceparent and tracestate of the current span, or of the unrecorded request, to `headers`."""
    request = current_request()
    if request is None or request.traceparent is None:
        _PROPAGATOR.inject(headers)
        return
    headers["traceparent"] = request.traceparent
    if request.tracestate:
        headers["tracestate"] = request.tracestate
