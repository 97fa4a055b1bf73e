"""A steady load that alternates between both gateways, and what became of each request."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

_WORKERS = 6
_PAUSE_SECONDS = 0.02
_RENAMES = 3


class Load:
    """Workers that make, rename and read stores, and the last that each acknowledged write said."""

    def __init__(self, gateways: list[httpx.AsyncClient], client: str) -> None:
        self.requests = 0
        self.failures: Counter[str] = Counter()
        self.seconds = 0.0
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.going = True
        self._gateways = itertools.cycle(gateways)
        self._client = client

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Have the workers at work during the block, and take the time."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as workers:
            for worker in range(_WORKERS):
                workers.create_task(self.work(worker))
            try:
                yield
            finally:
                self.going = False
        self.seconds = time.monotonic() - began

    async def work(self, worker: int) -> None:
        """Make stores, each renamed and read some times, until the load ends."""
        for number in itertools.count():
            name = f"Store {worker}-{number}"
            body = {"client_uuid": self._client, "code": f"S-{worker}-{number}", "name": name}
            uuid = await self._written("POST", "/v1/stores", body)
            for turn in range(_RENAMES):
                if not self.going:
                    return
                if uuid:
                    await self._written("PATCH", f"/v1/stores/{uuid}", {"name": f"{name} ({turn})"})
                    await self._asked("GET", f"/v1/stores/{uuid}")
                await self._asked("GET", "/v1/stores?limit=5")

    async def lost(self, rows: dict[str, tuple[str, int]]) -> list[str]:
        """Return the stores whose last acknowledged write is not in the database's rows or not read back."""
        found: list[str] = []
        for uuid, written in self.acknowledged.items():
            answer = await next(self._gateways).get(f"/v1/stores/{uuid}")
            read = _said(answer) if answer.is_success else None
            if not read == rows.get(uuid) == written:
                found.append(f"{uuid}: {written} was written, {rows.get(uuid)} is there, {read} is read")
        return found

    async def _written(self, method: str, path: str, body: dict[str, str]) -> str | None:
        answer = await self._asked(method, path, body)
        if answer is None:
            return None
        uuid: str = answer.json()["data"]["uuid"]
        self.acknowledged[uuid] = _said(answer)
        return uuid

    async def _asked(self, method: str, path: str, body: object = None) -> httpx.Response | None:
        """Ask the gateway whose turn it is, once; whatever is no success is counted as a failure."""
        await asyncio.sleep(_PAUSE_SECONDS)
        self.requests += 1
        try:
            answer = await next(self._gateways).request(method, path, json=body)
        except httpx.TransportError as error:
            self.failures[type(error).__name__] += 1
            return None
        if answer.is_success:
            return answer
        self.failures[f"{answer.status_code} {method}"] += 1
        return None


def _said(answer: httpx.Response) -> tuple[str, int]:
    store: dict[str, Any] = answer.json()["data"]
    return store["name"], store["version"]


@asynccontextmanager
async def asking(gateways: list[str], headers: dict[str, str], client: str) -> AsyncGenerator[Load]:
    """Connect a load to the gateways until the block ends."""
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, timeout=30))
            for url in gateways
        ]
        yield Load(opened, client)
