"""The client service is slow, or its connections break, while stores are created."""

import asyncio
import time
from collections.abc import Callable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.http import ATTEMPT_SECONDS, BUDGET_SECONDS
from shared.http.breaker import State
from shared.http.budget import MOST_SAVED, RESERVE_PER_SECOND, SHARE
from tests.chaos.creating import CREATORS, Creations, creating
from tests.chaos.world import RECOVERY_SECONDS, World, logger

pytestmark = pytest.mark.chaos

SECONDS = 1.5
BUSY_SECONDS = 1.0
"""What answering may take on a busy machine besides waiting for a neighbour."""

Fault = Callable[[World], None]


def too_slow(world: World) -> None:
    world.neighbour.slow(ATTEMPT_SECONDS + 1)


def resetting(world: World) -> None:
    world.neighbour.cut()


def resetting_answers(world: World) -> None:
    world.neighbour.reset_answers()


@pytest.mark.parametrize("fault", [too_slow, resetting, resetting_answers])
async def test_no_store_is_made_while_its_client_cannot_be_asked_for(world: World, fault: Fault) -> None:
    """Answers come in time, 503 or 504 with Retry-After; the circuit opens, and closes when all is well."""
    await world.recovered()
    sent, retried, began = await _posts(world), await _retries(world), time.monotonic()
    async with creating(world) as creations:
        await asyncio.sleep(SECONDS)
        fault(world)
        await _until(world, State.OPEN)
        opened = len(creations.asked)
        await asyncio.sleep(SECONDS)
        refused = creations.asked[opened + CREATORS :]  # the first began before
        world.heal()
        await _until(world, State.CLOSED)
        await asyncio.sleep(SECONDS)
    seconds = time.monotonic() - began
    _assert_answers(creations, {201, 503, 504})
    assert creations.statuses[201]
    assert creations.statuses[503]
    quick = sorted(each.seconds for each in refused)
    assert quick[len(quick) // 2] < 0.5
    assert await _posts(world) - sent == len(creations.asked)
    allowed = MOST_SAVED + SHARE * len(creations.asked) + RESERVE_PER_SECOND * seconds
    assert 0 < await _retries(world) - retried <= allowed + 1
    await _assert_each_is_made_once(creations)


async def test_a_slow_client_service_makes_it_slow_and_nothing_else(world: World) -> None:
    await world.recovered()
    async with creating(world) as creations:
        world.neighbour.slow(0.2)
        await asyncio.sleep(2 * SECONDS)
    _assert_answers(creations, {201})
    await _assert_each_is_made_once(creations)


async def test_connections_that_break_now_and_then_lose_nothing(world: World) -> None:
    """Questions are asked again; what is refused nevertheless succeeds when it is sent again with its key."""
    await world.recovered()
    async with creating(world) as creations:
        for number in range(12):
            (resetting, resetting_answers)[number % 2](world)
            await asyncio.sleep(0.05)
            world.heal()
            await asyncio.sleep(0.25)
    _assert_answers(creations, {201, 503, 504})
    assert creations.statuses[201] > creations.statuses[503]
    await _assert_each_is_made_once(creations)


@pytest.mark.parametrize("cascade", ["", "?cascade=true"])
async def test_a_client_that_ends_meanwhile_leaves_no_orphan(world: World, cascade: str) -> None:
    """Stores are created through a slow and breaking connection while their client is deleted."""
    await world.recovered()
    for round_ in range(4):
        client = await world.new_client()
        world.neighbour.slow(0.3)
        async with creating(world, client) as creations:
            await asyncio.sleep(0.35 + 0.05 * round_)  # what the client service said of it is on its way
            ended = await world.platform.http.delete(f"/v1/master-client/{client}{cascade}")
            resetting_answers(world)
            await asyncio.sleep(0.1)
            world.heal()
            await asyncio.sleep(0.5)
        _assert_answers(creations, {201, 404, 409, 503, 504})
        assert ended.status_code in {204, 409, 503, 504}, ended.text
        await world.recovered()
        is_living = f"SELECT 1 FROM clients WHERE uuid = '{client}' AND deleted_at IS NULL"  # noqa: S608 - ours
        living = await world.rows("client", is_living)
        found = await creations.found()
        assert living or not found
        if living:
            assert set(creations.made.items()) <= set(found.items())


def _assert_answers(creations: Creations, statuses: set[int]) -> None:
    longest = max(each.seconds for each in creations.asked)
    logger.info(
        "%d creations %s, the slowest in %.2f s", len(creations.asked), dict(creations.statuses), longest
    )
    assert set(creations.statuses) <= statuses
    assert longest < BUDGET_SECONDS + BUSY_SECONDS
    answers = [each.answer for each in creations.asked if each.answer]
    assert all(each.headers.get("retry-after") for each in answers if each.status_code >= 500)


async def _assert_each_is_made_once(creations: Creations) -> None:
    """See that what was acknowledged is there, what was refused is not, and keys make one store each.

    What was neither may be there: then who repeats it with its key is told of that store.
    """
    world = creations.world
    await world.recovered()
    found, made, refused = await creations.found(), creations.made, creations.refused
    logger.info("%d stores, of which %d were acknowledged", len(found), len(made))
    assert made.items() <= found.items()
    assert not refused & found.keys()
    for each in creations.asked:
        if each.key:
            await each.ask(world.platform.http)
            assert each.made, each.answer
            assert each.made == found.get(each.body["code"], each.made)
    assert await creations.found() == found | creations.made


async def _until(world: World, state: State) -> None:
    async with asyncio.timeout(RECOVERY_SECONDS):
        while await _metric(world, "http_client_breaker_state", target="client") != state:
            await asyncio.sleep(0.02)


async def _posts(world: World) -> float:
    return await _metric(
        world, "http_server_request_duration_seconds_count", method="POST", route="/v1/stores"
    )


async def _retries(world: World) -> float:
    return await _metric(world, "http_client_retries_total", target="client")


async def _metric(world: World, name: str, **labels: str) -> float:
    async with httpx.AsyncClient(base_url=world.platform.url("store")) as http:
        text = (await http.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())
