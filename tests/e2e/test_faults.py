"""What users see when a part fails, and that nothing acknowledged is lost."""

import asyncio
import signal
from collections.abc import AsyncGenerator

import pytest

from tests.support.databases import TestDatabase, connect
from tests.support.platform import Platform


@pytest.fixture
async def own(platform: Platform) -> AsyncGenerator[Platform]:
    """The platform, to be broken: what a test ends is started again after it."""
    yield platform
    ended = [name for name, process in platform.processes.items() if process.poll() is not None]
    await platform.start(*ended)


async def new_client(platform: Platform, headers: dict[str, str], name: str) -> str:
    body = {"name": name, "email": f"{name}@example.com"}
    answer = await platform.http.post("/v1/master-client", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["uuid"]


async def test_a_killed_service_is_said_to_be_unavailable_and_comes_back(own: Platform) -> None:
    admin = await own.sign_in()
    uuid = await new_client(own, admin, "before")
    own.kill("client")
    answer = await own.http.get(f"/v1/master-client/{uuid}", headers=admin)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert int(answer.headers["retry-after"]) >= 1
    store = {"client_uuid": uuid, "code": "A", "name": "A"}
    assert (await own.http.post("/v1/stores", json=store, headers=admin)).status_code == 503
    stores = await own.http.get("/v1/stores", params={"client_uuid": uuid}, headers=admin)
    assert stores.json()["meta"]["total"] == 0
    await own.start("client")
    assert (await own.http.get(f"/v1/master-client/{uuid}", headers=admin)).status_code == 200
    assert (await own.http.post("/v1/stores", json=store, headers=admin)).status_code == 201


async def test_a_frozen_neighbour_costs_a_bounded_time(own: Platform) -> None:
    admin = await own.sign_in()
    uuid = await new_client(own, admin, "frozen")
    own.processes["client"].send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            store = {"client_uuid": uuid, "code": "A", "name": "A"}
            answer = await own.http.post("/v1/stores", json=store, headers=admin)
        assert answer.status_code in {503, 504}
        assert answer.json()["status_code"] == answer.status_code
    finally:
        own.processes["client"].send_signal(signal.SIGCONT)


async def test_without_auth_known_callers_are_served(own: Platform) -> None:
    admin = await own.sign_in()
    uuid = await new_client(own, admin, "known")
    own.kill("auth")
    assert (await own.http.get(f"/v1/master-client/{uuid}", headers=admin)).status_code == 200
    answer = await own.http.post("/v1/auth/login", json={"email": "a@b.co", "password": "x" * 9})
    assert answer.status_code == 503


async def test_cut_database_connections_are_replaced(
    own: Platform, databases: dict[str, TestDatabase]
) -> None:
    admin = await own.sign_in()
    uuid = await new_client(own, admin, "cut")
    owner = await connect(databases["client"].app)
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = current_user AND pid <> pg_backend_pid()"
    )
    await owner.close()
    async with asyncio.timeout(10):
        while (await own.http.get(f"/v1/master-client/{uuid}", headers=admin)).status_code != 200:
            await asyncio.sleep(0.05)
    await new_client(own, admin, "after")


async def test_stopping_a_service_finishes_what_it_began(own: Platform) -> None:
    """SIGTERM in the middle of writes: every acknowledged client is there afterwards, others were refused."""
    admin = await own.sign_in()
    acknowledged: set[str] = set()

    async def write(number: int) -> None:
        body = {"name": f"n{number}", "email": f"n{number}@example.com"}
        answer = await own.http.post("/v1/master-client", json=body, headers=admin)
        if answer.status_code == 201:
            acknowledged.add(answer.json()["data"]["uuid"])
        else:
            assert answer.status_code in {502, 503}, answer.text

    writes = [asyncio.create_task(write(number)) for number in range(60)]
    async with asyncio.timeout(10):
        while len(acknowledged) < 5:
            await asyncio.sleep(0.001)
    own.processes["client"].send_signal(signal.SIGTERM)
    await asyncio.gather(*writes)
    await asyncio.to_thread(own.processes["client"].wait, 30)
    await own.start("client")
    found: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
        page = (await own.http.get("/v1/master-client", params=query, headers=admin)).json()
        found |= {client["uuid"] for client in page["data"]}
        cursor = page["meta"]["next_cursor"]
    assert acknowledged <= found


async def test_a_caller_that_leaves_costs_nothing(own: Platform) -> None:
    admin = await own.sign_in()
    for _ in range(200):
        _, writer = await asyncio.open_connection("127.0.0.1", own.ports["gateway"])
        writer.write(
            f"GET /v1/stores HTTP/1.1\r\nhost: x\r\nauthorization: {admin['Authorization']}\r\n\r\n".encode()
        )
        writer.close()
    for _ in range(20):
        answers = await asyncio.gather(*(own.http.get("/v1/stores", headers=admin) for _ in range(5)))
        assert {answer.status_code for answer in answers} == {200}
