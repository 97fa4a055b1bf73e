"""`python -m infra.squawk`: look for what is dangerous on a live database in the SQL of all migrations."""

import argparse
import sys
import tomllib
from pathlib import Path

from infra.squawk.linting import CannotLint, judge, lint

ROOT = Path(__file__).parents[2]
EXCLUSIONS = Path(__file__).with_name("exclusions.toml")
SERVICES = {name: ROOT / "services" / name / "migrations" for name in ("auth", "client", "store")}


def main() -> None:
    """Print what is to be mended, and fail when there is anything."""
    argparse.ArgumentParser(prog="python -m infra.squawk", description=__doc__).parse_args()
    try:
        told = judge(lint(SERVICES), tomllib.loads(EXCLUSIONS.read_text()))
    except CannotLint as failure:
        sys.exit(str(failure))
    if told:
        sys.exit("\n".join([*told, "docs/migrations.md says how it is done."]))


if __name__ == "__main__":
    main()
