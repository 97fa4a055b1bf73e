"""What cached reads are compared with: Litestar and one GET of redis.asyncio with hiredis.

`python -m benchmarks.peers.redis_store PORT REDIS_URL`. It checks no token, measures nothing, and is never
asked whether what it answers is still true.
"""

import sys
from urllib.parse import urlsplit

import uvicorn
from litestar import Litestar, MediaType, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from redis.asyncio import Redis

KEY = "benchmark:{uuid}"


@get("/v1/stores/{uuid:str}")
async def read(uuid: str, state: State) -> Response[bytes]:
    """Return the bytes of one answer."""
    content = await state.redis.get(KEY.format(uuid=uuid))
    if content is None:
        raise NotFoundException
    return Response(content, media_type=MediaType.JSON)


def create_app(url: str) -> Litestar:
    """Return the service that reads from the Redis at `url`."""
    address = urlsplit(url)
    redis = Redis(host=address.hostname or "", port=address.port or 6379, password=address.password)
    state = State({"redis": redis})
    return Litestar([read], state=state, openapi_config=None, logging_config=None)


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
