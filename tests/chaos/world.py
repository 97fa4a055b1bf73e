"""What experiments do: read and write under load while something is broken, then look at what is left."""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.config import RedisConfig
from tests.support.databases import TestDatabase, connect
from tests.support.history import History, Operation
from tests.support.platform import Platform
from tests.support.proxy import Proxy

logger = logging.getLogger("gerai.chaos")

STORES = 12
READERS, WRITERS = 6, 3
RECOVERY_SECONDS = 15
UNREACHABLE_TOLERANCE = 2.0
"""How old a read may be after a write whose process could not reach Redis within its time limit: dying and
starting processes make a small machine so busy that this happens as well."""

_REFUSED = range(400, 500)


@dataclass
class World:
    """A running platform and everything about it that can be broken.

    `near` lies between Redis and all processes but the second store process, which has `far` to itself;
    `neighbour` between the store processes and the client service. `calm` is a store not written under
    load: a write whose end Redis was not told of keeps its own answers from being cached for half a minute.
    """

    platform: Platform
    near: Proxy
    far: Proxy
    database: Proxy
    neighbour: Proxy
    redis: RedisConfig
    redis_pid: int
    databases: Mapping[str, TestDatabase]
    client: str = ""
    calm: str = ""
    stores: list[str] = field(default_factory=list[str])

    async def prepare(self) -> None:
        """Make a client and its stores."""
        self.client = await self.new_client()
        for number in range(STORES + 1):
            fields = {"client_uuid": self.client, "code": f"S-{number}", "name": "Store"}
            self.stores.append((await self._made("/v1/stores", fields))["uuid"])
        self.calm = self.stores.pop()

    async def new_client(self) -> str:
        """Make a client and return its id."""
        body = {"name": "Client", "email": f"client{random.getrandbits(40)}@example.com"}
        return (await self._made("/v1/master-client", body))["uuid"]

    def heal(self) -> None:
        """Let everything flow again."""
        for proxy in (self.near, self.far, self.database, self.neighbour):
            proxy.heal()

    async def recovered(self) -> float:
        """Wait until a write and a cached read succeed, and return how many seconds that took."""
        began = time.monotonic()
        async with asyncio.timeout(RECOVERY_SECONDS):
            while not (await self._writes() and await self._hits()):
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    @asynccontextmanager
    async def load(self) -> AsyncGenerator["Load"]:
        """Read and write during the block, through the gateway and past it; then check what is left."""
        self.heal()
        await self.recovered()
        load = Load(self, dict(zip(self.stores, await self.versions(), strict=True)))
        tasks = [asyncio.create_task(load.read()) for _ in range(READERS)]
        tasks += [asyncio.create_task(load.write()) for _ in range(WRITERS)]
        try:
            yield load
        finally:
            load.going = False
            self.heal()
            await asyncio.gather(*tasks)
        load.recovery = await self.recovered()
        load.finish(await self.versions())

    async def versions(self) -> list[int]:
        """Return the versions of all stores, as the database knows them."""
        rows = await self.rows("store", "SELECT uuid, version FROM stores WHERE deleted_at IS NULL")
        found = {str(row["uuid"]): int(row["version"]) for row in rows}
        return [found[uuid] for uuid in self.stores]

    async def rows(self, service: str, statement: str) -> list[dict[str, Any]]:
        """Run a statement as the owner of a service's database, past every proxy."""
        connection = await connect(self.databases[service].owner)
        try:
            return [dict(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    async def _made(self, path: str, body: dict[str, str]) -> dict[str, str]:
        answer = await self.platform.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def _writes(self) -> bool:
        body = {"name": f"Client {random.getrandbits(40)}"}
        answers = [await self._tried("PATCH", f"/v1/master-client/{self.client}", body)]
        # A write of a store asks the client service, whose circuit may still be open.
        answers.append(await self._tried("PATCH", f"/v1/stores/{self.calm}", {}))
        return all(each is not None and each.is_success for each in answers)

    async def _hits(self) -> bool:
        for base in ("", self.platform.url("store2")):
            path = f"{base}/v1/stores/{self.calm}"
            answers = [await self._tried("GET", path) for _ in range(2)]
            if not (answers[1] and answers[1].headers.get("x-cache") == "HIT"):
                return False
        return True

    async def _tried(self, method: str, path: str, body: object = None) -> httpx.Response | None:
        try:
            return await self.platform.http.request(method, path, json=body)
        except httpx.TransportError:
            return None


class Load:
    """The readers and writers of one experiment, what they saw, and what was left in the end."""

    def __init__(self, world: World, versions: dict[str, int]) -> None:
        self.history = History()
        self.statuses: Counter[int] = Counter()
        self.latencies: list[tuple[float, float]] = []
        self.final: dict[str, int] = {}
        self.recovery = 0.0
        self.going = True
        self._world = world
        self._first = versions

    async def read(self) -> None:
        """Read stores, by turns through the gateway and from the second store process."""
        turn = 0
        while self.going:
            turn += 1
            key = random.choice(self._world.stores)
            base = self._world.platform.url("store2") if turn % 2 else ""
            with self.history.recorded("read", key) as operation:
                await self._done(operation, "GET", f"{base}/v1/stores/{key}")
            self.latencies.append((operation.began, operation.ended - operation.began))

    async def write(self) -> None:
        """Rename stores through the gateway."""
        while self.going:
            key = random.choice(self._world.stores)
            with self.history.recorded("write", key) as operation:
                body = {"name": f"Store {random.getrandbits(40)}"}
                await self._done(operation, "PATCH", f"/v1/stores/{key}", body)
            await asyncio.sleep(0.01)

    def finish(self, versions: list[int]) -> None:
        """Take the final versions, counted as those of the history are."""
        pairs = zip(self._world.stores, versions, strict=True)
        self.final = {key: version - self._first[key] + 1 for key, version in pairs}

    def check(self, *, tolerance: float = 0.0) -> None:
        """Assert that nothing was lost, made up or doubled, and no read was too old."""
        total = sum(self.statuses.values())
        logger.info("%d answers %s, well after %.1f s", total, dict(self.statuses), self.recovery)
        stale = self.history.stale(tolerance)
        assert not stale, self._told(stale)
        assert self.history.invented() == []
        assert self.history.lost(self.final) == []
        assert self.history.surplus(self.final) == []

    def _told(self, reads: list[Operation]) -> str:
        first = reads[0]
        near = [each for each in self.history.operations if each.key == first.key]
        return "\n".join(map(str, [f"{len(reads)} reads are too old, first of all", first, "among", *near]))

    def percentile(self, share: float, since: float, until: float) -> float:
        """Return a percentile of the reads' latencies that began in a span of time, in milliseconds."""
        found = sorted(seconds for began, seconds in self.latencies if since <= began < until)
        return 1000 * found[min(int(share * len(found)), len(found) - 1)]

    async def _done(self, operation: Operation, method: str, path: str, body: object = None) -> None:
        try:
            answer = await self._world.platform.http.request(method, path, json=body)
        except httpx.TransportError:
            self.statuses[0] += 1
            await asyncio.sleep(0.02)
            return
        self.statuses[answer.status_code] += 1
        if answer.is_success:
            version = answer.json()["data"]["version"] - self._first[operation.key] + 1
            operation.outcome, operation.version = "done", version
        elif answer.status_code in _REFUSED:
            operation.outcome = "refused"
