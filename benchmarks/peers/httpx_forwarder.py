"""What the gateway is compared with: a plain forwarder of Litestar and one shared httpx.AsyncClient.

`python -m benchmarks.peers.httpx_forwarder PORT UPSTREAM_URL`. It checks no token and measures nothing.
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from litestar import Litestar, Request, Response, route
from litestar.datastructures import State

_NOT_FORWARDED = {"connection", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
_SET_BY_LITESTAR = _NOT_FORWARDED | {"content-length", "content-encoding", "date", "server"}


@route("/{path:path}", http_method=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def forward(request: Request[Any, Any, State], state: State) -> Response[bytes]:
    """Send the request on, and its answer back."""
    headers = [(name, value) for name, value in request.headers.items() if name not in _NOT_FORWARDED]
    answer = await state.client.request(
        request.method,
        request.url.path,
        params=request.url.query or None,
        headers=headers,
        content=await request.body(),
    )
    passing = {name: value for name, value in answer.headers.items() if name not in _SET_BY_LITESTAR}
    return Response(answer.content, status_code=answer.status_code, headers=passing)


def create_app(upstream: str) -> Litestar:
    """Return the forwarder to `upstream`."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        async with httpx.AsyncClient(base_url=upstream) as client:
            app.state.client = client
            yield

    return Litestar([forward], lifespan=[lifespan], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    uvicorn.run(
        create_app(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
    )
