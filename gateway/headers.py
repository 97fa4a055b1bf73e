"""Which headers pass the gateway, and which it sets itself."""

from collections.abc import Iterable
from functools import lru_cache

from shared.deadline import RAW_HEADER as TIME_LIMIT

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

_OWN_OF_REQUEST = HOP_BY_HOP | {
    b"authorization",
    b"content-length",
    b"expect",
    b"host",
    b"traceparent",
    b"tracestate",
    b"x-request-id",
    TIME_LIMIT,
}
OWN_OF_ANSWER = HOP_BY_HOP | {b"date", b"server", b"x-content-type-options", b"x-request-id"}
"""Headers of an answer that are for the gateway alone, or that it sets itself."""

_NOT_HOP_BY_HOP = frozenset({b"", b"close", b"keep-alive"}) | _OWN_OF_REQUEST


def split_request(headers: Iterable[tuple[bytes, bytes]]) -> tuple[RawHeaders, dict[bytes, bytes]]:
    """Return the headers that pass, and those the gateway deals with itself, by name.

    Several of one name are one list, as RFC 9110, section 5.3 combines them.
    """
    passing: RawHeaders = []
    own: dict[bytes, bytes] = {}
    for header in headers:
        name, value = header
        if name in _OWN_OF_REQUEST:
            own[name] = own[name] + b", " + value if name in own else value
        elif not _names_a_caller(name):
            passing.append(header)
    named = _named_by(own[b"connection"]) if b"connection" in own else None
    return ([each for each in passing if each[0] not in named] if named else passing), own


def for_client(headers: RawHeaders, connection: bytes, status: int) -> RawHeaders:
    """Return what goes to the client of an answer's headers, of which OWN_OF_ANSWER are already taken."""
    dropped = _named_by(connection) if connection else frozenset[bytes]()
    if status == 304:  # its length is that of the body it does not have (RFC 9110, section 8.6)
        dropped |= {b"content-length"}
    return [each for each in headers if each[0] not in dropped] if dropped else headers


@lru_cache(maxsize=256)
def _names_a_caller(name: bytes) -> bool:
    # Some servers read X_User as X-User.
    return name.replace(b"_", b"-").startswith(IDENTITY_PREFIXES)


def _named_by(connection: bytes) -> frozenset[bytes]:
    """Return the further headers that a Connection header makes hop-by-hop."""
    return frozenset(each.strip().lower() for each in connection.split(b",")) - _NOT_HOP_BY_HOP
