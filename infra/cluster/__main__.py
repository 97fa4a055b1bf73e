"""`python -m infra.cluster`: get a Kubernetes without machines, and the kinds that operators bring to it."""

import argparse
import os
import sys

from infra.cluster.kinds import KINDS, definition
from infra.cluster.programs import build
from infra.go import CannotBuild


def main() -> None:
    """Build it and print where it is; what is missing is told in a sentence."""
    argparse.ArgumentParser(prog="python -m infra.cluster", description=__doc__).parse_args()
    if kubeconfig := os.environ.get("KUBECONFIG"):
        print(f"The cluster of {kubeconfig} is used; nothing is built.")
        return
    try:
        for kind in KINDS:
            definition(kind)
        print(build())
    except CannotBuild as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
