"""Which PostgreSQL the backups use: the one that `./taskw up` runs, or the one that a variable names."""

from collections.abc import Callable
from pathlib import Path

from infra.embedded import postgres
from infra.embedded.postgres import Cluster
from infra.embedded.unprivileged import account, home

VARIABLE = "GERAI_POSTGRES_HOME"
"""Names the folder with `bin` of a PostgreSQL of the server's version, such as /usr/lib/postgresql/18."""


Clusters = Callable[[Path], Cluster]
"""Gives the cluster in a folder, with the programs that serve it."""


def cluster(folder: Path, installation: str | None) -> Cluster:
    """Return the cluster in `folder`, served by the PostgreSQL of `installation`, or by that of `up`.

    Raises:
        StartError: that of `up` is not installed, or has no user to run as.
    """
    if not installation:
        return postgres.cluster(folder)
    user = account()
    return Cluster(home(folder, user), Path(installation), user)
