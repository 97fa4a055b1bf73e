"""What is built with Go, or is in one of its modules."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class CannotBuild(Exception):
    """Why it cannot be had, as a sentence."""


def compiler(why: str, instead: str = "") -> str:
    """Return the path of Go.

    Raises:
        CannotBuild: it is missing; the text says `why` it is needed, and what there is `instead`.
    """
    found = shutil.which("go")
    if found is None:
        raise CannotBuild(f"{why}, and Go is missing: install Go 1.26 or newer{instead}.")
    return found


def run(command: Sequence[str], folder: Path, **variables: str) -> None:
    """Run a command of a build in a folder, with more variables, and show its progress.

    Raises:
        CannotBuild: it fails; it says above why.
    """
    environment = {**os.environ, **variables}
    if subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False).returncode:
        raise CannotBuild(f"{' '.join(command)} failed in {folder}.")
