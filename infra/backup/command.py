"""The command line of backups: what goes wrong is told in a sentence."""

import argparse
import errno
import os
import signal
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from infra.backup import metrics, programs
from infra.backup.archive import Archive, Full
from infra.backup.drill import drill
from infra.backup.dumps import take
from infra.backup.errors import BackupError
from infra.backup.follow import follow, reserve
from infra.backup.full import make
from infra.backup.options import parser
from infra.backup.programs import Clusters
from infra.backup.restore import restore
from infra.backup.server import Server
from infra.embedded.errors import StartError
from infra.embedded.postgres import Cluster
from infra.embedded.settings import Settings, read, user_environment
from infra.embedded.state import ROOT, AlreadyRunningError, State, find


def main() -> int:
    """Carry out the command and return its exit status."""
    arguments = parser().parse_args()
    # Asked to end, as by Ctrl-C. The first process of a container would not even end otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _carry_out(arguments, user_environment(ROOT))
    except KeyboardInterrupt:
        print("Interrupted: nothing unfinished was kept.")
        return 128 + signal.SIGINT
    except (BackupError, StartError) as error:
        print(error)
    except OSError as error:
        print(_told(error))
    except asyncpg.PostgresError as error:
        print(f"PostgreSQL refuses: {error}.")
    else:
        return 0
    return 1


def _carry_out(arguments: argparse.Namespace, person: dict[str, str]) -> None:
    state = find(os.environ)
    state.prepare()
    archive = _archive(person, state)

    def cluster(folder: Path) -> Cluster:
        return programs.cluster(folder, person.get(programs.VARIABLE))

    match arguments.command:
        case "restore":
            _restore(arguments, archive, state, cluster)
        case "drill":
            _drill(archive, arguments.into or state.folder / "drill", cluster)
        case "dump":
            _dump(arguments, archive)
        case _ if arguments.list:
            _list(archive)
        case _:
            _backup(arguments, _server(read(person), cluster(state.folder / "postgres")), archive)


def _archive(person: dict[str, str], state: State) -> Archive:
    folder = Path(person.get("GERAI_BACKUP_DIR", state.folder / "backups"))
    key = Path(person.get("GERAI_BACKUP_KEY_FILE", state.folder / "backup.key"))
    return Archive((ROOT / folder).resolve(), (ROOT / key).resolve())


def _server(settings: Settings, own: Cluster) -> Server:
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
    port = arguments.metrics_port
    with metrics.served(archive.metrics, port) if port else nullcontext(), suppress(KeyboardInterrupt):
        _follow(server, archive, arguments)


def _follow(server: Server, archive: Archive, arguments: argparse.Namespace) -> None:
    if reserve(server) or not any(map(archive.is_followed, archive.fulls())):
        print("Changes are kept from now on, which begins with a full backup.", flush=True)
        _make(server, archive, arguments.keep)
    print("Archiving every change until Ctrl-C.", flush=True)
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


def _dump(arguments: argparse.Namespace, archive: Archive) -> None:
    file = arguments.into or Path(f"{arguments.database}.dump")
    take(archive, arguments.database, arguments.of, file)
    print(f"Done: {file}, for pg_restore. It is not encrypted: remove it afterwards.")


def _drill(archive: Archive, folder: Path, cluster: Clusters) -> None:
    print(f"Restoring the newest moment into {folder}", flush=True)
    found = drill(archive, folder, cluster)
    print(f"RPO {found.recovery_point:.1f} s: what a loss of the server would have cost")
    print(f"RTO {found.recovery_time:.1f} s: until all of it was there again, and checked")


def _restore(arguments: argparse.Namespace, archive: Archive, state: State, cluster: Clusters) -> None:
    if not arguments.in_place:
        folder = arguments.into or state.folder / f"restored-{arguments.to:%Y%m%dT%H%M%SZ}"
        print(f"Restoring into {folder}", flush=True)
        restore(archive, arguments.to, folder, cluster)
        print(f"Done. {folder} holds a whole, stopped server. The same command with --in-place uses it.")
        return
    try:
        with state.lock():
            _exchange(arguments, archive, state, cluster)
    except AlreadyRunningError as error:
        raise BackupError(
            f"The platform runs, started by process {error.pid}. Stop it first: ./taskw down."
        ) from None


def _exchange(arguments: argparse.Namespace, archive: Archive, state: State, cluster: Clusters) -> None:
    """Put a restored server in the place of the platform's own, which is kept."""
    place = state.folder / "postgres"
    draft = arguments.into or state.folder / f"restored-{arguments.to:%Y%m%dT%H%M%SZ}"
    restore(archive, arguments.to, draft, cluster)
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
