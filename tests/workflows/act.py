"""`python -m tests.workflows.act`: build act, which runs workflows of GitHub, unless it was built before."""

import sys
from pathlib import Path

from infra.go import CannotBuild, compiler, run

PACKAGE = "github.com/nektos/act@v0.2.89"
CACHE = Path.home() / ".cache" / "gerai" / "act"


def main() -> None:
    """Build it and print where it is; what is missing is told in a sentence."""
    try:
        print(build())  # noqa: T201 - for whoever runs this as a command
    except CannotBuild as error:
        sys.exit(str(error))


def program() -> Path:
    """Return where act is, or will be once it is built."""
    return CACHE / PACKAGE.rpartition("@")[2] / "act"


def build() -> Path:
    """Return act; building it takes a minute or two, and shows its progress.

    Raises:
        CannotBuild: without Go, or when its modules cannot be had.
    """
    act = program()
    if not act.exists():
        go = compiler("act, which runs workflows, is built with Go")
        act.parent.mkdir(parents=True, exist_ok=True)
        print("Building act; this takes a minute or two, once.", file=sys.stderr)  # noqa: T201 - progress
        run([go, "install", PACKAGE], act.parent, GOBIN=str(act.parent))
    return act


if __name__ == "__main__":
    main()
