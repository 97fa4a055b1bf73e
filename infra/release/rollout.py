"""Bringing a release to a cluster: upgrade, test, and back when the test fails."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from infra.chart.programs import program
from infra.chart.readme import CHART
from infra.release.run import ReleaseError, output, run

RELEASE = NAMESPACE = "gerai"

_TIMEOUT = "15m"  # migrations 10 min, then pods
_KEPT = 10


def roll_out(environment: str, digests: Path, namespace: str = NAMESPACE) -> None:
    """Upgrade the release to the images of `digests`, with the values of `environment`.

    An upgrade that fails is rolled back by Helm, one whose test fails by us. The schema stays: every version
    of the code runs on the next schema as well.

    Raises:
        ReleaseError: the release is what it was before, or Helm says why it could not be made so. A first one
            whose test fails is left to be looked at.
    """
    release = _Release(program("helm"), namespace)
    release.end_interrupted()
    before = release.deployed()
    values = ("--values", str(CHART / f"values-{environment}.yaml"), "--values", str(digests))
    careful = ("--rollback-on-failure", "--wait", "--timeout", _TIMEOUT, "--history-max", str(_KEPT))
    release.do("upgrade", str(CHART), "--install", *values, *careful)
    try:
        release.do("test", "--logs", "--timeout", "5m")
    except ReleaseError:
        if before is not None:
            release.go_back(before)
        raise


class _Revision(TypedDict):
    revision: int
    status: str


@dataclass(frozen=True)
class _Release:
    """The release in a namespace of the cluster that KUBECONFIG names."""

    helm: str
    namespace: str

    def do(self, command: str, *arguments: str) -> None:
        """Run a command of Helm on it."""
        run([self.helm, command, RELEASE, *arguments, "--namespace", self.namespace])

    def go_back(self, revision: int) -> None:
        """Make it what it was in an earlier revision."""
        self.do("rollback", str(revision), "--wait", "--timeout", _TIMEOUT)

    def end_interrupted(self) -> None:
        """Roll back what a killed runner left pending: as long as it is, Helm refuses to do anything else."""
        history = self._history()
        if not history or not history[-1]["status"].startswith("pending-"):
            return
        before = self.deployed()
        if before is None:
            self.do("uninstall", "--wait")
        else:
            self.go_back(before)

    def deployed(self) -> int | None:
        """Return the last revision that was deployed."""
        revisions = [each["revision"] for each in self._history() if each["status"] == "deployed"]
        return max(revisions, default=None)

    def _history(self) -> list[_Revision]:
        """Return its revisions, the newest last; a release that there is not has none."""
        told = ("--namespace", self.namespace, "--output", "json")
        names = json.loads(output([self.helm, "list", *told]))  # Helm 4 lists those that are pending, too
        if RELEASE not in {each["name"] for each in names}:
            return []
        return json.loads(output([self.helm, "history", RELEASE, *told]))
