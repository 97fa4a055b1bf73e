"""Every object is held against the schema of its kind, an operator's too, by the server itself."""

import subprocess
from pathlib import Path

import pytest
import yaml

from infra.chart.programs import program
from infra.chart.readme import CHART
from tests.cluster.release import PRODUCTION, Done, Release
from tests.helm.custom_resources import break_field
from tests.helm.rendering import Objects, render

EVERYTHING = CHART / "ci" / "everything.yaml"
FILES = [*sorted(CHART.glob("values-*.yaml")), *sorted(EVERYTHING.parent.glob("*.yaml"))]
CUSTOM = {"ExternalSecret", "ServiceMonitor", "PrometheusRule"}


@pytest.mark.parametrize("values", FILES, ids=lambda file: file.stem)
def test_a_server_knows_every_field_of_every_object(empty: Release, values: Path) -> None:
    # A pod is refused as long as its ServiceAccount is not there; `helm test` makes ours.
    done = _shown(empty, [each for each in render(values) if each["kind"] != "Pod"])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("values", [PRODUCTION, EVERYTHING], ids=lambda file: file.stem)
def test_there_are_objects_of_every_kind_that_an_operator_defines(values: Path) -> None:
    assert {each["kind"] for each in render(values)} > CUSTOM


@pytest.mark.parametrize(
    ("kind", "field", "value", "told"),
    [
        ("ExternalSecret", "data.0.remoteRef.key", None, "remoteRef.key: Required value"),
        ("ExternalSecret", "target.creationPolicy", "Mine", "Unsupported value"),
        ("ExternalSecret", "refreshPeriod", "1h", 'unknown field "spec.refreshPeriod"'),
        ("ServiceMonitor", "endpoints.0.interval", "soon", "endpoints[0].interval: Invalid value"),
        ("ServiceMonitor", "endpoints.0.relabelings.0.action", "rename", "Unsupported value"),
        ("ServiceMonitor", "endpoints.0.ports", "http", 'unknown field "spec.endpoints[0].ports"'),
        ("PrometheusRule", "groups.0.rules.0.expr", None, "rules[0].expr: Required value"),
        ("PrometheusRule", "groups.0.rules.0.for", "long", "rules[0].for: Invalid value"),
        ("PrometheusRule", "groups.0.rules.0.alarm", "Loud", 'unknown field "spec.groups[0].rules[0].alarm"'),
    ],
)
def test_a_field_that_is_wrong_is_refused(
    empty: Release, kind: str, field: str, value: str | None, told: str
) -> None:
    objects = [each for each in render(PRODUCTION) if each["kind"] == kind]
    break_field(objects[0], field, value)
    done = _shown(empty, objects)
    assert done.returncode != 0
    assert told in done.stderr


def _shown(release: Release, objects: Objects) -> Done:
    """Have the server validate the objects strictly, and keep none."""
    for each in objects:
        each["metadata"]["namespace"] = release.namespace
    arguments = ["create", "--dry-run=server", "--validate=strict", "--filename=-"]
    command = [program("kubectl"), f"--kubeconfig={release.cluster.kubeconfig}", *arguments]
    manifest = yaml.safe_dump_all(objects)
    return subprocess.run(command, input=manifest, capture_output=True, text=True, check=False)
