"""The route table: which service answers which path, and on what terms."""

import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import unquote_to_bytes

import msgspec

from gateway.constants import ANSWER_SECONDS, MOST_IMPORT_BYTES, MOST_JSON_BYTES

ServiceName = Literal["auth", "client", "store"]


class Route(msgspec.Struct, frozen=True):
    """Paths that begin with the segments of `prefix` go to `service`.

    A public route needs no access token. The service has `seconds` for its answer, and for each piece of
    a streamed one.
    """

    prefix: str
    service: ServiceName
    public: bool = False
    most_body_bytes: int = MOST_JSON_BYTES
    seconds: float = ANSWER_SECONDS


def platform_routes(version_prefix: str) -> list[Route]:
    """Return the routes of the platform; `version_prefix` is SERVICE_ENDPOINT_V."""
    return [
        Route("/.well-known/jwks.json", "auth", public=True),
        Route(f"{version_prefix}/auth/login", "auth", public=True),
        Route(f"{version_prefix}/auth/refresh", "auth", public=True),
        Route(f"{version_prefix}/auth", "auth"),
        Route(f"{version_prefix}/users", "auth"),
        Route(f"{version_prefix}/audit", "auth"),
        Route(f"{version_prefix}/master-client", "client"),
        Route(f"{version_prefix}/master-client/import", "client", most_body_bytes=MOST_IMPORT_BYTES),
        Route(f"{version_prefix}/stores", "store"),
        Route(f"{version_prefix}/stores/import", "store", most_body_bytes=MOST_IMPORT_BYTES),
        Route(f"{version_prefix}/uncached/stores", "store"),
    ]


class RouteTable:
    """Finds the route of a path; the longest prefix wins."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = sorted(routes, key=lambda route: len(route.prefix), reverse=True)
        prefixes = "|".join(f"({re.escape(route.prefix)})" for route in self.routes)
        self._prefixes = re.compile(f"(?:{prefixes})(?:/|\\Z)".encode())

    def find(self, path: bytes) -> Route | None:
        """Return the route of `path`, as it stands in the request line, or None."""
        found = self._prefixes.match(path)
        return self.routes[found.lastindex - 1] if found and found.lastindex else None


_PATH = re.compile(rb"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]++|%[0-9A-Fa-f]{2})*+")
_PLAINEST_PATH = re.compile(rb"(?:/[A-Za-z0-9-]++)++")  # nearly every one
_QUERY = re.compile(rb"[!-~\x80-\xff]*")
_UNSAFE = re.compile(rb"[\x00-\x1f\x7f\\]|(?:^|/)\.{1,2}(?:;[^/]*)?(?:/|$)")


def is_plain_path(path: bytes) -> bool:
    """Tell whether every server reads `path` (RFC 3986, section 3.3) as the same segments.

    False for dot segments, encoded slashes, backslashes and control characters, and for what is no path.
    """
    if _PLAINEST_PATH.fullmatch(path):
        return True
    if not _PATH.fullmatch(path):
        return False
    if b"%" not in path:
        return b"/." not in path or not _UNSAFE.search(path)
    decoded = unquote_to_bytes(path)
    return decoded.count(b"/") == path.count(b"/") and not _UNSAFE.search(decoded)


def is_plain_query(query: bytes) -> bool:
    """Tell whether `query` has no space or control character, with which it could end the request line."""
    return bool(_QUERY.fullmatch(query))
