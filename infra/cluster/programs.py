"""Kubernetes' control plane, its etcd and kwok, which pretends nodes and pods: built with Go into a cache."""

import hashlib
import re
import sys
from pathlib import Path

from infra.go import CannotBuild, compiler, run

MODULES = Path(__file__).parent
CACHE = Path.home() / ".cache" / "gerai" / "cluster"

PROGRAMS = {
    "etcd": ("etcd", "go.etcd.io/etcd/server/v3"),
    "kwok": ("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "kube-apiserver": ("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": ("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": ("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
}
"""For each program the folder of the go.mod that pins it, and its package."""


def programs(cache: Path = CACHE) -> Path:
    """Return the folder where the programs of these go.mod files are, or will be once they are built."""
    modules = sorted({module for module, _ in PROGRAMS.values()})
    pins = b"".join((MODULES / module / "go.mod").read_bytes() for module in modules)
    return cache / hashlib.sha256(pins).hexdigest()[:16]


def build(cache: Path = CACHE) -> Path:
    """Return a folder with every program; building them takes some ten minutes, once.

    Raises:
        CannotBuild: without Go, or when the modules cannot be had.
    """
    folder = programs(cache)
    if folder.exists():
        return folder
    go = compiler("The cluster is built with Go", ", or name a cluster with KUBECONFIG")
    print("Building Kubernetes, etcd and kwok; this takes some ten minutes, once.", file=sys.stderr)
    making = folder.with_suffix(".making")
    making.mkdir(parents=True, exist_ok=True)
    for name, (module, package) in PROGRAMS.items():
        _build(go, package, MODULES / module, making / name)
    # Moved at the end: what an interrupted build leaves is never taken for the whole.
    making.rename(folder)
    return folder


def _build(go: str, package: str, module: Path, program: Path) -> None:
    command = [go, "build", "-trimpath", "-ldflags", f"-s -w {_version()}", "-o", str(program), package]
    run(command, module, CGO_ENABLED="0")


def _version() -> str:
    """Return what tells Kubernetes its version, which Helm asks for; other programs ignore it."""
    found = re.search(r"k8s\.io/kubernetes v((\d+)\.(\d+)\.\d+)", (MODULES / "kubernetes/go.mod").read_text())
    if found is None:
        raise CannotBuild("infra/cluster/kubernetes/go.mod names no version of Kubernetes.")
    variables = {"gitVersion": f"v{found[1]}", "gitMajor": found[2], "gitMinor": found[3]}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in variables.items())
