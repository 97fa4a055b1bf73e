"""`python -m infra.report`: tell how the databases are, and what to do about it."""

import argparse
import asyncio
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from infra.report.databases import SERVICES, Place, ReportError, of_platform, of_url
from infra.report.report import report
from infra.report.text import lines

_WIDTH = 160  # where nobody says how wide the terminal is


def main() -> None:
    """Print the report; what goes wrong is told in a sentence."""
    arguments = _parser().parse_args()
    try:
        asyncio.run(_run(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads it, such as `head`, has seen enough: neither tell of it now nor at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ReportError as error:
        sys.exit(str(error))
    except (asyncpg.PostgresError, OSError, ValueError) as error:
        said = str(error) or type(error).__name__
        sys.exit(
            f"The database cannot be asked: {said}. Start the platform (./taskw up), or check DATABASE_URL."
        )


async def _run(arguments: argparse.Namespace) -> None:
    url = os.environ.get("DATABASE_URL")
    services = (arguments.service,) if arguments.service else SERVICES
    for place in await of_url(url) if url else of_platform(arguments.env_folder, services):
        await _print(place)


async def _print(place: Place) -> None:
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    print(f"{place.name}, {datetime.now(UTC):%Y-%m-%d %H:%M:%S %Z}", "=" * 40, sep="\n", end="\n\n")
    async for answer in report(place):
        print(*lines(answer, width), sep="\n", end="\n\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./taskw db:report --",
        description="Report on the running platform's databases, or on that of DATABASE_URL: where that is"
        " `postgres`, on every one of ours there. It only reads; a role with pg_monitor sees all but rows.",
    )
    parser.add_argument("--service", choices=SERVICES, help="only this service's database (all)")
    parser.add_argument(
        "--env-folder", type=Path, default=Path(".gerai/env"), help="where the platform's dotenv files are"
    )
    return parser


if __name__ == "__main__":
    main()
