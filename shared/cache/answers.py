"""Answers to HTTP requests from what the cache holds."""

from typing import Any

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from shared.cache.status import Cached
from shared.preconditions import content_etag, etag, if_none_match, not_modified
from shared.request import JsonRequest
from shared.responses import JsonResponse, enveloped, enveloped_page

_BYPASSING = ("no-cache", "no-store")


def wants_fresh(request: JsonRequest) -> bool:
    """Tell whether the caller asks for an answer that is not cached (RFC 9111, section 5.2.1)."""
    directives = request.header(b"cache-control")
    return directives is not None and any(word in directives.lower() for word in _BYPASSING)


def data_response(request: JsonRequest, found: Cached, tag: str | None = None) -> Response[Any]:
    """Answer with the JSON of one thing in the envelope, or with 304 when the caller has it.

    Its entity tag is `tag`, without one that of its version.
    """
    content = found.content or b"null"
    tag = tag or _tag_of(content)
    headers = found.status.headers() | {"ETag": tag}
    if if_none_match(request).names(tag):
        return not_modified(tag, headers)
    return JsonResponse(enveloped(content), headers)


def plain_response(request: JsonRequest, found: Cached, media_type: str) -> Response[Any]:
    """Answer with JSON of a kind that has no envelope, or with 304 when the caller has it."""
    content = found.content or b"null"
    tag = content_etag(content)
    headers = found.status.headers() | {"ETag": tag}
    if if_none_match(request).names(tag):
        return not_modified(tag, headers)
    return Response(content, media_type=media_type, headers=headers)


def page_response(found: Cached) -> Response[Any]:
    """Answer with the JSON of a `Listing` in the envelope."""
    return JsonResponse(enveloped_page(found.content or b"{}"), found.status.headers())


class _Part(msgspec.Struct):
    version: int


class _Whole(msgspec.Struct):
    """What decides how something is shown: its version, and its client's when that is shown with it."""

    version: int
    client: _Part | UnsetType | None = UNSET


def _tag_of(content: bytes) -> str:
    whole = msgspec.json.decode(content, type=_Whole)
    if whole.client is UNSET:
        return etag(whole.version)
    return etag(whole.version, whole.client.version if whole.client else 0)
