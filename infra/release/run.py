"""Running the programs that a release is made with."""

import subprocess
import sys
from collections.abc import Sequence


class ReleaseError(Exception):
    """What stops a release, as a sentence."""


def run(command: Sequence[str], *, given: str | None = None) -> None:
    """Run a program that shows what it does.

    Raises:
        ReleaseError: it fails.
    """
    print("+", *command, file=sys.stderr, flush=True)
    if subprocess.run(command, input=given, text=True, check=False).returncode:
        raise ReleaseError(f"{' '.join(command[:3])} … failed; it says above why.")


def output(command: Sequence[str]) -> str:
    """Return what a program prints.

    Raises:
        ReleaseError: it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[:3])} … failed: {done.stderr.strip()}")
    return done.stdout.strip()
