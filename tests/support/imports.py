"""Imports as tests start them and wait for them."""

import asyncio
import csv
import io
from collections.abc import Mapping, Sequence
from uuid import UUID

import httpx
import msgspec

from tests.support.resource import Json, Resource

CSV, NDJSON = "text/csv", "application/x-ndjson"
_LIMIT_SECONDS = 30


class Importer:
    """Imports files of one resource."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.path = f"{resource.path}/import"

    async def start(
        self,
        body: bytes,
        media_type: str = CSV,
        headers: Mapping[str, str] | None = None,
        **query: str | bool,
    ) -> httpx.Response:
        """Send a file and return the answer."""
        sent = {"Content-Type": media_type, **(headers or {})}
        return await self.resource.http.post(self.path, content=body, headers=sent, params=query)

    async def send(
        self,
        body: bytes,
        media_type: str = CSV,
        headers: Mapping[str, str] | None = None,
        **query: str | bool,
    ) -> Json:
        """Import a file, which has to be accepted, and return what came of it."""
        answer = await self.start(body, media_type, headers, **query)
        assert answer.status_code == 202, answer.text
        return await self.finished(answer.headers["location"])

    async def csv(self, rows: Sequence[Json], **query: str | bool) -> Json:
        """Import rows as CSV."""
        return await self.send(self.csv_body(rows), CSV, None, **query)

    async def ndjson(
        self, rows: Sequence[Json], headers: Mapping[str, str] | None = None, **query: str | bool
    ) -> Json:
        """Import rows as NDJSON."""
        return await self.send(self.ndjson_body(rows), NDJSON, headers, **query)

    def csv_body(self, rows: Sequence[Json]) -> bytes:
        """Return rows, all with the same fields, as CSV."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    def ndjson_body(self, rows: Sequence[Json]) -> bytes:
        """Return rows as NDJSON."""
        return b"\n".join(map(msgspec.json.encode, rows))

    async def read(self, url: str) -> Json:
        """Return an import, which has to be there."""
        answer = await self.resource.http.get(url)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def finished(self, url: str) -> Json:
        """Wait for the end of an import and return it."""
        async with asyncio.timeout(_LIMIT_SECONDS):
            while (found := await self.read(url))["state"] in {"queued", "running"}:
                await asyncio.sleep(0.02)
        return found


def error_lines(done: Json) -> list[tuple[int, str]]:
    """Return line and field of each error."""
    return [(error["line"], error["field"]) for error in done["errors"]]


def store_rows(client_uuid: UUID, *names: str, **fields: str | None) -> list[Json]:
    """Return a row for each name of a store of a client."""
    return [{"client_uuid": str(client_uuid), "code": f"C-{name}", "name": name, **fields} for name in names]
