"""The servers that come with a release for development, and nowhere else."""

import json
import re
from typing import Any

import pytest
import yaml

from infra.chart.readme import CHART
from tests.helm.rendering import Objects, container, containers, helm, pod, pod_labels, render

ROOT = CHART.parents[1]
DEVELOPMENT = CHART / "values-development.yaml"
CONFINED = CHART / "ci" / "in-cluster.yaml"
SERVERS = ("postgres", "redis")
WITH_DATABASE = ("auth", "client", "store")


@pytest.fixture(scope="module")
def development() -> Objects:
    return render(DEVELOPMENT)


def named(objects: Objects, kind: str, name: str) -> dict[str, Any]:
    return next(each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)


@pytest.mark.parametrize("values", ["values", "values-staging", "values-production"])
def test_nothing_of_them_is_where_servers_are_outside(values: str) -> None:
    objects = render(CHART / f"{values}.yaml")
    assert {each["kind"] for each in objects}.isdisjoint({"Secret", "StatefulSet"})
    components = {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in objects}
    assert components.isdisjoint({*SERVERS, "provision", "in-cluster"})
    assert not [each for each in objects if each["kind"] == "Deployment" and len(containers(each)) > 1]


@pytest.mark.parametrize(
    ("values", "setting", "told"),
    [
        ("values-staging", "inCluster.enabled=true", "name servers in database.host and redis.host"),
        ("values-production", "inCluster.enabled=true", "name servers in database.host and redis.host"),
        ("values-development", "environment=production", "is for development: in production"),
        ("values-development", "environment=test", "is for development: in test"),
        ("values-development", "redis.tls=true", "set redis.tls to false"),
        ("values-development", "database.sslmode=require", "database.sslmode to prefer or disable"),
        ("values-development", "database.sslmode=verify-full", "database.sslmode to prefer or disable"),
        ("values-development", "externalSecrets.enabled=true", "leave externalSecrets.enabled out"),
        ("values-development", "backup.enabled=true", "leave backup.enabled out"),
    ],
)
def test_where_they_do_not_belong_they_are_refused_with_what_to_do(
    values: str, setting: str, told: str
) -> None:
    done = helm("template", "gerai", str(CHART), f"--values={CHART / values}.yaml", f"--set={setting}")
    assert done.returncode != 0
    assert told in done.stderr


@pytest.mark.parametrize("server", SERVERS)
def test_they_are_the_servers_of_the_compose_stack(development: Objects, server: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][server]
    found = container(named(development, "StatefulSet", f"gerai-{server}"))
    assert found["image"] == compose["image"]
    given = {word for word in compose["command"] if not word.startswith(("/", "shared_", "effective_"))}
    assert given <= set(found["args"])


@pytest.mark.parametrize("server", SERVERS)
def test_their_data_is_in_a_claim_and_nothing_else_of_them_can_be_written(
    development: Objects, server: str
) -> None:
    workload = named(development, "StatefulSet", f"gerai-{server}")
    assert [each["metadata"]["name"] for each in workload["spec"]["volumeClaimTemplates"]] == ["data"]
    emptied = {each["name"] for each in pod(workload)["volumes"] if "emptyDir" in each}
    written = {each["name"] for each in container(workload)["volumeMounts"] if not each.get("readOnly")}
    assert written == {"data", *emptied}


def test_databases_are_made_by_the_code_and_run_with_the_settings_that_are_elsewhere(
    development: Objects,
) -> None:
    code = named(development, "ConfigMap", "gerai-provision")["data"]
    settings = named(development, "ConfigMap", "gerai-postgres")["data"]
    for name, text in (code | settings).items():
        folder = "compose" if name == "pg_hba.conf" else "postgres"
        assert text.strip() == (ROOT / "infra" / folder / name).read_text().strip()


def test_the_code_that_makes_databases_needs_nothing_of_ours_but_itself(development: Objects) -> None:
    code = named(development, "ConfigMap", "gerai-provision")["data"]
    needed = re.findall(
        r"^\s*(?:from|import) ((?:infra|shared|services)[\w.]*)", "\n".join(code.values()), re.MULTILINE
    )
    assert set(needed) == {"infra.postgres.provision"}
    assert "provision.py" in code


def test_databases_are_made_by_a_job_of_the_release_which_none_waits_for(development: Objects) -> None:
    [job] = [each for each in development if each["kind"] == "Job"]
    assert job["metadata"]["name"] == "gerai-provision-1"  # of the first revision: Jobs cannot be changed
    assert "helm.sh/hook" not in job["metadata"].get("annotations", {})


def test_pods_migrate_their_database_before_their_process_starts(development: Objects) -> None:
    first = {
        each["metadata"]["name"]: pod(each)["initContainers"][0]
        for each in development
        if each["kind"] == "Deployment" and "initContainers" in pod(each)
    }
    assert set(first) == {f"gerai-{name}" for name in WITH_DATABASE}
    for name in WITH_DATABASE:
        started = first[f"gerai-{name}"]
        assert started["command"][-4:] == ["python", "-m", f"services.{name}", "migrate"]
        assert started["image"] == container(named(development, "Deployment", f"gerai-{name}"))["image"]


def test_without_migrations_pods_begin_with_their_process() -> None:
    objects = render(DEVELOPMENT, "--set=migrations.enabled=false")
    assert not [each for each in objects if each["kind"] == "Deployment" and len(containers(each)) > 1]


def test_whoever_may_leave_for_a_server_is_let_in_there_and_nobody_else() -> None:
    objects = render(CONFINED)
    policies = {
        each["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component"): each["spec"]
        for each in objects
        if each["kind"] == "NetworkPolicy"
    }
    for server in SERVERS:
        workload = named(objects, "StatefulSet", f"gerai-{server}")
        [port] = container(workload)["ports"]
        leaving = {
            name
            for name, each in policies.items()
            if (server, port["containerPort"]) in _allowed(each, "egress", "to")
        }
        entering = {name for name, _ in _allowed(policies[server], "ingress", "from")}
        assert entering == leaving == {*WITH_DATABASE, *({"provision"} if server == "postgres" else ())}
        assert {number for _, number in _allowed(policies[server], "ingress", "from")} == {port["name"]}


def test_services_of_servers_lead_to_the_port_on_which_they_listen() -> None:
    objects = render(CONFINED)
    for server, port in zip(SERVERS, (6432, 6380), strict=True):
        workload = named(objects, "StatefulSet", f"gerai-{server}")
        [offered] = named(objects, "Service", f"gerai-{server}")["spec"]["ports"]
        assert offered["port"] == container(workload)["ports"][0]["containerPort"] == port
        assert str(port) in json.dumps(container(workload)["args"])
        assert str(port) in json.dumps(container(workload)["readinessProbe"])
        assert pod_labels(workload)["app.kubernetes.io/component"] == server


def _allowed(policy: dict[str, Any], direction: str, side: str) -> set[tuple[str, int | str]]:
    """Return the components and ports that a policy lets through in a direction."""
    return {
        (peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"], port["port"])
        for rule in policy.get(direction, ())
        for peer in rule[side]
        if "app.kubernetes.io/component" in peer.get("podSelector", {}).get("matchLabels", {})
        for port in rule["ports"]
    }
