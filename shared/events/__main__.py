"""`python -m shared.events`: publish events again, and look after those that could not be handled."""

# ruff: noqa: T201 - it talks to a person

import argparse
import asyncio
import re
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dotenv import dotenv_values
from sqlalchemy.exc import SQLAlchemyError

from shared.config import ConfigurationError, DatabaseConfig, Fragment, load, process_environment
from shared.db import Database
from shared.events import dead_letters, outbox
from shared.events.dead_letters import DeadLetter
from shared.events.outbox import Outbox

SERVICES = ("auth", "client", "store")

_APPLICATION = "gerai-events"
_SPAN = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LETTER = re.compile(r"(?P<service>[a-z_]+)/(?P<id>[0-9]{1,18})")


class EventsError(Exception):
    """What stops a command, as a sentence for the person who gave it."""


class EventsConfig(Fragment, frozen=True, kw_only=True):
    """The connection of a service, with the rights of its application role."""

    database: DatabaseConfig


def main() -> None:
    """Do what the command line asks for; what goes wrong is told in a sentence."""
    arguments = _parser().parse_args()
    try:
        asyncio.run(_run(arguments))
    except EventsError as error:
        sys.exit(str(error))
    except (*outbox.FAILURES, SQLAlchemyError) as error:
        said = str(error) or "it does not answer"
        sys.exit(f"The database cannot be used ({said}). Is the platform running? ./taskw up starts it.")


async def _run(arguments: argparse.Namespace) -> None:
    databases = _databases(arguments.env_folder, arguments.service)
    if arguments.command == "replay":
        await _replay(databases, arguments.since)
    elif arguments.action == "list":
        await _list(databases)
    elif arguments.action == "show":
        await _show(databases, arguments.id)
    else:
        await _redrive(databases, arguments.id)


async def _replay(databases: dict[str, DatabaseConfig], since: datetime) -> None:
    for service, config in databases.items():
        async with Outbox(config, _APPLICATION) as queue:
            count = await queue.requeue(since)
        print(f"{service}: {count:,} changes since {since:%Y-%m-%d %H:%M:%S %Z} are published again")


async def _list(databases: dict[str, DatabaseConfig]) -> None:
    found = 0
    for service, config in databases.items():
        async with _opened(config) as database:
            for letter in await dead_letters.list_all(database):
                found += 1
                print(_line(service, letter))
    print(f"{found} dead letters" if found else "No dead letters")


async def _show(databases: dict[str, DatabaseConfig], name: str) -> None:
    service, config, id_ = _chosen(databases, name)
    async with _opened(config) as database:
        letter = await dead_letters.find(database, id_)
    if letter is None:
        raise EventsError(f"There is no dead letter {name}.")
    print(_line(service, letter), letter.reason, letter.event, sep="\n")


async def _redrive(databases: dict[str, DatabaseConfig], name: str) -> None:
    chosen: Sequence[tuple[str, DatabaseConfig, int | None]] = (
        [(service, config, None) for service, config in databases.items()]
        if name == "all"
        else [_chosen(databases, name)]
    )
    count = 0
    for _, config, id_ in chosen:
        async with _opened(config) as database:
            count += await dead_letters.redrive(database, id_)
    if not count and name != "all":
        raise EventsError(f"There is no dead letter {name}.")
    print(f"{count} dead letters will be handled once more; those that fail again stay in the list")


def _line(service: str, letter: DeadLetter) -> str:
    state = "waits to be handled once more" if letter.redrive_at else f"{letter.attempts} attempts"
    first_line = letter.reason.partition("\n")[0][:120]
    failed_at = f"{letter.failed_at:%Y-%m-%d %H:%M:%S %Z}"
    return "  ".join([f"{service}/{letter.id}", failed_at, letter.stream, state, first_line])


def _chosen(databases: dict[str, DatabaseConfig], name: str) -> tuple[str, DatabaseConfig, int]:
    parts = _LETTER.fullmatch(name)
    if parts is None or parts["service"] not in databases:
        raise EventsError(f"'{name}' is no dead letter: give one as the list shows it, such as store/1.")
    return parts["service"], databases[parts["service"]], int(parts["id"])


def _databases(folder: Path | None, service: str | None) -> dict[str, DatabaseConfig]:
    """Return the database of each service whose environment is in `folder`, or of the one we run in."""
    if folder is None:
        config = _read("the environment", process_environment())
        return {service or config.name.removeprefix("gerai_"): config}
    databases: dict[str, DatabaseConfig] = {}
    for name in [service] if service else SERVICES:
        file = folder / f"{name}.env"
        if not file.exists():
            raise EventsError(f"There is no {file}, so there is no platform here. Start it first: ./taskw up")
        values = dotenv_values(file, interpolate=False)
        databases[name] = _read(str(file), {key: value for key, value in values.items() if value})
    return databases


def _read(source: str, values: dict[str, str]) -> DatabaseConfig:
    try:
        return load(EventsConfig, values).database
    except ConfigurationError as error:
        raise EventsError(f"{source}: {error}") from None


@asynccontextmanager
async def _opened(config: DatabaseConfig) -> AsyncGenerator[Database]:
    database = Database(config, _APPLICATION)
    try:
        yield database
    finally:
        await database.close()


def _since(text: str) -> datetime:
    span = _SPAN.fullmatch(text)
    if span:
        return datetime.now(UTC) - timedelta(**{_UNITS[span["unit"]]: int(span["number"])})
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"'{text}' is neither a span such as 90m, 2h or 1d"
            " nor an instant such as 2026-11-23T08:00:00+07:00"
        )
    return instant


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--service", choices=SERVICES, help="only this service (all)")
    common.add_argument(
        "--env-folder",
        type=Path,
        metavar="PATH",
        help="the folder with a dotenv file of each service (the environment of one service)",
    )
    parser = argparse.ArgumentParser(prog="python -m shared.events", description="Events of the services.")
    commands = parser.add_subparsers(dest="command", required=True)
    replay = commands.add_parser("replay", parents=[common], help="publish changes again")
    replay.add_argument(
        "--since",
        type=_since,
        required=True,
        metavar="TIME",
        help="those since then: a span such as 90m, 2h or 1d, or an instant of RFC 3339",
    )
    dead = commands.add_parser("dead", help="events that a consumer gave up on")
    actions = dead.add_subparsers(dest="action", required=True)
    actions.add_parser("list", parents=[common], help="list them, the oldest first")
    show = actions.add_parser("show", parents=[common], help="show one, with its event")
    show.add_argument("id", metavar="ID", help="as the list shows it, such as store/1")
    redrive = actions.add_parser("redrive", parents=[common], help="have one handled once more, or all")
    redrive.add_argument("id", metavar="ID|all", help="as the list shows it, such as store/1")
    return parser


if __name__ == "__main__":
    main()
