"""What the chart makes of values: objects, and the environment that a process would find in its pod."""

import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import yaml

from infra.chart.programs import program
from infra.chart.readme import CHART

Objects = list[dict[str, Any]]

STRONG = "k7Qm2Zr9Tx4Wb8Yc1Vd6Ne3Lf5Gh0Jp-"


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("helm"), *arguments], capture_output=True, text=True, check=False)


def template(*arguments: str) -> str:
    done = helm("template", "gerai", str(CHART), "--namespace", "gerai", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(values: Path, *arguments: str) -> Objects:
    return [each for each in yaml.safe_load_all(template("--values", str(values), *arguments)) if each]


def container(workload: dict[str, Any]) -> dict[str, Any]:
    """Return the container of a workload that stays."""
    return pod(workload)["containers"][0]


def containers(workload: dict[str, Any]) -> Objects:
    """Return all containers of a workload, those that run first included."""
    return [*pod(workload).get("initContainers", ()), *pod(workload)["containers"]]


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    return _template(workload)["spec"]


def pod_labels(workload: dict[str, Any]) -> dict[str, str]:
    return _template(workload)["metadata"]["labels"]


def _template(workload: dict[str, Any]) -> dict[str, Any]:
    if workload["kind"] == "Pod":
        return workload
    spec = workload["spec"]
    return (spec["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else spec)["template"]


def environment(workload: dict[str, Any], objects: Objects) -> dict[str, str]:
    """Return what the process would be given, with a made-up value for each secret that is not rendered."""
    maps = {each["metadata"]["name"]: each["data"] for each in objects if each["kind"] == "ConfigMap"}
    secrets = made_secrets(objects)
    found: dict[str, str] = {}
    for source in container(workload).get("envFrom", []):
        found |= maps[source["configMapRef"]["name"]]
    for variable in container(workload).get("env", []):
        reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
        made = secrets.get(reference.get("name"), {}).get(reference.get("key"))
        found[variable["name"]] = variable.get("value") or made or _secret(variable["name"])
    return found


def made_secrets(objects: Objects) -> dict[str, dict[str, str]]:
    """Return what is in the Secrets that are rendered, by name and key."""
    return {
        each["metadata"]["name"]: {key: b64decode(value).decode() for key, value in each["data"].items()}
        for each in objects
        if each["kind"] == "Secret"
    }


def _secret(name: str) -> str:
    special = {"ADMIN_EMAIL": "admin@gerai.example", "OAUTH_CLIENTS": f"client:{STRONG},store:{STRONG}x"}
    return special.get(name, STRONG)
