"""Answers to HTTP requests from what the cache holds."""

from typing import Any

from litestar import MediaType, Response

from shared.cache.status import Cached
from shared.request import JsonRequest
from shared.responses import enveloped, enveloped_page

_BYPASSING = ("no-cache", "no-store")


def wants_fresh(request: JsonRequest) -> bool:
    """Tell whether the caller asks for an answer that is not cached (RFC 9111, section 5.2.1)."""
    return any(
        name == b"cache-control" and any(word in value.decode("latin-1").lower() for word in _BYPASSING)
        for name, value in request.scope["headers"]
    )


def data_response(found: Cached) -> Response[Any]:
    """Answer with the JSON of one thing in the envelope."""
    return _response(enveloped(found.content or b"null"), found)


def page_response(found: Cached) -> Response[Any]:
    """Answer with the JSON of a `Listing` in the envelope."""
    return _response(enveloped_page(found.content or b"{}"), found)


def _response(body: bytes, found: Cached) -> Response[Any]:
    return Response(body, media_type=MediaType.JSON, headers=found.status.headers())
