"""The history of stores."""

from tests.support.history_checks import assert_history_tells_all
from tests.support.resource import Resource


async def test_the_history_tells_all(stores: Resource) -> None:
    await assert_history_tells_all(stores)
