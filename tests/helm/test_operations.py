"""What docs/operations.md says of the chart, the tasks and the files is so."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.chart.readme import CHART
from tests.helm.rendering import helm, render

ROOT = CHART.parents[1]
TEXT = (ROOT / "docs" / "operations.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


def test_every_task_and_every_file_it_names_exists() -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
    named = set(re.findall(r"\./taskw ([a-z][a-z:]*)", TEXT))
    assert {"db:provision", "db:report", "image:build", "release", "smoke"} <= named <= set(tasks)
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    files = set(re.findall(r"(?<![\w/])(?:infra|helm)/[\w./-]+", TEXT))
    assert {file for file in files if not (ROOT / file.rstrip(".")).exists()} == set()


def test_its_upgrade_is_one_that_the_chart_takes(tmp_path: Path) -> None:
    [command] = [line for line in COMMANDS if line.startswith("helm upgrade")]
    words = shlex.split(command)[2:]
    digests = {
        name: {"image": {"digest": f"sha256:{'0' * 64}"}} for name in ("gateway", "auth", "client", "store")
    }
    release = tmp_path / "release.json"
    release.write_text(json.dumps({"image": {"registry": "registry.example"}, "services": digests}))
    only_upgrading = {
        "--install",
        "--rollback-on-failure",
        "--wait",
        "--timeout",
        "15m",
        "--history-max",
        "10",
    }
    kept = [str(release) if word == "release.json" else word for word in words if word not in only_upgrading]
    done = helm("template", *[str(CHART) if word == "helm/gerai" else word for word in kept])
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.count(f"registry.example/gerai/auth@sha256:{'0' * 64}") >= 2
    )  # the service, its migration
    known = helm("upgrade", "--help").stdout
    assert [word for word in only_upgrading if word.startswith("--") and f" {word} " not in known] == []


@pytest.fixture(scope="module")
def production() -> list[dict[str, Any]]:
    return render(CHART / "values-production.yaml")


def test_the_secrets_are_those_that_the_chart_asks_for(production: list[dict[str, Any]]) -> None:
    asked: dict[str, set[str]] = {}
    for each in production:
        if each["kind"] == "ExternalSecret":
            for entry in each["spec"]["data"]:
                asked.setdefault(entry["remoteRef"]["key"], set()).add(entry["remoteRef"]["property"])
    told: dict[str, set[str]] = {}
    for names, keys in re.findall(r"^\| (`gerai/production/.*?) \| (.*) \|$", TEXT, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", names):
            told[name] = set(re.findall(r"`([^`]+)`", keys))
    assert told == asked


def test_every_value_it_names_is_one_of_the_chart() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    roots = "|".join(values)
    named = set(re.findall(rf"`((?:{roots})\.[A-Za-z.]+)`", TEXT))
    assert len(named) > 8
    for path in named:
        found = values
        parts = path.split(".")
        if parts[0] == "services" and parts[2] not in values["services"][parts[1]]:
            found, parts = values["defaults"], parts[2:]
        for part in parts:
            assert part in found, path
            found = found[part]


def test_objects_it_names_are_those_that_values_refer_to(production: list[dict[str, Any]]) -> None:
    values = yaml.safe_load((CHART / "values-production.yaml").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    assert f"kubectl create configmap {values['trustBundle']['configMap']} " in TEXT
    assert f"--from-file {defaults['trustBundle']['key']}\n" in TEXT
    assert f"`{defaults['externalSecrets']['store']['name']}`" in TEXT
    most = values["defaults"]["autoscaling"]["maxReplicas"]
    pool = defaults["database"]["poolSize"] + 2
    databases = sum("database" in service for service in defaults["services"].values())
    assert (
        f"{databases} services × ({most} + 1 surging) pods × {pool} = {databases * (most + 1) * pool}" in TEXT
    )
    assert production


def test_variables_of_environments_are_those_of_the_pipeline() -> None:
    pipeline = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    for name in set(re.findall(r"vars\.([A-Z_]+)", pipeline)):
        assert f"`{name}`" in TEXT
