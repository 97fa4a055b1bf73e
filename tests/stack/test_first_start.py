"""What the first start of docker-compose.yml leaves running."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tests.support.stack import Stack

DEFAULT_ROUTE = "00000000"


def test_each_starts_after_what_it_waits_for(stack: Stack) -> None:
    for name, needed, condition in _waits(stack):
        assert stack.container(name).started >= _was(stack, needed, condition), f"{name} after {needed}"


def test_what_runs_once_ended_well(stack: Stack) -> None:
    once = {needed for _, needed, condition in _waits(stack) if condition.endswith("completed_successfully")}
    assert once == {"secrets", "provision", "migrate-auth", "migrate-client", "migrate-store"}
    assert {name: stack.container(name).state["ExitCode"] for name in once} == dict.fromkeys(once, 0)


def test_nobody_has_a_privilege(stack: Stack) -> None:
    for name in _servers(stack):
        found = stack.container(name).privileges
        assert found.pop("Uid") != "0", name
        assert found == {"CapEff": "0" * 16, "NoNewPrivs": "1"}, name


def test_databases_have_no_way_out(stack: Stack) -> None:
    assert DEFAULT_ROUTE not in _routes(stack, "postgres") | _routes(stack, "redis")
    assert DEFAULT_ROUTE in _routes(stack, "gateway")


def _waits(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yield each service with one it waits for, and until when."""
    for name, service in stack.services().items():
        waits: dict[str, dict[str, str]] = service.get("depends_on") or {}
        for needed, how in waits.items():
            yield name, needed, how["condition"]


def _was(stack: Stack, service: str, condition: str) -> datetime:
    container = stack.container(service)
    return stack.engine.healthy[container.name] if condition == "service_healthy" else container.finished


def _servers(stack: Stack) -> list[str]:
    return [name for name, service in stack.services().items() if "healthcheck" in service]


def _routes(stack: Stack, service: str) -> set[str]:
    """Return the destinations that a container has routes to, as the kernel writes them."""
    lines = Path("/proc", str(stack.container(service).state["Pid"]), "net", "route").read_text().splitlines()
    return {line.split()[1] for line in lines[1:]}
