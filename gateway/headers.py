"""Which headers pass the gateway, and which it sets itself."""

from collections.abc import Iterable

RawHeaders = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""RFC 9110, section 7.6.1; with them go the headers that Connection names."""

_REQUEST_OWN = HOP_BY_HOP | {
    b"authorization",
    b"content-length",
    b"expect",
    b"host",
    b"traceparent",
    b"tracestate",
    b"x-request-id",
}
_ANSWER_OWN = HOP_BY_HOP | {b"date", b"server", b"x-content-type-options", b"x-request-id"}

IDENTITY_PREFIXES = (
    b"x-user",
    b"x-auth",
    b"x-client-uuid",
    b"x-role",
    b"x-principal",
    b"x-forwarded",
    b"x-real-ip",
    b"x-internal",
    b"remote-user",
    b"forwarded",
)
"""Beginnings of headers that say who a caller is: from outside they are never believed, never passed on."""

_NAMES_NOTHING = frozenset({b"", b"close", b"keep-alive"})


def split_request(headers: Iterable[tuple[bytes, bytes]]) -> tuple[RawHeaders, dict[bytes, bytes]]:
    """Return the headers that pass, and those the gateway deals with itself, by name.

    Several of one name are one list, as RFC 9110, section 5.3 combines them.
    """
    passing: RawHeaders = []
    own: dict[bytes, bytes] = {}
    for header in headers:
        name = header[0]
        if name in _REQUEST_OWN:
            own[name] = own[name] + b", " + header[1] if name in own else header[1]
        elif not _names_a_caller(name):
            passing.append(header)
    named = _named_by_connection(own.get(b"connection", b""))
    return ([each for each in passing if each[0] not in named] if named else passing), own


def passing_answer(headers: RawHeaders, status: int) -> RawHeaders:
    """Return the headers of a service's answer that go to the client."""
    connection = b",".join(value for name, value in headers if name == b"connection")
    dropped = _ANSWER_OWN | _named_by_connection(connection)
    if status == 304:  # its length is that of the body it does not have (RFC 9110, section 8.6)
        dropped |= {b"content-length"}
    return [header for header in headers if header[0] not in dropped]


def ends_with_connection(headers: RawHeaders) -> bool:
    """Tell whether a body is as long as its connection lasts (RFC 9112, section 6.3)."""
    return not any(name in {b"content-length", b"transfer-encoding"} for name, _ in headers)


def content_length(headers: RawHeaders) -> int | None:
    """Return the length that `headers` announce, if they do; the parser has checked that it is a number."""
    return next((int(value) for name, value in headers if name == b"content-length"), None)


def _names_a_caller(name: bytes) -> bool:
    # Some servers read X_User as X-User.
    return (name.replace(b"_", b"-") if b"_" in name else name).startswith(IDENTITY_PREFIXES)


def _named_by_connection(value: bytes) -> frozenset[bytes]:
    if value.lower() in _NAMES_NOTHING:
        return frozenset()
    names = {each.strip().lower() for each in value.split(b",")}
    return frozenset(names - _NAMES_NOTHING - {b"content-length"})
