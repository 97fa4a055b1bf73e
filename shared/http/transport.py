"""httpx over pyreqwest; docs/decisions/0009-httpx-over-pyreqwest.md says why."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import cast

import httpx
from pyreqwest.client import ClientBuilder
from pyreqwest.compatibility.httpx import HttpxTransport
from pyreqwest.exceptions import BodyDecodeError, PyreqwestError, RequestTimeoutError

CONNECT_SECONDS = 0.5
IDLE_SECONDS = 20
"""How long an unused connection is kept: less than the 75 s for which services keep theirs."""

MOST_IDLE = 64

_BROKEN_OFF = "the answer broke off"


class Transport(HttpxTransport):
    """Sends requests; httpx's limit for reading covers a whole exchange, to the end of the answer.

    pyreqwest adds httpx's limits up, lets its own errors through while a body is read, and takes a body that
    breaks off for one that cannot be decoded.
    """

    def __init__(self) -> None:
        super().__init__(
            ClientBuilder()
            .connect_timeout(timedelta(seconds=CONNECT_SECONDS))
            .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
            .pool_max_idle_per_host(MOST_IDLE)
            .follow_redirects(False)  # noqa: FBT003 - its only argument
            .no_proxy()
            .build()
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; raises httpx's errors only."""
        seconds = request.extensions["timeout"]["read"]
        request.extensions = {**request.extensions, "timeout": {"read": seconds}}
        try:
            response = await super().handle_async_request(request)
        except httpx.DecodingError as error:
            if isinstance(error.__cause__, BodyDecodeError):
                raise httpx.RemoteProtocolError(_BROKEN_OFF, request=request) from error
            raise
        except PyreqwestError as error:
            raise _as_httpx(error, request) from error
        response.stream = _Body(cast("httpx.AsyncByteStream", response.stream), request)
        return response


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                yield piece
        except PyreqwestError as error:
            raise _as_httpx(error, self._request) from error

    async def aclose(self) -> None:
        await self._stream.aclose()


def _as_httpx(error: PyreqwestError, request: httpx.Request) -> httpx.RequestError:
    kind = httpx.ReadTimeout if isinstance(error, RequestTimeoutError) else httpx.RemoteProtocolError
    return kind(error.message, request=request)
