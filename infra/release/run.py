"""Running the programs that a release is made with."""

import subprocess
import sys
from collections.abc import Sequence


class ReleaseError(Exception):
    """What stops a release, as a sentence."""


def run(command: Sequence[str]) -> None:
    """Run a program that shows what it does.

    Raises:
        ReleaseError: it is missing, or fails.
    """
    print("+", *command, file=sys.stderr, flush=True)
    if _done(command, None).returncode:
        raise ReleaseError(f"{' '.join(command[:3])} … failed; it says above why.")


def output(command: Sequence[str]) -> str:
    """Return what a program prints.

    Raises:
        ReleaseError: it is missing, or fails.
    """
    done = _done(command, subprocess.PIPE)
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[:3])} … failed: {done.stderr.strip()}")
    return done.stdout.strip()


def _done(command: Sequence[str], told: int | None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, stdout=told, stderr=told, text=True, check=False)
    except FileNotFoundError:
        raise ReleaseError(f"{command[0]} is missing: install it and put it on PATH.") from None
