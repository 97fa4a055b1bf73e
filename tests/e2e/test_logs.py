"""What the processes write about themselves: a line for each request, and no secret."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from shared.config import RedisConfig
from tests.support.databases import TestDatabase
from tests.support.platform import ADMIN_EMAIL, ADMIN_PASSWORD, Platform, running

pytestmark = pytest.mark.e2e

LIMIT_SECONDS = 30
PROCESSES = ("auth", "client", "store", "gateway")


@dataclass
class Journey:
    """People at work, and every secret and address that they use."""

    platform: Platform
    folder: Path
    secrets: set[str] = field(default_factory=lambda: {ADMIN_EMAIL, ADMIN_PASSWORD})

    def secret(self, text: str) -> str:
        self.secrets.add(text)
        return text

    def email(self) -> str:
        return self.secret(f"rahasia-{uuid4().hex}@kopi.example")

    async def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:  # noqa: ANN401 - JSON
        return await self.platform.http.post(path, json=body, headers=headers)

    async def sign_in(self, email: str, password: str) -> tuple[dict[str, str], str]:
        answer = await self.post("/v1/auth/login", {"email": email, "password": password})
        tokens = answer.json()["data"]
        access = self.secret(tokens["access_token"])
        return {"Authorization": f"Bearer {access}"}, self.secret(tokens["refresh_token"])

    def text(self) -> str:
        return "".join((self.folder / name).read_text() for name in PROCESSES)

    def lines(self, process: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in (self.folder / process).read_text().splitlines()]


@pytest.fixture(scope="module")
async def journey(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Journey]:
    """The journey, with every process as talkative as can be."""
    for database in databases.values():
        await database.empty()
    changes = {name: {"LOG_LEVEL": "DEBUG"} for name in PROCESSES}
    logs = tmp_path_factory.mktemp("logs")
    async with running(
        databases, redis_config, tmp_path_factory.mktemp("platform"), changes, logs=logs
    ) as platform:
        secrets = {
            value
            for environment in platform.environments.values()
            for name, value in environment.items()
            if value and name.endswith(("PASSWORD", "SECRET"))
        }
        yield Journey(platform, logs, secrets | {ADMIN_EMAIL, ADMIN_PASSWORD})


async def test_no_secret_and_no_address_is_written(journey: Journey) -> None:
    admin, refresh = await journey.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD)
    wrong = {"email": journey.email(), "password": journey.secret(f"wrong {uuid4()}")}
    refused = await journey.post("/v1/auth/login", wrong)
    malformed = await journey.post("/v1/auth/login", {**wrong, "password": [wrong["password"]]})
    renewed = (await journey.post("/v1/auth/refresh", {"refresh_token": refresh})).json()["data"]
    journey.secrets |= {renewed["access_token"], renewed["refresh_token"]}
    reused = await journey.post("/v1/auth/refresh", {"refresh_token": refresh})
    email, password = journey.email(), journey.secret(f"first {uuid4()}")
    body = {"email": email, "name": "Siti", "password": password, "roles": ["manager"]}
    created = await journey.post("/v1/users", body, admin)
    duplicate = await journey.post("/v1/users", body, admin)
    person, _ = await journey.sign_in(email, password)
    change = {"current_password": password, "new_password": journey.secret(f"second {uuid4()}")}
    changed = await journey.post("/v1/auth/password", change, person)
    forged = {"Authorization": f"Bearer {journey.secret(person['Authorization'][7:-4] + 'AAAA')}"}
    unsigned = await journey.platform.http.get("/v1/stores", headers=forged)
    client = {"name": "Kopi", "email": journey.email(), "phone": "+622150001234"}
    opened = await journey.post("/v1/master-client", client, admin)
    again = await journey.post("/v1/master-client", client, admin)
    await journey.platform.http.get("/v1/master-client", params={"q": client["email"]}, headers=admin)
    await journey.platform.http.get(f"/v1/{client['email']}", headers=admin)
    rows = [
        f"Teh,{journey.email()}",
        f"Teh,{journey.email()}!",
        f",{journey.email()}",
        f"Teh,{client['email']}",
    ]
    csv = "\n".join(["name,email", *rows])
    imported = await journey.platform.http.post(
        "/v1/master-client/import", content=csv, headers=admin | {"Content-Type": "text/csv"}
    )
    answers = (refused, malformed, reused, created, duplicate, changed, unsigned, opened, again, imported)
    assert [answer.status_code for answer in answers] == [401, 400, 401, 201, 409, 204, 401, 201, 409, 202]
    journey.platform.kill("client")
    store = {"client_uuid": opened.json()["data"]["uuid"], "code": "1", "name": "K", "email": journey.email()}
    assert (await journey.post("/v1/stores", store, admin)).status_code == 503
    await journey.platform.start("client")

    async with asyncio.timeout(LIMIT_SECONDS):
        while '"Finished an import"' not in journey.text():
            await asyncio.sleep(0.1)
    written = journey.text()
    assert [secret for secret in journey.secrets if secret in written] == []
    assert '"status":503' in written


async def test_a_request_is_one_line_in_each_process_that_it_met(journey: Journey) -> None:
    admin, _ = await journey.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD)
    me = (await journey.platform.http.get("/v1/auth/me", headers=admin)).json()["data"]
    name = f"job-{uuid4()}"
    await journey.platform.http.get("/v1/stores", headers=admin | {"X-Request-ID": name})

    def of_request(process: str) -> list[dict[str, Any]]:
        lines = [line for line in journey.lines(process) if line.get("request_id") == name]
        return [line for line in lines if "status" in line]  # libraries are talkative

    async with asyncio.timeout(LIMIT_SECONDS):
        while not (of_request("gateway") and of_request("store")):
            await asyncio.sleep(0.1)
    [door], [store] = of_request("gateway"), of_request("store")
    for line in (door, store):
        assert line["message"] == "GET /v1/stores"
        assert (line["route"], line["status"], line["level"]) == ("/v1/stores", 200, "INFO")
        assert (line["user"], line["tenant"]) == (me["uuid"], None)
        assert 0 < line["duration_ms"] < 10_000
        assert len(line["span_id"]) == 16
    assert door["trace_id"] == store["trace_id"]
    assert door["span_id"] != store["span_id"]
    assert [line for line in journey.lines("store") if "time" not in line or "service" not in line] == []
