from collections.abc import Callable
from typing import Any

import pytest

from shared.draining import GRACE_SECONDS, OVERRUN_SECONDS
from shared.server import KEEP_ALIVE_SECONDS
from tests.helm.rendering import Objects, container, containers, environment, pod, pod_labels

OfKind = Callable[[str], list[Any]]
WORKLOADS = ("CronJob", "Deployment", "Job", "Pod", "StatefulSet")
SILENT = {"backup-drill", "postgres", "redis"}
"""Whose pods begin no connection."""
UNREACHED = {"backup-drill"}
"""Whose pods need no policy but the one that lets nothing in or out."""
USER = 65532
USERS_OF_OTHERS = {"postgres": 999, "redis": 999}


@pytest.fixture
def workloads(objects: Objects) -> Objects:
    return [each for each in objects if each["kind"] in WORKLOADS]


def test_pods_may_do_nothing_to_the_machine_they_are_on(workloads: Objects) -> None:
    for each in workloads:
        user = USERS_OF_OTHERS.get(pod_labels(each)["app.kubernetes.io/component"], USER)
        assert {
            "fsGroupChangePolicy": "OnRootMismatch",
            **pod(each)["securityContext"],
        } == {
            **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), user),
            "fsGroupChangePolicy": "OnRootMismatch",
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        for one in containers(each):
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        assert pod(each)["automountServiceAccountToken"] is False


def test_pods_say_what_they_need(workloads: Objects) -> None:
    for one in (one for each in workloads for one in containers(each)):
        assert {"cpu", "memory"} <= set(one["resources"]["requests"])
        assert "memory" in one["resources"]["limits"]
        assert "cpu" not in one["resources"]["limits"]


def test_images_are_pinned(workloads: Objects) -> None:
    for one in (one for each in workloads for one in containers(each)):
        tag = one["image"].rpartition("/")[2].partition(":")[2]
        assert tag not in {"", "latest"}


def test_liveness_is_the_process_and_readiness_its_own_state(of_kind: OfKind) -> None:
    for each in of_kind("Deployment"):
        probes = {name: container(each)[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
        paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
        assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_a_pod_is_killed_only_when_it_had_the_time_to_end(of_kind: OfKind, objects: Objects) -> None:
    for each in of_kind("Deployment"):
        before = container(each)["lifecycle"]["preStop"]["sleep"]["seconds"]
        drain = float(environment(each, objects)["SERVICE_DRAIN_SECONDS"])
        readiness = container(each)["readinessProbe"]
        assert drain > readiness["periodSeconds"] * readiness["failureThreshold"]
        given = pod(each)["terminationGracePeriodSeconds"]
        assert before + drain + GRACE_SECONDS + OVERRUN_SECONDS + 5 < given


def test_an_autoscaler_and_a_deployment_never_both_set_the_number_of_pods(of_kind: OfKind) -> None:
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind("HorizontalPodAutoscaler")}
    fixed = {each["metadata"]["name"] for each in of_kind("Deployment") if "replicas" in each["spec"]}
    assert not scaled & fixed
    assert scaled | fixed == {each["metadata"]["name"] for each in of_kind("Deployment")}


def test_there_is_a_disruption_budget_exactly_where_there_are_more_pods_than_one(of_kind: OfKind) -> None:
    fewest = {
        each["metadata"]["name"]: each["spec"]["minReplicas"] for each in of_kind("HorizontalPodAutoscaler")
    }
    fewest |= {
        each["metadata"]["name"]: each["spec"]["replicas"]
        for each in of_kind("Deployment")
        if "replicas" in each["spec"]
    }
    budgets = {each["metadata"]["name"] for each in of_kind("PodDisruptionBudget")}
    assert budgets == {name for name, pods in fewest.items() if pods > 1}


def test_policies_select_every_pod_and_let_nothing_in_or_out_by_default(
    of_kind: OfKind, workloads: Objects
) -> None:
    policies = of_kind("NetworkPolicy")
    for policy in policies:
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        for rule in (*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ())):
            assert rule.get("from") or rule.get("to")
            assert rule["ports"]
    if not policies:
        return
    for each in workloads:
        labels = pod_labels(each).items()
        chosen = [one for one in policies if one["spec"]["podSelector"]["matchLabels"].items() <= labels]
        component = pod_labels(each)["app.kubernetes.io/component"]
        assert len(chosen) == (1 if component in UNREACHED else 2)
        assert any(one["spec"].get("egress") for one in chosen) != (component in SILENT)


def test_there_are_no_secrets_in_what_is_rendered(objects: Objects) -> None:
    if "gerai-postgres" not in {each["metadata"]["name"] for each in objects}:
        assert not [each for each in objects if each["kind"] == "Secret"]
    for each in objects:
        if each["kind"] == "ConfigMap":
            assert not [name for name in each["data"] if name.endswith(("PASSWORD", "SECRET", "CLIENTS"))]


def test_selectors_find_the_pods_of_their_workload_alone(of_kind: OfKind) -> None:
    for service in of_kind("Service"):
        found = [
            each["metadata"]["name"]
            for each in (*of_kind("Deployment"), *of_kind("StatefulSet"), *of_kind("CronJob"))
            if service["spec"]["selector"].items() <= pod_labels(each).items()
        ]
        assert found == [service["metadata"]["name"]]


def test_migrations_need_nothing_that_the_release_makes_later(of_kind: OfKind, objects: Objects) -> None:
    early = {
        (each["kind"], each["metadata"]["name"]): int(hook["helm.sh/hook-weight"])
        for each in objects
        if "pre-install" in (hook := each["metadata"].get("annotations", {})).get("helm.sh/hook", "")
    }
    ours = {(each["kind"], each["metadata"]["name"]) for each in objects}
    for job in of_kind("Job"):
        if job["metadata"]["labels"]["app.kubernetes.io/component"] == "provision":
            continue  # a part of the release
        weight = early["Job", job["metadata"]["name"]]
        assert early["ServiceAccount", pod(job)["serviceAccountName"]] < weight
        assert "envFrom" not in container(job)
        for variable in container(job)["env"]:
            secret = variable.get("valueFrom", {}).get("secretKeyRef", {}).get("name")
            if ("ExternalSecret", secret) in ours:
                assert early["ExternalSecret", secret] < weight
        assert "ttlSecondsAfterFinished" not in job["spec"]


def test_hooks_leave_nothing_behind(objects: Objects) -> None:
    for each in objects:
        hook = each["metadata"].get("annotations", {})
        if "helm.sh/hook" in hook:
            policy = "before-hook-creation,hook-succeeded,hook-failed"
            assert hook["helm.sh/hook-delete-policy"] == policy
            if each["kind"] in WORKLOADS:  # whose logs nobody could ask for later
                assert hook["helm.sh/hook-output-log-policy"] == "hook-succeeded,hook-failed"


def test_only_the_gateway_is_public(of_kind: OfKind) -> None:
    for each in of_kind("Ingress"):
        rules = each["spec"]["rules"]
        backends = [path["backend"]["service"]["name"] for rule in rules for path in rule["http"]["paths"]]
        assert [name.rpartition("-")[2] for name in backends] == ["gateway"]
        annotations = each["metadata"]["annotations"]
        prefix = "alb.ingress.kubernetes.io/"
        assert annotations[prefix + "target-type"] == "ip"
        assert annotations[prefix + "ssl-policy"].startswith("ELBSecurityPolicy-TLS13")
        attributes = dict(
            entry.split("=") for entry in annotations[prefix + "load-balancer-attributes"].split(",")
        )
        assert int(attributes["idle_timeout.timeout_seconds"]) < KEEP_ALIVE_SECONDS
