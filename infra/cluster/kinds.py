"""Kinds that operators of others bring to Kubernetes: their definitions, out of the operators' Go modules."""

import json
import subprocess
from pathlib import Path

from infra.cluster.programs import MODULES
from infra.go import CannotBuild, compiler

_EXTERNAL_SECRETS = "github.com/external-secrets/external-secrets"
_PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"

KINDS = {
    "externalsecrets.external-secrets.io": (
        _EXTERNAL_SECRETS,
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
    "prometheusrules.monitoring.coreos.com": (
        _PROMETHEUS_OPERATOR,
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
    "servicemonitors.monitoring.coreos.com": (
        _PROMETHEUS_OPERATOR,
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
}
"""For each kind of the chart: the module, which operators/go.mod pins, and the file that defines it there."""


def definition(kind: str) -> Path:
    """Return the file that defines a kind, in Go's cache of modules; go.sum vouches for it.

    Raises:
        CannotBuild: without Go, or when the module cannot be had.
    """
    go = compiler(f"{kind} is defined in a Go module")
    module, file = KINDS[kind]
    command = [go, "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=MODULES / "operators", capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"{kind} cannot be had. Go said:\n{done.stdout}{done.stderr}")
    return Path(json.loads(done.stdout)["Dir"], file)
