"""A namespace of a cluster, and a release of the chart in it."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.chart.programs import program
from infra.chart.readme import CHART

Done = subprocess.CompletedProcess[str]
Objects = list[dict[str, Any]]

PRODUCTION = CHART / "values-production.yaml"
_LIMIT_SECONDS = 120


@dataclass(frozen=True)
class Cluster:
    """What `helm` and `kubectl` are pointed at."""

    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Return what kubectl prints; it has to succeed."""
        command = [program("kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def helm(self, *arguments: str) -> Done:
        """Run helm, which may fail."""
        command = [program("helm"), f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Release:
    """The release `gerai` in a namespace of its own."""

    cluster: Cluster
    namespace: str

    def helm(self, command: str, *arguments: str) -> Done:
        """Run a command of helm on this release."""
        return self.cluster.helm(command, "gerai", f"--namespace={self.namespace}", *arguments)

    def install(self, values: Path, *arguments: str) -> Done:
        """Install the chart, and wait until all of it is ready unless told otherwise."""
        return self.helm("install", str(CHART), f"--values={values}", "--wait", "--timeout=2m", *arguments)

    def upgrade(self, *arguments: str) -> Done:
        """Upgrade to production's values and what is given here, and wait until all of it is ready."""
        return self.helm("upgrade", str(CHART), f"--values={PRODUCTION}", "--wait", *arguments)

    def kubectl(self, *arguments: str) -> str:
        """Return what kubectl prints of this namespace."""
        return self.cluster.kubectl(f"--namespace={self.namespace}", *arguments)

    def objects(self, kinds: str, *arguments: str) -> Objects:
        """Return the namespace's objects of one or more kinds, separated by commas."""
        return json.loads(self.kubectl("get", kinds, "--output=json", *arguments))["items"]

    def images(self) -> dict[str, str]:
        """Return the image that each Deployment wants."""
        return {
            each["metadata"]["name"]: each["spec"]["template"]["spec"]["containers"][0]["image"]
            for each in self.objects("deployments")
        }

    def status(self) -> str:
        """Return what helm thinks of the release's newest revision."""
        return json.loads(self.helm("status", "--output=json").stdout)["info"]["status"]


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; it has two minutes."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)
