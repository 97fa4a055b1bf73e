"""OpenTelemetry set-up and W3C trace context (https://www.w3.org/TR/trace-context/)."""

from collections.abc import Iterable, MutableMapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBasedTraceIdRatio, Sampler
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.config import TracingConfig

_PROPAGATOR = TraceContextTextMapPropagator()


def tracer_provider(service: str, config: TracingConfig) -> TracerProvider:
    """Return a provider that exports in batches by OTLP when an endpoint is configured.

    Without an endpoint nothing is recorded, yet every request has a trace id that is passed on.
    """
    endpoint = config.exporter_otlp_endpoint
    sampler: Sampler = ParentBasedTraceIdRatio(config.traces_sampler_arg) if endpoint else ALWAYS_OFF
    provider = TracerProvider(sampler=sampler, resource=Resource.create({"service.name": f"gerai-{service}"}))
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def remote_context(headers: Iterable[tuple[bytes, bytes]]) -> Context | None:
    """Return the caller's trace context from ASGI headers, or None when it sent none."""
    carrier = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in headers
        if name in {b"traceparent", b"tracestate"}
    }
    return _PROPAGATOR.extract(carrier, Context()) if "traceparent" in carrier else None


def inject_trace_context(headers: MutableMapping[str, str]) -> None:
    """Add the current span's traceparent and tracestate to outgoing `headers`."""
    _PROPAGATOR.inject(headers)
