from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.chart.readme import CHART
from tests.helm.rendering import Objects, render

FILES = [*sorted(CHART.glob("values-*.yaml")), *sorted((CHART / "ci").glob("*.yaml"))]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.helm)


@pytest.fixture(scope="session", params=FILES, ids=lambda file: file.stem)
def values_file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(scope="session")
def objects(values_file: Path) -> Objects:
    return render(values_file)


@pytest.fixture(scope="session")
def of_kind(objects: Objects) -> Callable[[str], list[Any]]:
    return lambda kind: [each for each in objects if each["kind"] == kind]
