"""docker-compose.yml in containers, from the first start to the last."""

import os
import signal

import httpx
import pytest

from tests.support.exposition import Exposition
from tests.support.launcher import until
from tests.support.stack import Stack

LIMIT_SECONDS = 120
REPLICA = ("--profile", "replica")
BACKUP = ("--profile", "backup")


def test_what_is_created_through_the_gateway_is_read_there(stack: Stack) -> None:
    with stack.admin() as admin:
        client, store = _create(admin, "first")
        answer = admin.get(f"/v1/stores/{store}?include=client")
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["client"]["uuid"] == client


@pytest.mark.parametrize("service", ["store", "redis", "postgres"])
def test_a_killed_service_comes_back(stack: Stack, service: str) -> None:
    killed = stack.container(service)
    with stack.admin() as admin:
        _, store = _create(admin, f"killed-{service}")
        os.kill(killed.state["Pid"], signal.SIGKILL)
        until(lambda: stack.container(service).restarts > killed.restarts, LIMIT_SECONDS)
        until(lambda: stack.container(service).is_healthy, LIMIT_SECONDS)
        until(lambda: _answers(admin, f"/v1/stores/{store}"), LIMIT_SECONDS)
        _create(admin, f"after-{service}")


def test_the_replica_answers_reads(stack: Stack) -> None:
    stack.up(*REPLICA, DB_READ_HOST="postgres-replica")
    with stack.admin() as admin:
        _create(admin, "replica")
        # Each asks for something else, so that the cache knows none.
        searches = (f"/v1/stores?q=replica&limit={limit}" for limit in range(1, 100))
        until(lambda: _answers(admin, next(searches)) and _replica_reads(stack) > 0, LIMIT_SECONDS)


def test_changes_are_archived_and_a_restore_of_them_is_tried(stack: Stack) -> None:
    stack.up(*BACKUP)
    with stack.admin() as admin:
        _create(admin, "backup")
    told: dict[str, float] = {}

    def restored() -> bool:
        told.update(_backup_metrics(stack))
        return {"backup_last_success_timestamp_seconds", "backup_drill_recovery_time_seconds"} <= told.keys()

    until(restored, LIMIT_SECONDS)
    through = told["backup_archived_through_timestamp_seconds"]
    until(
        lambda: _backup_metrics(stack)["backup_archived_through_timestamp_seconds"] > through, LIMIT_SECONDS
    )
    assert stack.container("backup-full").restarts == stack.container("backup-drill").restarts == 0
    stack.compose(*BACKUP, "stop", "backup", "backup-full", "backup-drill")


@pytest.mark.parametrize("ended", ["stop", "down"])
def test_data_and_secrets_outlast_containers(stack: Stack, ended: str) -> None:
    with stack.admin() as admin:
        _, store = _create(admin, f"kept-{ended}")
    stack.compose(*REPLICA, *BACKUP, ended)
    with pytest.raises(httpx.TransportError), stack.http() as stopped:
        stopped.get("/healthz")
    stack.up()
    with stack.admin() as admin:
        assert admin.get(f"/v1/stores/{store}").json()["data"]["code"] == f"kept-{ended}".upper()


def test_servers_stop_in_order(stack: Stack) -> None:
    stack.compose("stop")
    assert {name: stack.container(name).state["ExitCode"] for name in ("postgres", "redis")} == {
        "postgres": 0,
        "redis": 0,
    }
    stack.up()


def test_down_with_volumes_leaves_nothing(stack: Stack) -> None:
    assert _left(stack)
    stack.compose("--profile", "*", "down", "--volumes")
    assert _left(stack) == []


def _create(admin: httpx.Client, name: str) -> tuple[str, str]:
    """Create a client and a store of it, and return the identifiers of both."""
    email = f"{name}@gerai.example"
    client = _created(admin, "master-client", name=name, email=email)
    return client, _created(admin, "stores", client_uuid=client, code=name.upper(), name=name)


def _created(admin: httpx.Client, what: str, **fields: str) -> str:
    answer = admin.post(f"/v1/{what}", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["uuid"]


def _answers(admin: httpx.Client, path: str) -> bool:
    return admin.get(path).status_code == 200


def _replica_reads(stack: Stack) -> float:
    text = httpx.get(f"http://{stack.container('store').address}:8003/metrics").text
    return Exposition(text).value("database_reads_total", server="replica")


def _backup_metrics(stack: Stack) -> dict[str, float]:
    """Return what node_exporter is given of backups."""
    text = stack.compose(*BACKUP, "exec", "-T", "backup", "sh", "-c", "cat /backups/gerai/metrics/*.prom")
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def _left(stack: Stack) -> list[str]:
    """Return what the engine keeps of the project."""
    project = "label=com.docker.compose.project"
    kinds = (("ps", "--all", "--quiet"), ("volume", "ls", "--quiet"), ("network", "ls", "--quiet"))
    return [line for kind in kinds for line in stack.engine.podman(*kind, "--filter", project).splitlines()]
