"""The history of clients."""

from tests.support.history_checks import assert_history_tells_all
from tests.support.resource import Resource


async def test_the_history_tells_all(clients: Resource) -> None:
    await assert_history_tells_all(clients)
