"""A release that brings its servers and Secrets: installed, upgraded, uninstalled, installed again."""

import secrets
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.chart.readme import CHART
from tests.cluster.release import Done, Release, until
from tests.cluster.test_release import left, succeeded

DEVELOPMENT = CHART / "values-development.yaml"
WITH_POLICIES = CHART / "ci" / "in-cluster.yaml"
SERVERS = ("postgres", "redis")
CLAIMS = {("PersistentVolumeClaim", f"data-gerai-{server}-0") for server in SERVERS}


@dataclass(frozen=True)
class Development:
    """A release with values of the development profile, and a class of volumes that has two."""

    release: Release
    storage: str

    def helm(self, command: str, values: Path = DEVELOPMENT, *arguments: str) -> Done:
        """Install or upgrade the release and wait until all of it is ready."""
        storage = [f"--set=inCluster.{server}.storageClassName={self.storage}" for server in SERVERS]
        waiting = ["--wait", "--timeout=2m"]
        return self.release.helm(command, str(CHART), f"--values={values}", *storage, *waiting, *arguments)

    def secrets(self) -> dict[str, Any]:
        """Return what the Secrets of the chart hold, by name."""
        found = self.release.objects("secrets", "--selector=app.kubernetes.io/instance=gerai")
        return {each["metadata"]["name"]: each["data"] for each in found}

    def has_provided(self, revision: int) -> bool:
        """Tell whether the only Job is that of a revision, and has succeeded."""
        jobs = {each["metadata"]["name"]: each["status"] for each in self.release.objects("jobs")}
        return set(jobs) == {f"gerai-provision-{revision}"} and all(
            each.get("succeeded") for each in jobs.values()
        )


@pytest.fixture
def development(empty: Release) -> Generator[Development]:
    storage = f"gerai-{secrets.token_hex(4)}"
    empty.cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all(_volumes(storage)))
    yield Development(empty, storage)
    empty.cluster.kubectl("delete", "persistentvolume", f"--selector=class={storage}", "--wait=false")


def test_nothing_has_to_exist_before_and_upgrades_keep_what_was_made(development: Development) -> None:
    succeeded(development.helm("install"))
    until(lambda: development.has_provided(1))
    succeeded(development.release.helm("test"))
    made, servers = development.secrets(), _pods_of_servers(development.release)
    assert len(made) == 8

    succeeded(development.helm("upgrade", DEVELOPMENT, "--set=log.level=INFO"))
    until(lambda: development.has_provided(2))
    assert development.secrets() == made
    assert _pods_of_servers(development.release) == servers

    succeeded(development.release.helm("rollback", "1", "--wait"))
    until(lambda: development.has_provided(1))
    assert development.secrets() == made


def test_data_and_secrets_outlive_an_uninstall_and_serve_the_next_install(development: Development) -> None:
    release = development.release
    succeeded(development.helm("install"))
    made = development.secrets()
    kept = CLAIMS | {("Secret", name) for name in made}
    succeeded(release.helm("uninstall", "--wait"))
    until(lambda: left(release) == kept)

    succeeded(development.helm("install"))
    until(lambda: development.has_provided(1))
    assert development.secrets() == made
    succeeded(release.helm("uninstall", "--wait"))
    until(lambda: left(release) == kept)

    selector = "--selector=app.kubernetes.io/instance=gerai"
    release.kubectl("delete", "persistentvolumeclaim,secret", selector)
    until(lambda: left(release) == set())


def test_an_install_behind_network_policies_gets_ready(development: Development) -> None:
    succeeded(development.helm("install", WITH_POLICIES, "--set-json=defaults.nodeSelector={}"))
    until(lambda: development.has_provided(1))


def _pods_of_servers(release: Release) -> dict[str, str]:
    pods = release.objects("pods", "--selector=app.kubernetes.io/component in (postgres,redis)")
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in pods}


def _volumes(storage: str) -> Iterator[dict[str, Any]]:
    for number in range(len(CLAIMS)):
        name = f"{storage}-{number}"
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "labels": {"class": storage}},
            "spec": {
                "storageClassName": storage,
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": f"/tmp/{name}"},  # noqa: S108 - a node's
            },
        }
