"""`python -m tests.support.migrating FOLDER` applies the revisions of a folder, and can be killed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from shared.config import DatabaseConfig, Secret
from shared.migrations import upgrade
from tests.support.databases import TestDatabase

_ROOT = Path(__file__).parents[2]
_SECONDS = 60


@asynccontextmanager
async def migrating(database: TestDatabase, folder: Path) -> "AsyncGenerator[subprocess.Popen[str]]":
    """Migrate in another process, which is killed at the end of the block if it is still there."""
    owner = database.owner
    values = (owner.host, str(owner.port), owner.user, owner.password.reveal(), owner.name)
    process = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-m", "tests.support.migrating", str(folder)],
        cwd=_ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE": " ".join(values)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def ended(process: "subprocess.Popen[str]") -> int:
    """Wait for the end of a process and return its status."""
    return await asyncio.to_thread(process.wait, _SECONDS)


def _main() -> None:
    host, port, user, password, name = os.environ["DATABASE"].split()
    config = DatabaseConfig(
        host=host, port=int(port), user=user, password=Secret(password), name=name, sslmode="disable"
    )
    upgrade(config, Path(sys.argv[1]))


if __name__ == "__main__":
    _main()
