"""What Prometheus and Alertmanager say of their configuration."""

import subprocess

import pytest

from infra.embedded.state import ROOT
from tests.alerts.rules import Promtool

pytestmark = pytest.mark.alerts

PROMETHEUS = str(ROOT / "infra" / "prometheus" / "prometheus.yml")
ALERTMANAGER = str(ROOT / "infra" / "alertmanager" / "alertmanager.yml")
NOBODY = str(ROOT / "infra" / "alertmanager" / "nobody.yml")


def test_prometheus_takes_its_configuration_and_rules(promtool: Promtool) -> None:
    done = promtool.run("check", "config", "--lint-fatal", PROMETHEUS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("file", [ALERTMANAGER, NOBODY])
def test_alertmanager_takes_its_configuration(amtool: str, file: str) -> None:
    done = subprocess.run([amtool, "check-config", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=ServiceDown", "severity=page", "service=store"], "page"),
        (["alertname=DeadLetters", "severity=ticket", "service=store"], "ticket"),
        (["alertname=Unheard", "severity=loud"], "ticket"),
    ],
)
def test_an_alert_reaches_who_it_is_for(amtool: str, labels: list[str], receiver: str) -> None:
    command = [amtool, "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [receiver], done.stderr
