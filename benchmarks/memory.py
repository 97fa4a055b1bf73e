"""Resident memory of the four processes, after signing in and a load."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from benchmarks.load import saturate, target
from benchmarks.processes import Stage
from benchmarks.report import Result
from benchmarks.rounds import Plan
from infra.embedded import postgres, redis
from shared.config import RedisConfig, Secret
from tests.support.databases import TestDatabase, migrated
from tests.support.platform import Platform, running

MOST_MEGABYTES = 150
SIGN_INS = 200

_AT_ONCE = 8
_MEGABYTE = 1_000_000


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Run the platform, sign in, load every service through the gateway, and look at each process."""
    with ExitStack() as servers:
        databases = migrated(servers.enter_context(postgres.running(stage.folder / "platform")))
        config = redis_config(servers.enter_context(redis.running(stage.folder)))
        sizes = asyncio.run(_sizes(databases, config, stage.folder, plan))
    return [_result(name, size) for name, size in sizes.items()]


def redis_config(url: str) -> RedisConfig:
    """Return how services reach the Redis at `url`."""
    parts = urlsplit(url)
    password = Secret(str(parts.password))
    return RedisConfig(host=str(parts.hostname), port=int(parts.port or 0), password=password)


async def _sizes(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, folder: Path, plan: Plan
) -> dict[str, int]:
    """Return the resident bytes of each process."""
    async with running(databases, redis_config, folder) as platform:
        plan.say(f"signing in {SIGN_INS} times")
        for _ in range(SIGN_INS // _AT_ONCE):
            await asyncio.gather(*(platform.sign_in() for _ in range(_AT_ONCE)))
        await _load(platform, plan)
        return {
            name: psutil.Process(process.pid).memory_info().rss
            for name, process in platform.processes.items()
        }


async def _load(platform: Platform, plan: Plan) -> None:
    platform.http.headers.update(await platform.sign_in())
    token = platform.http.headers["Authorization"].removeprefix("Bearer ")
    client = await _created(platform, "/v1/master-client", {"name": "Kopi", "email": "kopi@example.com"})
    uuid = client.rpartition("/")[2]
    store = await _created(platform, "/v1/stores", {"client_uuid": uuid, "code": "1", "name": "Menteng"})
    for path in ("/openapi.json", "/v1/auth/me", client, "/v1/master-client", store, "/v1/stores"):
        plan.say(f"loading {path}")
        saturate(target(platform.ports["gateway"], path, (token,)), plan.seconds)


async def _created(platform: Platform, path: str, fields: dict[str, str]) -> str:
    """Create something and return its path."""
    answer = await platform.http.post(path, json=fields)
    answer.raise_for_status()
    return answer.headers["Location"]


def _result(name: str, size: int) -> Result:
    what = f"after {SIGN_INS} sign-ins and load" if name == "auth" else "after load"
    megabytes = size / _MEGABYTE
    goal, met = f"< {MOST_MEGABYTES} MB", megabytes < MOST_MEGABYTES
    return Result(f"memory of {name} {what}", f"{megabytes:.0f} MB", "", "", goal, met)
