"""What can be asked of `./taskw backup` and `./taskw restore`."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from infra.backup.full import DATABASES


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(
        prog="./taskw",
        description="Backups are encrypted files in GERAI_BACKUP_DIR (.gerai/backups). Their key is in"
        " GERAI_BACKUP_KEY_FILE (.gerai/backup.key), made at the first backup: keep a copy elsewhere."
        " See docs/backup.md.",
    )
    commands = found.add_subparsers(dest="command", required=True)
    backup = commands.add_parser("backup", help="make a full backup of all databases")
    what = backup.add_mutually_exclusive_group()
    what.add_argument(
        "--list", action="store_true", help="list the backups, and the times that can be restored"
    )
    what.add_argument("--follow", action="store_true", help="archive every change as it comes, until Ctrl-C")
    backup.add_argument(
        "--every", type=_positive, default=10, help="with --follow: seconds between archivings"
    )
    backup.add_argument("--metrics-port", type=_positive, help="with --follow: tell Prometheus there")
    backup.add_argument("--keep", type=_positive, default=7, help="how many full backups to keep (7)")
    back = commands.add_parser("restore", help="restore all databases into a new server")
    back.add_argument(
        "--to", type=_time, required=True, help="just before this time, as 2026-11-25T14:03:00Z"
    )
    back.add_argument("--into", type=Path, help="the new server's folder (.gerai/restored-TIME)")
    back.add_argument(
        "--in-place", action="store_true", help="then exchange it for the stopped platform's data"
    )
    dump = commands.add_parser("dump", help="decrypt the logical dump of a database, for pg_restore")
    dump.add_argument("database", choices=DATABASES)
    dump.add_argument("--of", metavar="BACKUP", help="the backup, as --list names it (the newest)")
    dump.add_argument("--into", type=Path, help="a new file (DATABASE.dump)")
    trial = commands.add_parser("drill", help="restore the newest moment, check it and remove it again")
    trial.add_argument("--into", type=Path, help="the folder meanwhile (.gerai/drill)")
    return found


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
