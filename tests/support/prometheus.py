"""What a running Prometheus is asked."""

import asyncio
import math
import time
from typing import Any

import httpx

_POLL_SECONDS = 0.2


class Prometheus:
    """A running Prometheus."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def values(self, expression: str) -> list[float]:
        """Return the values of an expression now, without those that are no numbers.

        Raises:
            ValueError: saying what is wrong with the expression.
        """
        answer = (await self._http.post("/api/v1/query", data={"query": expression})).json()
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        values = [float(series["value"][1]) for series in answer["data"]["result"]]
        return [value for value in values if not math.isnan(value)]

    async def comes_to(self, expression: str, seconds: float = 60) -> None:
        """Wait until an expression has a value that is not 0, and fail when it has none in time."""
        async with asyncio.timeout(seconds):
            while not any(await self.values(expression)):
                await asyncio.sleep(_POLL_SECONDS)

    async def exemplars(self, selector: str) -> set[str]:
        """Return the traces that series of the past hour point to."""
        span = {"start": str(time.time() - 3600), "end": str(time.time())}
        answer = (await self._http.post("/api/v1/query_exemplars", data={"query": selector, **span})).json()
        return {point["labels"]["trace_id"] for series in answer["data"] for point in series["exemplars"]}

    async def rules(self) -> list[str]:
        """Return the names of all rules."""
        return [each["name"] for each in await self._rules()]

    async def failed_rules(self) -> list[str]:
        """Return the rules that were not evaluated yet, or could not be at the last time, and why."""
        rules = await self._rules()
        assert rules
        return [f"{each['name']} {each.get('lastError', '')}" for each in rules if each["health"] != "ok"]

    async def _rules(self) -> list[dict[str, Any]]:
        groups = (await self._http.get("/api/v1/rules")).raise_for_status().json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def down(self) -> list[str]:
        """Return the targets that were not scraped yet, or not at the last attempt, and why."""
        answer = (await self._http.get("/api/v1/targets")).raise_for_status()
        targets = answer.json()["data"]["activeTargets"]
        return [f"{each['scrapeUrl']} {each['lastError']}" for each in targets if each["health"] != "up"]
