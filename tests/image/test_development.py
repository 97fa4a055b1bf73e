"""The chart's development profile in containers: all of its pods, as a node of Kubernetes runs them."""

from collections.abc import Generator, Iterator

import pytest

from infra.chart.readme import CHART
from infra.embedded.ports import free_port
from tests.helm.rendering import Objects, container, render
from tests.support.containers import CannotBuild, Containers
from tests.support.kubelet import Kubelet, Object
from tests.support.launcher import until
from tests.support.stand_ins import stand_in

LIMIT_SECONDS = 240
SERVERS = ("postgres", "redis")
PROCESSES = ("auth", "client", "store", "gateway")
PORTS = (
    "database.port",
    "redis.port",
    "services.gateway.metricsPort",
    *(f"services.{name}.port" for name in PROCESSES),
)


@pytest.fixture(scope="module")
def objects() -> Objects:
    """What an install makes, on ports that are free here."""
    ports = (f"--set={name}={free_port()}" for name in PORTS)
    return render(CHART / "values-development.yaml", *ports)


@pytest.fixture(scope="module")
def node(
    containers: Containers, images: dict[str, str], objects: Objects, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Kubelet]:
    """A node on which all pods of the release were started at once, and are ready."""
    named = {f"gerai/{name}:dev": image for name, image in images.items()}
    for each in objects:
        if each["kind"] == "StatefulSet":
            image = container(each)["image"]
            named[image] = stand_in(containers, image.partition(":")[0], image)
    with Kubelet(containers, objects, named, tmp_path_factory.mktemp("node")) as node:
        stay = list(_staying(objects))
        job = node.start(node.find("Job", "gerai-provision"))
        for each in stay:
            node.start(each)
        until(lambda: all(map(node.is_ready, stay)), LIMIT_SECONDS)
        assert job.wait(LIMIT_SECONDS) == 0
        yield node


def test_what_helm_tests_succeeds(node: Kubelet) -> None:
    test = node.find("Pod", "gerai-test-gateway")
    assert node.start(test).wait(LIMIT_SECONDS) == 0, node.log(test)
    assert "POST /v1/auth/login 200" in node.log(test)
    assert "POST /v1/master-client 201" in node.log(test)


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_is_nobody_and_writes_to_its_volumes_alone(node: Kubelet, server: str) -> None:
    workload = node.find("StatefulSet", f"gerai-{server}")
    assert node.execute(workload, "id", "--user") == "999"
    with pytest.raises(CannotBuild, match="Read-only file system"):
        node.execute(workload, "touch", "/usr/scratch")
    with pytest.raises(CannotBuild, match="Read-only file system"):
        node.execute(workload, "touch", "/etc/gerai/scratch")


def test_what_was_written_is_there_after_servers_and_the_job_ran_anew(node: Kubelet) -> None:
    for each in (node.find("StatefulSet", f"gerai-{server}") for server in SERVERS):
        node.stop(each)
        until(lambda each=each: not node.is_ready(each))
        node.start(each)
    assert node.start(node.find("Job", "gerai-provision")).wait(LIMIT_SECONDS) == 0
    until(lambda: all(map(node.is_ready, _staying(node.objects))), LIMIT_SECONDS)
    test = node.find("Pod", "gerai-test-gateway")
    assert node.start(test).wait(LIMIT_SECONDS) == 0, node.log(test)


def _staying(objects: Objects) -> Iterator[Object]:
    return (each for each in objects if each["kind"] in {"Deployment", "StatefulSet"})
