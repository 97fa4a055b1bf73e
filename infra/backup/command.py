"""The command line of backups: what goes wrong is told in a sentence."""

import argparse
import errno
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from infra.backup.archive import Archive, Full
from infra.backup.errors import BackupError
from infra.backup.follow import follow, reserve
from infra.backup.full import make
from infra.backup.restore import restore
from infra.backup.server import Server
from infra.embedded.errors import StartError
from infra.embedded.postgres import cluster
from infra.embedded.settings import Settings, read, user_environment
from infra.embedded.state import ROOT, AlreadyRunningError, State, find


def main() -> int:
    """Carry out the command and return its exit status."""
    arguments = _parser().parse_args()
    person = user_environment(ROOT)
    try:
        state = find(os.environ)
        state.prepare()
        archive = _archive(person, state)
        if arguments.command == "restore":
            _restore(arguments, archive, state)
        elif arguments.list:
            _list(archive)
        else:
            _backup(arguments, _server(read(person), state), archive)
    except (BackupError, StartError) as error:
        print(error)
    except OSError as error:
        print(_told(error))
    except asyncpg.PostgresError as error:
        print(f"PostgreSQL refuses: {error}.")
    else:
        return 0
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./taskw",
        description="Backups are encrypted files in GERAI_BACKUP_DIR (.gerai/backups). Their key is in"
        " GERAI_BACKUP_KEY_FILE (.gerai/backup.key), made at the first backup: keep a copy elsewhere."
        " See docs/backup.md.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    backup = commands.add_parser("backup", help="make a full backup of all databases")
    what = backup.add_mutually_exclusive_group()
    what.add_argument(
        "--list", action="store_true", help="list the backups, and the times that can be restored"
    )
    what.add_argument("--follow", action="store_true", help="archive every change as it comes, until Ctrl-C")
    backup.add_argument(
        "--every", type=_positive, default=10, help="with --follow: seconds between archivings"
    )
    backup.add_argument("--keep", type=_positive, default=7, help="how many full backups to keep (7)")
    back = commands.add_parser("restore", help="restore all databases into a new server")
    back.add_argument(
        "--to", type=_time, required=True, help="just before this time, as 2026-11-25T14:03:00Z"
    )
    back.add_argument("--into", type=Path, help="the new server's folder (.gerai/restored-TIME)")
    back.add_argument(
        "--in-place", action="store_true", help="then exchange it for the stopped platform's data"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number, 1 or more")
    return int(text)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError("a time with its zone, such as 2026-11-25T14:03:00Z")
    return time.astimezone(UTC)


def _archive(person: dict[str, str], state: State) -> Archive:
    folder = Path(person.get("GERAI_BACKUP_DIR", state.folder / "backups"))
    key = Path(person.get("GERAI_BACKUP_KEY_FILE", state.folder / "backup.key"))
    return Archive((ROOT / folder).resolve(), (ROOT / key).resolve())


def _server(settings: Settings, state: State) -> Server:
    own = cluster(state.folder / "postgres")
    if settings.database_url:
        return Server(settings.database_url.reveal(), own.programs / "bin")
    if not own.data.exists():
        raise BackupError("There are no databases yet. Start the platform first: ./taskw up.")
    return Server(own.url(settings.postgres_port), own.programs / "bin")


def _backup(arguments: argparse.Namespace, server: Server, archive: Archive) -> None:
    if not arguments.follow:
        full = _make(server, archive, arguments.keep)
        if not archive.is_followed(full):
            print("Its dumps can be restored. To restore to any moment: ./taskw backup -- --follow.")
        return
    if reserve(server):
        print("Changes are kept from now on, which begins with a full backup.", flush=True)
        _make(server, archive, arguments.keep)
    print("Archiving every change until Ctrl-C.", flush=True)
    with suppress(KeyboardInterrupt):
        follow(server, archive, arguments.every, lambda _time: None)


def _make(server: Server, archive: Archive, keep: int) -> Full:
    print(f"Backing up to {archive.folder}", flush=True)
    full = make(server, archive, keep)
    print(
        f"Done: {full.size / 1e6:,.1f} MB. Its key is {archive.key_file}: keep a copy elsewhere.", flush=True
    )
    return full


def _list(archive: Archive) -> None:
    fulls, through = archive.fulls(), archive.through()
    for full in fulls:
        restorable = f"restorable from {full.ended.isoformat()}"
        what = restorable if archive.is_followed(full) else "its dumps alone: no change since is archived"
        print(f"{full.name}  {full.size / 1e6:>10,.1f} MB  {what}")
    if not fulls:
        print(f"There is no backup in {archive.folder}. Make one with ./taskw backup.")
    elif through:
        print(f"Changes are archived through {through.isoformat()}.")
    else:
        print("No changes are archived: ./taskw backup -- --follow does.")


def _restore(arguments: argparse.Namespace, archive: Archive, state: State) -> None:
    if not arguments.in_place:
        folder = arguments.into or state.folder / f"restored-{arguments.to:%Y%m%dT%H%M%SZ}"
        print(f"Restoring into {folder}", flush=True)
        restore(archive, arguments.to, folder)
        print(f"Done. {folder} holds a whole, stopped server. The same command with --in-place uses it.")
        return
    try:
        with state.lock():
            _exchange(arguments, archive, state)
    except AlreadyRunningError as error:
        raise BackupError(
            f"The platform runs, started by process {error.pid}. Stop it first: ./taskw down."
        ) from None


def _exchange(arguments: argparse.Namespace, archive: Archive, state: State) -> None:
    """Put a restored server in the place of the platform's own, which is kept."""
    place = state.folder / "postgres"
    draft = arguments.into or state.folder / f"restored-{arguments.to:%Y%m%dT%H%M%SZ}"
    restore(archive, arguments.to, draft)
    if place.exists() or place.is_symlink():
        aside = place.with_name(f"postgres-before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        place.rename(aside)
        print(f"What was there is kept as {aside}.")
    draft.rename(place)
    print("Done. Start the platform: ./taskw up. Make a full backup soon: the history begins anew.")


def _told(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "The disk is full; nothing unfinished was kept. Make room, or set GERAI_BACKUP_DIR."
    return f"Cannot use {error.filename or 'a file'}: {error.strerror or error}."
