"""What checkov says against the chart, and why that stays."""

import json
import subprocess
from pathlib import Path

import pytest

from infra.chart.readme import CHART
from tests.helm.rendering import template

CHECKOV = ["uv", "tool", "run", "--from", "checkov==3.3.30", "checkov"]
ACCEPTED = {
    "CKV_K8S_11": "no limit of CPU: throttling shows in the slowest requests; requests share out the cores",
    "CKV_K8S_15": "tags are immutable in the registry, so a node need not ask again",
    "CKV_K8S_35": "processes read variables; the key that signs is a file",
    "CKV_K8S_43": "the pipeline sets the digest of each image, the files of values cannot know it",
}
ACCEPTED_OF_PODS = {
    "CKV_K8S_8": "the pod of `helm test` runs once and ends",
    "CKV_K8S_9": "nothing is sent to it",
}
ACCEPTED_OF_SERVERS = {"CKV_K8S_40": "the official images of PostgreSQL and Redis know the user 999"}


@pytest.mark.parametrize(
    ("values", "accepted"),
    [
        (["--values", str(CHART / "values-production.yaml"), "--set", "backup.enabled=true"], {}),
        (["--values", str(CHART / "ci" / "in-cluster.yaml")], ACCEPTED_OF_SERVERS),
    ],
    ids=["production", "in-cluster"],
)
def test_checkov_finds_nothing_but_what_is_accepted(
    values: list[str], accepted: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text(template(*values))
    command = [
        *CHECKOV,
        "--file",
        str(file),
        "--framework",
        "kubernetes",
        "--skip-download",
        "--output",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert found["summary"]["passed"] > 500
    failed = {
        (each["check_id"], each["resource"].partition(".")[0]) for each in found["results"]["failed_checks"]
    }
    of_kinds = {"Pod": ACCEPTED_OF_PODS, "StatefulSet": accepted}
    assert not {(check, kind) for check, kind in failed if check not in {*ACCEPTED, *of_kinds.get(kind, ())}}
    assert {check for check, _ in failed} == {*ACCEPTED, *ACCEPTED_OF_PODS, *accepted}
