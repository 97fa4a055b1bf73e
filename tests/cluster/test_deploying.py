"""What the pipeline does with Helm, done with the real one on a real API server."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from infra.chart.programs import program
from infra.chart.readme import CHART
from infra.release import rollout
from infra.release.images import SERVICES
from infra.release.rollout import roll_out
from tests.cluster.release import Release, until

# Pods that kwok pretends have no logs, and Helm fails where it cannot show them.
WITHOUT_LOGS = """#!/bin/bash
for argument; do
  shift
  [ "$argument" = --logs ] || set -- "$@" "$argument"
done
exec {helm} "$@"
"""


@pytest.fixture
def release(empty: Release, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Release:
    helm = tmp_path / "helm"
    helm.write_text(WITHOUT_LOGS.format(helm=shlex.quote(program("helm"))))
    helm.chmod(0o755)
    monkeypatch.setattr(rollout, "program", {"helm": str(helm)}.__getitem__)
    monkeypatch.setenv("KUBECONFIG", str(empty.cluster.kubeconfig))
    return empty


def digests(folder: Path, digit: str) -> Path:
    """Write what `publish` does, for images whose digests are all this digit."""
    services = {name: {"image": {"digest": f"sha256:{digit * 64}"}} for name in SERVICES}
    file = folder / f"{digit}.json"
    backup = {"image": {"digest": f"sha256:{digit * 64}"}}
    release = {"image": {"registry": "registry.example"}, "backup": backup, "services": services}
    file.write_text(json.dumps(release))
    return file


def history(release: Release) -> list[str]:
    told = release.helm("history", "--output=json").stdout
    return [each["status"] for each in json.loads(told or "[]")]


def test_the_first_release_and_the_next_one(release: Release, tmp_path: Path) -> None:
    roll_out("production", digests(tmp_path, "1"), release.namespace)
    roll_out("production", digests(tmp_path, "2"), release.namespace)
    assert history(release) == ["superseded", "deployed"]
    assert release.images() == {
        f"gerai-{name}": f"registry.example/gerai/{name}@sha256:{'2' * 64}" for name in SERVICES
    }


def test_what_a_killed_runner_left_does_not_stop_the_next(release: Release, tmp_path: Path) -> None:
    roll_out("production", digests(tmp_path, "1"), release.namespace)
    values = f"--values={CHART / 'values-production.yaml'}"
    command = [program("helm"), "upgrade", "gerai", str(CHART), f"--namespace={release.namespace}", values]
    with subprocess.Popen([*command, "--set=image.tag=broken", "--wait", "--timeout=5m"]) as runner:
        until(lambda: history(release)[-1] == "pending-upgrade")
        runner.kill()
    roll_out("production", digests(tmp_path, "2"), release.namespace)
    assert history(release)[-1] == "deployed"
    assert set(release.images().values()) == {
        f"registry.example/gerai/{name}@sha256:{'2' * 64}" for name in SERVICES
    }
