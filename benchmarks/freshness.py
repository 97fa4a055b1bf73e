"""How many reads the cache answers, whether any is old, and how soon other services learn of a change."""

import asyncio
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from benchmarks import outage
from benchmarks.load import target
from benchmarks.machine import bound_to
from benchmarks.memory import redis_config
from benchmarks.processes import Stage
from benchmarks.report import Result
from benchmarks.rounds import Plan
from infra.embedded import postgres, redis
from shared.config import RedisConfig
from shared.http.transport import Transport
from tests.support.databases import TestDatabase, migrated
from tests.support.platform import running

STORES = 1000
WRITE_SHARE = 0.01
LEAST_HITS = 0.95
MOST_DELAY_MILLISECONDS = 100

_WORKERS = 16
_CLIENTS = 16
_READ_ROUNDS_SECONDS = 10
_CAPACITY_SECONDS = 3
_DELAY_SECONDS = 6
_POLL_SECONDS = 0.004

Json = dict[str, Any]


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Run the platform; read and write stores, then change clients and watch their stores' answers."""
    everywhere = frozenset({plan.core}) | frozenset(os.sched_getaffinity(0))
    with bound_to(everywhere), ExitStack() as servers:
        databases = migrated(servers.enter_context(postgres.running(stage.folder / "platform")))
        config = redis_config(servers.enter_context(redis.running(stage.folder)))
        return asyncio.run(_measured(databases, config, stage.folder, plan))


async def _measured(
    databases: dict[str, TestDatabase], config: RedisConfig, folder: Path, plan: Plan
) -> list[Result]:
    async with (
        running(databases, config, folder) as platform,
        httpx.AsyncClient(base_url=platform.url("gateway"), transport=Transport()) as http,
    ):
        http.headers.update(await platform.sign_in())
        clients = await _made(http, "/v1/master-client", _CLIENTS, _client)
        plan.say(f"creating {STORES} stores")
        owners = itertools.cycle(client["uuid"] for client in clients)
        stores = await _made(http, "/v1/stores", STORES, lambda number: _store(number, next(owners)))
        plan.say("reading, with one write in a hundred")
        reading = await _Reading(http, stores, plan.say).run()
        plan.say("changing clients")
        delay = await _delay(http, clients, stores, plan)
        plan.say("reading while Redis is frozen")
        token = http.headers["Authorization"].removeprefix("Bearer ")
        read = target(platform.ports["gateway"], f"/v1/stores/{stores[0]['uuid']}", (token,))
        return [*reading, delay, outage.measure(read, outage.process_id(folder), plan)]


def _client(number: int) -> Json:
    return {"name": f"Client {number}", "email": f"client{number}@example.com"}


def _store(number: int, owner: str) -> Json:
    return {"client_uuid": owner, "code": f"S-{number}", "name": "Store 0", "city": "Bandung"}


async def _made(http: httpx.AsyncClient, path: str, count: int, body: Callable[[int], Json]) -> list[Json]:
    made: list[Json] = []

    async def worker(numbers: Iterator[int]) -> None:
        for number in numbers:
            answer = await http.post(path, json=body(number))
            answer.raise_for_status()
            made.append(answer.json()["data"])

    numbers = iter(range(count))
    await asyncio.gather(*(worker(numbers) for _ in range(_WORKERS)))
    return made


class _Reading:
    """Readers that prefer some stores to others as Zipf's law has it, and now and then change one."""

    def __init__(self, http: httpx.AsyncClient, stores: list[Json], say: Callable[[str], None]) -> None:
        self._http = http
        self._say = say
        self._uuids = [store["uuid"] for store in stores]
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, len(stores) + 1)))
        self._acknowledged: Counter[str] = Counter()
        self._results: Counter[str] = Counter()
        self._stale = 0

    async def run(self) -> list[Result]:
        """Read every store once, then as often as possible for some seconds."""
        for uuid in self._uuids:
            await self._read(uuid)
        self._results.clear()
        until = time.monotonic() + _READ_ROUNDS_SECONDS
        await asyncio.gather(*(self._work(until) for _ in range(_WORKERS)))
        reads = self._results.total()
        hits = self._results["HIT"] / reads
        self._say(f"{dict(self._results)}")
        what = f"of {reads:,} reads of {len(self._uuids):,} stores (Zipf), 1% writes"
        return [
            Result(f"hits {what}", f"{hits:.1%}", "", "", f"> {LEAST_HITS:.0%}", hits > LEAST_HITS),
            Result(f"stale answers {what}", str(self._stale), "", "", "0", self._stale == 0),
        ]

    async def _work(self, until: float) -> None:
        while time.monotonic() < until:
            (uuid,) = random.choices(self._uuids, cum_weights=self._weights)
            await (self._write(uuid) if random.random() < WRITE_SHARE else self._read(uuid))

    async def _read(self, uuid: str) -> None:
        known = self._acknowledged[uuid]
        answer = await self._http.get(f"/v1/stores/{uuid}")
        answer.raise_for_status()
        self._results[answer.headers["X-Cache"]] += 1
        self._stale += answer.json()["data"]["version"] < known

    async def _write(self, uuid: str) -> None:
        body = {"name": f"Store {random.getrandbits(32)}"}
        answer = await self._http.patch(f"/v1/stores/{uuid}", json=body)
        answer.raise_for_status()
        version = answer.json()["data"]["version"]
        self._acknowledged[uuid] = max(self._acknowledged[uuid], version)


async def _delay(http: httpx.AsyncClient, clients: list[Json], stores: list[Json], plan: Plan) -> Result:
    """Change clients at half the rate that is possible, and see when a store of theirs shows it."""
    store_of = {store["client_uuid"]: store["uuid"] for store in stores}
    capacity = await _capacity(http, clients)
    plan.say(f"{capacity:,.0f} changes of clients a second are possible; half of that now")
    delays: list[float] = []
    watching = asyncio.create_task(_watch(http, clients[-1]["uuid"], store_of, delays))
    await _at_rate(capacity / 2, lambda number: _rename(http, clients[number % (_CLIENTS - 1)]["uuid"]))
    watching.cancel()
    await asyncio.wait([watching])
    delays.sort()
    worst = 1000 * delays[min(int(len(delays) * 0.99), len(delays) - 1)]
    return Result(
        f"99th percentile from a change of a client to its store's answer, at {capacity / 2:,.0f} changes/s",
        f"{worst:.0f} ms",
        f"median {1000 * delays[len(delays) // 2]:.0f} ms of {len(delays)}",
        "",
        f"< {MOST_DELAY_MILLISECONDS} ms",
        worst < MOST_DELAY_MILLISECONDS,
    )


async def _rename(http: httpx.AsyncClient, uuid: str) -> int:
    answer = await http.patch(f"/v1/master-client/{uuid}", json={"name": f"Client {random.getrandbits(32)}"})
    answer.raise_for_status()
    return answer.json()["data"]["version"]


async def _capacity(http: httpx.AsyncClient, clients: list[Json]) -> float:
    done = 0
    until = time.monotonic() + _CAPACITY_SECONDS

    async def work(uuid: str) -> None:
        nonlocal done
        while time.monotonic() < until:
            await _rename(http, uuid)
            done += 1

    await asyncio.gather(*(work(client["uuid"]) for client in clients))
    return done / _CAPACITY_SECONDS


async def _at_rate(rate: float, action: Callable[[int], Awaitable[object]]) -> None:
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(rate * _DELAY_SECONDS)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.create_task(_awaited(action(number)))


async def _awaited(action: Awaitable[object]) -> None:
    await action


async def _watch(http: httpx.AsyncClient, uuid: str, store_of: dict[str, str], delays: list[float]) -> None:
    """Change one client again and again, each time until its store shows the new version."""
    while True:
        version = await _rename(http, uuid)
        began = time.monotonic()
        shown = 0
        while shown < version:
            await asyncio.sleep(_POLL_SECONDS)
            answer = await http.get(f"/v1/stores/{store_of[uuid]}", params={"include": "client"})
            shown = answer.json()["data"]["client"]["version"]
        delays.append(time.monotonic() - began)
