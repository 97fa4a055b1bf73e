"""Ending what an interrupted start of this checkout left running."""

from infra.embedded import processes, redis
from infra.embedded.postgres import end_leftover as end_postgres
from infra.embedded.state import State


def end(state: State) -> bool:
    """End every process of this state, databases last, and tell whether there was one."""
    supervised = processes.end_supervised(state.folder)
    postgres = end_postgres(state.folder / "postgres" / "data")
    return any((supervised, postgres, redis.Server(state.folder / "redis").end_leftover()))
