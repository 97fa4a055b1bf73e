import os
import secrets
from collections.abc import Generator
from pathlib import Path

import pytest

from infra.cluster.kinds import KINDS, definition
from infra.cluster.programs import programs
from tests.cluster.control_plane import HERE, running
from tests.cluster.release import PRODUCTION, Cluster, Release


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    if given := os.environ.get("KUBECONFIG"):
        yield Path(given)
        return
    if not programs().exists():
        pytest.fail("The cluster is not built: ./taskw test:cluster builds it, and needs Go.")
    with running(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="session")
def cluster(kubeconfig: Path) -> Cluster:
    """A cluster with nodes, and the kinds that operators would bring."""
    cluster = Cluster(kubeconfig)
    cluster.kubectl("apply", "--server-side", f"--filename={HERE / 'objects.yaml'}")
    _define(cluster)
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    cluster.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=60s")
    return cluster


def _define(cluster: Cluster) -> None:
    """Teach the cluster the kinds that it does not know: where an operator is at work, its own stay."""
    known = cluster.kubectl("get", "crd", "--output=name")
    for kind in KINDS:
        if f"/{kind}\n" not in known:
            cluster.kubectl("apply", "--server-side", f"--filename={definition(kind)}")


@pytest.fixture
def empty(cluster: Cluster) -> Generator[Release]:
    """A namespace that takes none but confined pods, and no release in it yet."""
    namespace = f"gerai-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    yield Release(cluster, namespace)
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def installed(empty: Release) -> Release:
    """A release with production's values, version 1.0.0 of every image."""
    done = empty.install(PRODUCTION, "--set=image.tag=1.0.0")
    assert done.returncode == 0, done.stderr
    return empty
