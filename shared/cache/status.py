"""What the cache did for an answer, for people (`X-Cache`) and for tools (`Cache-Status`, RFC 9211)."""

from typing import Literal

import msgspec

CACHE_NAME = "gerai"


class CacheStatus(msgspec.Struct, frozen=True):
    """How an answer was found."""

    result: Literal["HIT", "MISS", "BYPASS"]
    parameters: str

    def headers(self) -> dict[str, str]:
        """Return the headers that say so."""
        return {"X-Cache": self.result, "Cache-Status": f"{CACHE_NAME}; {self.parameters}"}


HIT = CacheStatus("HIT", "hit")
STORED = CacheStatus("MISS", "fwd=uri-miss; stored")
NOT_STORED = CacheStatus("MISS", "fwd=uri-miss")
COLLAPSED = CacheStatus("MISS", "fwd=uri-miss; collapsed")
UNAVAILABLE = CacheStatus("BYPASS", "fwd=bypass; detail=unavailable")
NOT_CACHED = CacheStatus("BYPASS", "fwd=bypass")
REQUESTED = CacheStatus("BYPASS", "fwd=request")


class Cached(msgspec.Struct, frozen=True):
    """An answer as JSON, None when there is nothing of that name, and how it was found."""

    content: bytes | None
    status: CacheStatus
