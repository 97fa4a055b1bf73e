"""Bringing a release to a cluster: upgrade, test, and back when the test fails."""

import json
from pathlib import Path
from typing import TypedDict

from infra.chart.programs import program
from infra.chart.readme import CHART
from infra.release.run import ReleaseError, output, run

RELEASE = NAMESPACE = "gerai"

_IN = ("--namespace", NAMESPACE)
_TIMEOUT = "15m"  # migrations 10 min, then pods
_KEPT = 10


class _Revision(TypedDict):
    revision: int
    status: str


def roll_out(environment: str, digests: Path) -> None:
    """Upgrade the release to the images of `digests`, with the values of `environment`.

    An upgrade that fails is rolled back by Helm, one whose test fails by us. The schema stays: every version
    of the code runs on the next schema as well.

    Raises:
        ReleaseError: the release is what it was before, or Helm says why it could not be made so.
    """
    helm = program("helm")
    _end_interrupted(helm)
    before = _deployed(helm)
    values = ("--values", str(CHART / f"values-{environment}.yaml"), "--values", str(digests))
    careful = ("--rollback-on-failure", "--wait", "--timeout", _TIMEOUT, "--history-max", str(_KEPT))
    run([helm, "upgrade", "--install", RELEASE, str(CHART), *_IN, *values, *careful])
    try:
        run([helm, "test", RELEASE, *_IN, "--logs", "--timeout", "5m"])
    except ReleaseError:
        if before is not None:
            run([helm, "rollback", RELEASE, str(before), *_IN, "--wait", "--timeout", _TIMEOUT])
        raise


def _end_interrupted(helm: str) -> None:
    """Roll back an operation whose runner was killed: as long as it is pending, Helm refuses another one."""
    history = _history(helm)
    if not history or not history[-1]["status"].startswith("pending-"):
        return
    before = _deployed(helm)
    if before is None:
        run([helm, "uninstall", RELEASE, *_IN, "--wait"])
    else:
        run([helm, "rollback", RELEASE, str(before), *_IN, "--wait", "--timeout", _TIMEOUT])


def _deployed(helm: str) -> int | None:
    """Return the last revision that was deployed."""
    revisions = [each["revision"] for each in _history(helm) if each["status"] == "deployed"]
    return max(revisions, default=None)


def _history(helm: str) -> list[_Revision]:
    """Return the revisions of the release, the newest last; a release that there is not has none."""
    names = json.loads(output([helm, "list", *_IN, "--all", "--output", "json"]))
    if RELEASE not in {each["name"] for each in names}:
        return []
    return json.loads(output([helm, "history", RELEASE, *_IN, "--output", "json"]))
