"""What operators are given is held against the schemas of their kinds, without them and without a cluster."""

from copy import deepcopy
from pathlib import Path

import pytest

from infra.chart.readme import CHART
from infra.go import CannotBuild
from tests.helm.custom_resources import Schemas, break_field, faults, is_custom, served
from tests.helm.rendering import Objects, render

PRODUCTION = CHART / "values-production.yaml"
EVERYTHING = CHART / "ci" / "everything.yaml"
CUSTOM = {"ExternalSecret", "PrometheusRule", "ServiceMonitor"}


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    try:
        return served()
    except CannotBuild as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="module")
def production() -> Objects:
    return render(PRODUCTION)


def test_operators_know_every_field_of_every_object_of_theirs(objects: Objects, schemas: Schemas) -> None:
    found = {each["metadata"]["name"]: faults(each, schemas) for each in objects if is_custom(each)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("values", [PRODUCTION, EVERYTHING], ids=lambda file: file.stem)
def test_there_are_objects_of_every_kind_that_an_operator_defines(values: Path, schemas: Schemas) -> None:
    assert {each["kind"] for each in render(values) if is_custom(each)} == CUSTOM
    assert {kind for _, kind in schemas} == CUSTOM


@pytest.mark.parametrize(
    ("kind", "field", "value", "told"),
    [
        ("ExternalSecret", "data.0.remoteRef.key", None, "data[0].remoteRef: 'key' is a required property"),
        ("ExternalSecret", "target.creationPolicy", "Mine", "target.creationPolicy: 'Mine' is not one of"),
        ("ExternalSecret", "refreshPeriod", "1h", "('refreshPeriod' was unexpected)"),
        ("ServiceMonitor", "endpoints.0.interval", "soon", "endpoints[0].interval: 'soon' does not match"),
        ("ServiceMonitor", "endpoints.0.relabelings.0.action", "rename", "'rename' is not one of"),
        ("ServiceMonitor", "endpoints.0.ports", "http", "endpoints[0]: Additional properties"),
        ("PrometheusRule", "groups.0.rules.0.expr", None, "rules[0]: 'expr' is a required property"),
        ("PrometheusRule", "groups.0.rules.0.for", "long", "rules[0].for: 'long' does not match"),
        ("PrometheusRule", "groups.0.rules.0.alarm", "Loud", "('alarm' was unexpected)"),
    ],
)
def test_a_field_that_is_wrong_is_refused(
    kind: str, field: str, value: str | None, told: str, production: Objects, schemas: Schemas
) -> None:
    each = deepcopy(next(each for each in production if each["kind"] == kind))
    break_field(each, field, value)
    [fault] = faults(each, schemas)
    assert told in fault


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"apiVersion": "external-secrets.io/v1beta1"}, "$: no operator of infra/cluster/kinds.py serves"),
        ({"metadata": {"name": "a", "namespace": "b", "label": {}}}, "$.metadata: Additional properties"),
        ({"metadata": {"name": "a"}}, "$.metadata: 'namespace' is a required property"),
        ({"specs": {}}, "$: Additional properties"),
        ({"spec": {"refreshInterval": 60}}, "$.spec.refreshInterval: 60 is not of type 'string'"),
    ],
)
def test_an_object_that_is_wrong_is_refused(
    part: dict[str, object], told: str, production: Objects, schemas: Schemas
) -> None:
    each = next(each for each in production if each["kind"] == "ExternalSecret")
    [fault] = faults({**each, **part}, schemas)
    assert fault.startswith(told)
