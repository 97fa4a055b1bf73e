"""One resource of a service as its tests meet it: over HTTP, as an admin unless a test says otherwise."""

import itertools
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.databases import TestDatabase, connect

Json = dict[str, Any]

JSON = {"Content-Type": "application/json"}


class Resource:
    """Speaks with a running service about the resource at `path`, and looks at its database."""

    def __init__(
        self, http: httpx.AsyncClient, path: str, sample: Callable[[int], Json], database: TestDatabase
    ) -> None:
        self.http = http
        self.path = path
        self.database = database
        self._sample = sample
        self._numbers = itertools.count(1)

    def url(self, made: Json) -> str:
        return f"{self.path}/{made['uuid']}"

    def body(self, **fields: object) -> Json:
        """Return a valid body, unlike every other one in what must be unique."""
        return {**self._sample(next(self._numbers)), **fields}

    async def make(self, **fields: object) -> Json:
        """Create one, which has to succeed."""
        answer = await self.http.post(self.path, json=self.body(**fields))
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def change(self, made: Json, **fields: object) -> Json:
        """Change one, which has to succeed."""
        answer = await self.http.patch(self.url(made), json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def page(self, **query: str | int | bool) -> Json:
        """Return a page of the list, which has to succeed."""
        answer = await self.http.get(self.path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def listed(self, member: str = "name", **query: str | int | bool) -> list[Any]:
        """Return one member of everything on a page."""
        return [row[member] for row in (await self.page(limit=100, **query))["data"]]

    async def run(self, statement: str, *values: object) -> list[Any]:
        """Run a statement as the database's owner and return its rows."""
        connection = await connect(self.database.owner)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()


def refused(answer: httpx.Response, status: int, code: str | None = None) -> Json:
    """Return the error of an answer that has to be a refusal in the envelope."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status_code"] == status
    assert body["message"]
    assert len(body["error"]["trace_id"]) == 32
    if code:
        assert body["error"]["code"] == code
    return body["error"]


def fields_of(error: Json) -> list[str]:
    """Return the fields that an error's details name."""
    return [problem["field"] for problem in error["details"]]
