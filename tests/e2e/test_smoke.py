import asyncio

import pytest

from infra.release.run import ReleaseError
from infra.release.smoke import smoke
from tests.support.platform import Platform


async def test_a_platform_that_answers_passes(platform: Platform) -> None:
    await asyncio.to_thread(smoke, platform.url("gateway"), 10)


async def test_what_answers_otherwise_fails_and_is_told(platform: Platform) -> None:
    with pytest.raises(ReleaseError, match=r"/swagger/index\.html answers 404"):
        await asyncio.to_thread(smoke, platform.url("store"), 0)
