"""What checkov says against the chart, and why that stays."""

import json
import subprocess
from pathlib import Path

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


def test_checkov_finds_nothing_but_what_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "objects.yaml"
    with_backups = ["--set", "backup.enabled=true"]
    file.write_text(template("--values", str(CHART / "values-production.yaml"), *with_backups))
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
    surprising = {
        (check, kind)
        for check, kind in failed
        if check not in ACCEPTED and not (kind == "Pod" and check in ACCEPTED_OF_PODS)
    }
    assert not surprising
    assert {check for check, _ in failed} == {*ACCEPTED, *ACCEPTED_OF_PODS}
