import json
import subprocess
from pathlib import Path

import pytest
import yaml

from infra.chart.readme import CHART, render
from tests.helm.custom_resources import is_custom
from tests.helm.rendering import helm, template

KUBERNETES_VALIDATE = ["uv", "tool", "run", "--from", "kubernetes-validate==1.37.0", "kubernetes-validate"]


def test_lint_finds_nothing(values_file: Path) -> None:
    done = helm("lint", "--strict", "--quiet", str(CHART), "--values", str(values_file))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", ["1.33", "1.37"])
def test_objects_are_what_kubernetes_takes(values_file: Path, version: str, tmp_path: Path) -> None:
    objects = yaml.safe_load_all(template("--values", str(values_file), "--kube-version", version))
    standard = [each for each in objects if each and not is_custom(each)]
    file = tmp_path / "objects.yaml"
    file.write_text(yaml.safe_dump_all(standard))
    command = [*KUBERNETES_VALIDATE, "-k", version, "--strict", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARN" not in done.stdout + done.stderr  # which is all it says of a kind that it does not know


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": {"tag": "latest"}},
        {"services": {"auth": {"typo": 1}}},
        {"services": {"auth": {"config": {"DB_PASSWORD": "plain"}}}},
        {"services": {"auth": {"image": {"digest": "sha256:short"}}}},
        {"ingress": {"enabled": True, "host": "api.gerai.example"}},
        {"networkPolicies": {"database": []}},
        {"shutdown": {"preStopSeconds": 0}},
        {"database": {"host": ""}},
        {"nothing": {}},
        {"backup": {"schedule": "daily"}},
        {"backup": {"volume": {"accessMode": "ReadWriteOncePod"}}},
        {"inCluster": {"enabled": "yes"}},
        {"inCluster": {"postgres": {"image": "postgres:latest"}}},
        {"inCluster": {"redis": {"image": "redis"}}},
        {"inCluster": {"postgres": {"size": "much"}}},
        {"inCluster": {"adminEmail": "me"}},
    ],
)
def test_values_that_mean_nothing_or_harm_are_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(wrong))
    done = helm("template", "gerai", str(CHART), "--values", str(file))
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr


def test_the_readme_says_what_the_values_are() -> None:
    assert (CHART / "README.md").read_text() == render((CHART / "values.yaml").read_text())


def test_every_dashboard_is_given_to_grafana() -> None:
    root = CHART.parents[1]
    production = template("--values", str(CHART / "values-production.yaml"))
    for file in (root / "infra" / "grafana" / "dashboards").glob("*.json"):
        assert f"  {file.name}: |" in production


def test_every_rule_is_given_to_prometheus_as_it_is() -> None:
    rendered = yaml.safe_load_all(template("--values", str(CHART / "values-production.yaml")))
    given = [each["spec"]["groups"] for each in rendered if each and each["kind"] == "PrometheusRule"]
    files = sorted((CHART.parents[1] / "infra" / "prometheus" / "rules").glob("*.yml"))
    assert len(files) > 1
    assert given == [yaml.safe_load(file.read_text())["groups"] for file in files]
