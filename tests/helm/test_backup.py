"""The backups that the chart schedules are ones that infra.backup makes, and stay when the release goes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.backup.options import parser
from infra.backup.server import Server
from infra.chart.readme import CHART
from infra.postgres.provision import BACKUP
from tests.helm.rendering import Objects, container, environment, pod, pod_labels, render

PRODUCTION = CHART / "values-production.yaml"
COMPONENTS = {"backup", "backup-full", "backup-drill"}
FOLLOWER = {"app.kubernetes.io/component": "backup"}


def component(each: dict[str, Any]) -> str:
    return each["metadata"]["labels"]["app.kubernetes.io/component"]


@pytest.fixture(scope="module")
def backups() -> Objects:
    objects = render(PRODUCTION, "--set", "backup.enabled=true")
    return [each for each in objects if component(each) in COMPONENTS]


@pytest.fixture(scope="module")
def workloads(backups: Objects) -> dict[str, dict[str, Any]]:
    kinds = ("CronJob", "StatefulSet")
    return {component(each): each for each in backups if each["kind"] in kinds}


@pytest.mark.parametrize("values", sorted(CHART.glob("values-*.yaml")), ids=lambda file: file.stem)
def test_there_are_none_unless_somebody_wants_them(values: Path) -> None:
    assert not [each for each in render(values) if component(each) in COMPONENTS]


def test_each_does_what_the_command_can_do(workloads: dict[str, dict[str, Any]]) -> None:
    asked = {name: parser().parse_args(container(each)["args"]) for name, each in workloads.items()}
    assert set(asked) == COMPONENTS
    assert asked["backup"].follow
    assert asked["backup"].metrics_port == container(workloads["backup"])["ports"][0]["containerPort"]
    assert (asked["backup-full"].command, asked["backup-full"].follow) == ("backup", False)
    assert asked["backup-full"].keep == asked["backup"].keep
    assert asked["backup-drill"].command == "drill"


def test_the_server_is_reached_as_the_role_of_backups_and_is_verified(
    workloads: dict[str, dict[str, Any]], backups: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = yaml.safe_load(PRODUCTION.read_text())["database"]["host"]
    for name in COMPONENTS - {"backup-drill"}:
        given = environment(workloads[name], backups)
        monkeypatch.setenv("PGPASSWORD", given["PGPASSWORD"])
        assert given["PGPASSWORD"] not in given["DATABASE_URL"]
        found = Server(given["DATABASE_URL"], Path("/unused")).environment()
        assert found["PGHOST"] == host
        assert (found["PGUSER"], found["PGPASSWORD"]) == (BACKUP, given["PGPASSWORD"])
        assert found["PGSSLMODE"] == "verify-full"
        folder, _, _ = found["PGSSLROOTCERT"].rpartition("/")
        assert folder in {mount["mountPath"] for mount in container(workloads[name])["volumeMounts"]}


def test_the_drill_knows_no_server(workloads: dict[str, dict[str, Any]], backups: Objects) -> None:
    assert set(environment(workloads["backup-drill"], backups)) == {"GERAI_BACKUP_KEY_FILE"}


def test_no_job_runs_beside_itself_or_for_ever(workloads: dict[str, dict[str, Any]]) -> None:
    for name in COMPONENTS - {"backup"}:
        spec = workloads[name]["spec"]
        assert spec["concurrencyPolicy"] == "Forbid"
        assert spec["startingDeadlineSeconds"]
        assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"]
        assert pod(workloads[name])["restartPolicy"] == "Never"


def test_all_have_the_one_volume_where_it_can_be(workloads: dict[str, dict[str, Any]]) -> None:
    claims = {
        volume["persistentVolumeClaim"]["claimName"]
        for each in workloads.values()
        for volume in pod(each)["volumes"]
        if volume["name"] == "backups"
    }
    assert claims == {"gerai-backup"}
    assert pod_labels(workloads["backup"]).items() >= FOLLOWER.items()
    for name in COMPONENTS - {"backup"}:
        [term] = pod(workloads[name])["affinity"]["podAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        assert term["labelSelector"]["matchLabels"].items() >= FOLLOWER.items()
        assert term["topologyKey"] == "kubernetes.io/hostname"
    anywhere = render(PRODUCTION, "--set", "backup.enabled=true,backup.volume.accessMode=ReadWriteMany")
    assert not [each for each in anywhere if each["kind"] == "CronJob" and "affinity" in pod(each)]


def test_backups_outlive_the_release(backups: Objects) -> None:
    [claim] = [each for each in backups if each["kind"] == "PersistentVolumeClaim"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_prometheus_finds_the_metrics_that_alerts_ask_for(backups: Objects) -> None:
    [monitor] = [each for each in backups if each["kind"] == "ServiceMonitor"]
    [service] = [each for each in backups if each["kind"] == "Service"]
    assert service["metadata"]["labels"].items() >= monitor["spec"]["selector"]["matchLabels"].items()
    assert service["spec"]["selector"].items() >= FOLLOWER.items()
    assert [port["name"] for port in service["spec"]["ports"]] == [monitor["spec"]["endpoints"][0]["port"]]
    [policy] = [each for each in backups if each["kind"] == "NetworkPolicy" and component(each) == "backup"]
    [rule] = policy["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == ["metrics"]
