"""Spans in OTLP's protocol buffers (https://opentelemetry.io/docs/specs/otlp/).

The library makes a message of each attribute, which costs more than all else about a span. The usual kind of
span is written as bytes here (https://protobuf.dev/programming-guides/encoding/), the library encodes others.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import starmap

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import SpanFlags
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanKind

_PLAIN = frozenset({str, int, bool})
_KINDS = {kind: b"\x30%c" % (kind.value + 1) for kind in SpanKind}
_KNOWN = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_LOCAL = b"\x85\x01" + _KNOWN.to_bytes(4, "little")
_REMOTE = b"\x85\x01" + (_KNOWN | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK).to_bytes(4, "little")
_NO_STATUS = b"\x7a\x00"


def encoded(spans: Sequence[ReadableSpan]) -> bytes:
    """Return the body of an export of `spans`."""
    usual = defaultdict[tuple[int, int], list[ReadableSpan]](list)
    others: list[ReadableSpan] = []
    for span in spans:
        if _is_usual(span):
            usual[id(span.resource), id(span.instrumentation_scope)].append(span)
        else:
            others.append(span)
    # Messages that are joined are one message, with what is repeated in both.
    return b"".join([*map(_together, usual.values()), encode_spans(others).SerializeToString()])


def _is_usual(span: ReadableSpan) -> bool:
    return (
        span.status.is_unset
        and not span.events
        and not span.links
        and not span.dropped_attributes
        and not (span.context or INVALID_SPAN_CONTEXT).trace_state
        and all(type(value) in _PLAIN for value in (span.attributes or {}).values())
    )


def _together(spans: Sequence[ReadableSpan]) -> bytes:
    """Return spans of one resource and one scope."""
    first = spans[0]
    frame = ReadableSpan(
        "", INVALID_SPAN_CONTEXT, resource=first.resource, instrumentation_scope=first.instrumentation_scope
    )
    resource = encode_spans([frame]).resource_spans[0]
    scope = resource.scope_spans.pop()
    scope.ClearField("spans")
    of_scope = scope.SerializeToString() + b"".join(_field(b"\x12", _encoded(span)) for span in spans)
    return _field(b"\x0a", resource.SerializeToString() + _field(b"\x12", of_scope))


def _encoded(span: ReadableSpan) -> bytes:
    context, parent = span.context or INVALID_SPAN_CONTEXT, span.parent
    return b"".join(
        (
            b"\x0a\x10" + context.trace_id.to_bytes(16, "big"),
            b"\x12\x08" + context.span_id.to_bytes(8, "big"),
            b"\x22\x08" + parent.span_id.to_bytes(8, "big") if parent else b"",
            _field(b"\x2a", span.name.encode(errors="replace")),
            _KINDS[span.kind],
            b"\x39" + (span.start_time or 0).to_bytes(8, "little"),
            b"\x41" + (span.end_time or 0).to_bytes(8, "little"),
            *starmap(_attribute, (span.attributes or {}).items()),
            _NO_STATUS,
            _REMOTE if parent and parent.is_remote else _LOCAL,
        )
    )


@lru_cache(maxsize=4096, typed=True)  # True is 1 to a cache, but not to who reads it
def _attribute(name: str, value: str | int) -> bytes:
    if isinstance(value, str):
        content = _field(b"\x0a", value.encode(errors="replace"))
    else:
        number = AnyValue(bool_value=value) if isinstance(value, bool) else AnyValue(int_value=value)
        content = number.SerializeToString()
    return _field(b"\x4a", _field(b"\x0a", name.encode(errors="replace")) + _field(b"\x12", content))


def _field(tag: bytes, content: bytes) -> bytes:
    length = len(content)
    return b"%b%c%b" % (tag, length, content) if length < 128 else tag + _long(length) + content


def _long(length: int) -> bytes:
    """Return a length above 127 in base 128: the lowest digit first, the high bit on each but the last."""
    digits = bytearray()
    while length > 127:
        digits.append(length & 127 | 128)
        length >>= 7
    return bytes([*digits, length])
