"""Making a PostgreSQL data directory, and telling a whole one from what an interruption left."""

import locale
import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path

from infra.embedded import private
from infra.embedded.errors import StartError
from infra.embedded.unprivileged import Account, run_as

MAJOR = 18
SUPERUSER = "postgres"

_SECONDS = 120


def ensure(data: Path, initdb: Path, password_file: Path, user: Account | None) -> list[str]:
    """Make the data directory unless there is a whole one, and return what there is to tell about it.

    Raises:
        StartError: it cannot be made, or is of another version.
    """
    notes: list[str] = []
    if data.exists() and not _is_whole(data):
        notes.append(_put_aside(data))
    if data.exists():
        _require_version(data)
    else:
        _create(data, initdb, password_file, user)
    return notes


def _is_whole(data: Path) -> bool:
    return (data / "PG_VERSION").is_file() and (data / "global" / "pg_control").is_file()


def _put_aside(data: Path) -> str:
    aside = data.with_name(f"{data.name}.incomplete-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}")
    data.rename(aside)
    return f"The PostgreSQL data directory was incomplete. It is kept as {aside}, and a new one is made."


def _require_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != str(MAJOR):
        raise StartError(
            f"{data} holds data of PostgreSQL {version}, and this is PostgreSQL {MAJOR}. Convert it with"
            " pg_upgrade, or move it away to start with empty databases."
        )


def _create(data: Path, initdb: Path, password_file: Path, user: Account | None) -> None:
    """Run initdb beside the final place and rename, so that only a whole data directory gets there."""
    draft = data.with_name(f"{data.name}.new")
    if draft.exists():
        shutil.rmtree(draft)
    private.write(password_file, secrets.token_urlsafe(32))
    if user:
        os.chown(password_file, user.uid, user.gid)
    result = subprocess.run(
        [str(initdb), "--pgdata", str(draft), "--pwfile", str(password_file), *_options()],
        capture_output=True,
        text=True,
        check=False,
        cwd=data.parent,
        env={"PATH": os.environ.get("PATH", os.defpath)},
        timeout=_SECONDS,
        start_new_session=True,
        **run_as(user),
    )
    if result.returncode:
        raise StartError(f"PostgreSQL could not make its data directory {data}:\n{result.stderr.strip()}")
    draft.rename(data)


def _options() -> list[str]:
    return [
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        f"--locale={_system_locale()}",
        "--data-checksums",
        "--set=timezone=UTC",
        "--set=log_timezone=UTC",
        "--no-instructions",
    ]


def _system_locale() -> str:
    """Return C.UTF-8 where the C library has it. Sorting and case come from PostgreSQL's own in any case."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"
