"""The tools of Prometheus and Alertmanager, and the rules they are shown."""

import pytest

from infra.debian import ProgramMissing, program
from tests.alerts.rules import Promtool


def _found(name: str, package: str) -> str:
    try:
        return program(name, package)
    except ProgramMissing as missing:
        pytest.fail(str(missing))


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    return Promtool(_found("promtool", "prometheus"))


@pytest.fixture(scope="session")
def amtool() -> str:
    return _found("amtool", "prometheus-alertmanager")
