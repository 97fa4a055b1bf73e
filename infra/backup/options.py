"""What can be asked of `./taskw backup` and the tasks beside it."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from infra.backup.full import DATABASES

_LAST_PORT = 65535
_EPILOG = (
    "Backups are encrypted files in GERAI_BACKUP_DIR (.gerai/backups). Their key is in GERAI_BACKUP_KEY_FILE"
    " (.gerai/backup.key), made at the first backup: keep a copy elsewhere. See docs/backup.md."
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(prog="python -m infra.backup")
    commands = found.add_subparsers(dest="command", required=True)

    def command(name: str, task: str, description: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, prog=f"./taskw {task} --", help=description, description=description, epilog=_EPILOG
        )

    _ask_for_backup(command("backup", "backup", "Make a full backup of all databases."))
    _ask_for_restore(command("restore", "restore", "Restore all databases into a new server."))
    _ask_for_dump(command("dump", "backup:dump", "Decrypt the logical dump of a database, for pg_restore."))
    drill = command("drill", "backup:drill", "Restore the newest moment, check it and remove it again.")
    drill.add_argument("--into", type=Path, metavar="FOLDER", help="where meanwhile (.gerai/drill)")
    return found


def _ask_for_backup(backup: argparse.ArgumentParser) -> None:
    what = backup.add_mutually_exclusive_group()
    what.add_argument(
        "--list", action="store_true", help="list the backups, and the times that can be restored"
    )
    what.add_argument("--follow", action="store_true", help="archive every change as it comes, until Ctrl-C")
    backup.add_argument(
        "--every",
        type=_positive,
        default=10,
        metavar="SECONDS",
        help="with --follow: between archivings (10)",
    )
    backup.add_argument(
        "--metrics-port", type=_port, metavar="PORT", help="with --follow: tell Prometheus there"
    )
    backup.add_argument(
        "--keep", type=_positive, default=7, metavar="N", help="how many full backups to keep (7)"
    )


def _ask_for_restore(restore: argparse.ArgumentParser) -> None:
    restore.add_argument(
        "--to",
        type=_time,
        required=True,
        metavar="TIME",
        help="to just before this time, such as 2026-11-25T14:03:00Z",
    )
    restore.add_argument(
        "--into", type=Path, metavar="FOLDER", help="the new server's folder (.gerai/restored-TIME)"
    )
    restore.add_argument(
        "--in-place", action="store_true", help="then exchange it for the stopped platform's data"
    )


def _ask_for_dump(dump: argparse.ArgumentParser) -> None:
    dump.add_argument("database", choices=DATABASES)
    dump.add_argument("--of", metavar="BACKUP", help="the backup, as --list names it (the newest)")
    dump.add_argument("--into", type=Path, metavar="FILE", help="a new file (DATABASE.dump)")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1")
    return int(text)


def _port(text: str) -> int:
    number = _positive(text)
    if number > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to {_LAST_PORT}")
    return number


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a time with its zone, such as 2026-11-25T14:03:00Z"
        )
    return time.astimezone(UTC)
