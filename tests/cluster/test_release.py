"""The life of a release on a real API server: what is accepted, in which order, and what failures leave."""

from pathlib import Path

import pytest

from infra.chart.readme import CHART
from tests.cluster.release import PRODUCTION, Done, Release, until
from tests.cluster.watching import watching

EVERYTHING = CHART / "ci" / "everything.yaml"
SERVICES = ("auth", "client", "gateway", "store")
MADE_BY_KUBERNETES = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}


@pytest.mark.parametrize("values", sorted(CHART.glob("values-*.yaml")), ids=lambda file: file.stem)
def test_a_server_accepts_every_file_of_values(empty: Release, values: Path) -> None:
    succeeded(empty.helm("install", str(CHART), f"--values={values}", "--dry-run=server"))
    assert left(empty) == set()


@pytest.mark.parametrize("values", [PRODUCTION, EVERYTHING], ids=lambda file: file.stem)
def test_an_install_ends_when_all_pods_are_ready(empty: Release, values: Path) -> None:
    succeeded(empty.install(values))
    assert empty.status() == "deployed"
    deployments = empty.objects("deployments")
    assert len(deployments) == len(SERVICES)
    for each in deployments:
        assert each["status"]["availableReplicas"] == each["status"]["updatedReplicas"] >= 1
    succeeded(empty.helm("test"))


def test_databases_are_migrated_before_there_is_a_deployment(empty: Release) -> None:
    with watching(empty, "jobs") as jobs, watching(empty, "deployments") as deployments:
        succeeded(empty.install(PRODUCTION))
        until(lambda: {each.name for each in deployments()} == {f"gerai-{name}" for name in SERVICES})
        migrated = {each.name: each.revision for each in jobs() if each.status.get("succeeded")}
        first = min(each.revision for each in deployments())
    assert set(migrated) == {f"gerai-{name}-migration" for name in ("auth", "client", "store")}
    assert max(migrated.values()) < first


def test_another_tag_rolls_every_deployment(installed: Release) -> None:
    succeeded(installed.upgrade("--set=image.tag=1.1.0", "--timeout=3m"))
    assert {image.rpartition(":")[2] for image in installed.images().values()} == {"1.1.0"}
    until(lambda: _images_of_pods(installed) == set(installed.images().values()))


def test_an_image_that_crashes_is_rolled_back(installed: Release) -> None:
    before = installed.images()
    done = installed.upgrade("--set=image.tag=broken", "--rollback-on-failure", "--timeout=30s")
    assert done.returncode != 0
    assert installed.status() == "deployed"
    assert installed.images() == before
    for each in installed.objects("deployments"):
        assert each["status"]["availableReplicas"] == each["spec"]["replicas"]


def test_a_migration_that_fails_stops_the_upgrade_before_a_deployment_changes(installed: Release) -> None:
    before = installed.images()
    done = installed.upgrade("--set=image.tag=unmigratable", "--timeout=1m")
    assert done.returncode != 0
    assert "migration" in done.stderr
    assert installed.images() == before
    assert _images_of_pods(installed) == set(before.values())
    succeeded(installed.upgrade("--set=image.tag=1.1.0", "--timeout=3m"))


def test_the_autoscalers_number_of_pods_survives_an_upgrade(installed: Release) -> None:
    until(lambda: _replicas(installed) == dict.fromkeys(_replicas(installed), 3))
    installed.kubectl("scale", "deployment/gerai-store", "--replicas=5")
    succeeded(installed.upgrade("--set=image.tag=1.0.0", "--set=log.level=DEBUG", "--timeout=3m"))
    assert _replicas(installed) == {**dict.fromkeys(_replicas(installed), 3), "gerai-store": 5}


def test_nothing_is_left_of_a_release_that_was_uninstalled(installed: Release) -> None:
    assert left(installed)
    succeeded(installed.helm("uninstall", "--wait"))
    until(lambda: left(installed) == set())


def test_nothing_is_left_after_an_upgrade_that_failed_to_migrate(installed: Release) -> None:
    done = installed.upgrade("--set=image.tag=unmigratable", "--rollback-on-failure", "--timeout=1m")
    assert done.returncode != 0
    assert installed.status() == "deployed"
    assert [name for _, name in left(installed) if "migration" in name or "owner" in name] == []
    succeeded(installed.helm("uninstall", "--wait"))
    until(lambda: left(installed) == set())


def test_nothing_is_left_of_an_install_that_failed_to_migrate(empty: Release) -> None:
    assert empty.install(PRODUCTION, "--set=image.tag=unmigratable").returncode != 0
    assert empty.status() == "failed"
    succeeded(empty.helm("uninstall", "--wait"))
    until(lambda: left(empty) == set())


def test_nothing_is_left_after_a_round_trip_that_failed(empty: Release) -> None:
    succeeded(empty.install(PRODUCTION, "--set=image.tag=unmigratable", "--set=migrations.enabled=false"))
    assert empty.helm("test").returncode != 0
    succeeded(empty.helm("uninstall", "--wait"))
    until(lambda: left(empty) == set())


def succeeded(done: Done) -> None:
    """Check that helm has succeeded, else show what it says."""
    assert done.returncode == 0, done.stderr


def _replicas(release: Release) -> dict[str, int]:
    return {each["metadata"]["name"]: each["spec"]["replicas"] for each in release.objects("deployments")}


def _images_of_pods(release: Release) -> set[str]:
    pods = release.objects("pods", "--selector=app.kubernetes.io/component!=migration")
    return {container["image"] for pod in pods for container in pod["spec"]["containers"]}


def left(release: Release) -> set[tuple[str, str]]:
    """Return what is in the namespace, of whatever kind, but for what Kubernetes makes and tells itself."""
    kinds = release.kubectl("api-resources", "--namespaced", "--verbs=list", "--output=name").split()
    told = {"events", "events.events.k8s.io"}
    objects = release.objects(",".join(kind for kind in kinds if kind not in told))
    return {(each["kind"], each["metadata"]["name"]) for each in objects} - MADE_BY_KUBERNETES
