"""Stores are created while something is broken; then it is seen what came of each."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.identifiers import new_uuid
from tests.chaos.world import World

CREATORS = 12

_CLIENT_MISSING = "The client service "


@dataclass
class Creation:
    """A store that was asked for, and the latest answer; every second one with an Idempotency-Key."""

    body: dict[str, str]
    key: str | None
    answer: httpx.Response | None = None
    seconds: float = 0.0

    @property
    def made(self) -> str | None:
        """The id of the store that the answer says was made."""
        if self.answer is None or self.answer.status_code != 201:
            return None
        return self.answer.json()["data"]["uuid"]

    @property
    def refused(self) -> bool:
        """Tell whether the answer says that no store was made.

        Whoever is answered 5xx does not know, unless it was the client that could not be asked for: that
        comes before anything is written.
        """
        if self.answer is None or self.answer.status_code < 400:
            return False
        return self.answer.status_code < 500 or self.answer.json()["message"].startswith(_CLIENT_MISSING)

    async def ask(self, http: httpx.AsyncClient) -> None:
        """Send it, or send it again."""
        headers = {"Idempotency-Key": self.key} if self.key else {}
        began = time.monotonic()
        self.answer = await http.post("/v1/stores", json=self.body, headers=headers)
        self.seconds = max(self.seconds, time.monotonic() - began)


@dataclass
class Creations:
    """What was asked for by all creators of one experiment."""

    world: World
    client: str
    asked: list[Creation] = field(default_factory=list[Creation])
    going: bool = True
    prefix: str = field(default_factory=lambda: f"{random.getrandbits(40):x}")

    async def create(self) -> None:
        """Ask for one store after the other."""
        while self.going:
            number = len(self.asked)
            body = {"client_uuid": self.client, "code": f"{self.prefix}-{number}", "name": "Store"}
            creation = Creation(body, str(new_uuid()) if number % 2 else None)
            self.asked.append(creation)
            await creation.ask(self.world.platform.http)
            await asyncio.sleep(0.01)

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was answered."""
        return Counter(each.answer.status_code for each in self.asked if each.answer)

    @property
    def made(self) -> dict[str, str]:
        """The stores that were acknowledged, by code."""
        return {each.body["code"]: each.made for each in self.asked if each.made}

    @property
    def refused(self) -> set[str]:
        """The codes of which it was said that there is no store."""
        return {each.body["code"] for each in self.asked if each.refused}

    async def found(self) -> dict[str, str]:
        """Return the stores that there are, by code; each was recorded as created once."""
        rows = await self._rows("SELECT code, uuid::text AS uuid FROM stores WHERE deleted_at IS NULL AND")
        recorded = await self._rows(
            "SELECT after ->> 'code' AS code, aggregate_id FROM changes WHERE type = 'store.created' AND",
            "after ->> 'code'",
        )
        assert len({row["code"] for row in recorded}) == len(recorded)
        return {row["code"]: row["uuid"] for row in rows}

    async def _rows(self, question: str, code: str = "code") -> list[dict[str, Any]]:
        return await self.world.rows("store", f"{question} {code} LIKE '{self.prefix}-%'")


@asynccontextmanager
async def creating(world: World, client: str = "") -> AsyncGenerator[Creations]:
    """Create stores during the block; wait for every answer at its end."""
    creations = Creations(world, client or world.client)
    tasks = [asyncio.create_task(creations.create()) for _ in range(CREATORS)]
    try:
        yield creations
    finally:
        creations.going = False
        world.heal()
        await asyncio.gather(*tasks)
