"""`python -m infra.seed`: demo data for a platform that is up."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from infra.embedded.state import find
from infra.seed.errors import SeedError
from infra.seed.fill import fill

MOST_CLIENTS = 100_000
MOST_STORES = 1_000_000


def main() -> None:
    """Load what the command line asks for; what goes wrong is told in a sentence."""
    arguments = _parser().parse_args()
    try:
        asyncio.run(fill(arguments.clients, arguments.stores, arguments.env_folder))
    except SeedError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped. What was loaded stays; the same command adds the rest.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./taskw seed --",
        description="Load demo data into the running platform: invented companies and stores in"
        " real cities. The same command adds nothing twice; a larger number adds the rest.",
    )
    parser.add_argument(
        "--clients", type=_number(1, MOST_CLIENTS), default=20, metavar="N", help="how many clients (20)"
    )
    parser.add_argument(
        "--stores", type=_number(0, MOST_STORES), default=500, metavar="N", help="how many stores (500)"
    )
    parser.add_argument(
        "--env-folder",
        type=Path,
        default=find(os.environ).environment_file("store-owner").parent,
        metavar="PATH",
        help="the folder with client-owner.env and store-owner.env, which name the databases (%(default)s)",
    )
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most:,}")

    return read


if __name__ == "__main__":
    main()
