"""Where a running platform keeps its files, and the lock that makes it the only one of its checkout."""

import fcntl
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwuid

from infra.embedded.errors import StartError

ROOT = Path(__file__).resolve().parents[2]

MARK = "GERAI_STATE"
"""The environment variable that every process of a platform carries; its value is the state folder."""

_FOLDERS = ("env", "logs")
_LONGEST_SOCKET_PATH = 90  # the limit is 104 on macOS, and supervisor adds a suffix of its own while binding


class AlreadyRunningError(Exception):
    """Another launcher holds the state; `pid` is its process."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.pid = pid


@dataclass(frozen=True)
class State:
    """The folder with everything a platform keeps between starts."""

    folder: Path

    @property
    def admin_password(self) -> Path:
        """The first admin's password, for people."""
        return self.folder / "admin-password"

    @property
    def sign_in(self) -> Path:
        """The body of the first admin's sign-in request."""
        return self.folder / "sign-in.json"

    @property
    def signing_key(self) -> Path:
        """The private key of access tokens; auth makes it."""
        return self.folder / "jwt.pem"

    @property
    def secrets(self) -> Path:
        """The generated secrets."""
        return self.folder / "secrets.json"

    @property
    def supervisor(self) -> Path:
        """The process runner's configuration."""
        return self.folder / "supervisord.conf"

    @property
    def socket(self) -> Path:
        """The process runner's control socket; moved when its path would be too long for one."""
        path = self.folder / "supervisor.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            return path
        return Path("/tmp") / f"gerai-{self.folder.stat().st_ino}-{os.geteuid()}.sock"  # noqa: S108 - supervisor replaces it, closed to others

    @property
    def demo_data(self) -> Path:
        """One line for each database cluster that was given demo data."""
        return self.folder / "demo-data"

    def environment_file(self, process: str) -> Path:
        """Return the dotenv file of `process`, such as `store` or `store-owner`."""
        return self.folder / "env" / f"{process}.env"

    def log(self, process: str) -> Path:
        """Return the file with the output of `process`."""
        return self.folder / "logs" / f"{process}.log"

    def keep_last_log(self, process: str) -> None:
        """Make room for a new log, keeping the previous one as `.log.1`."""
        log = self.log(process)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            StartError: the state belongs to another user.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        owner = self.folder.stat().st_uid
        if owner != os.geteuid():
            raise StartError(
                f"{self.folder} belongs to user {_user_name(owner)}. Start the platform as that user,"
                " or set GERAI_STATE_DIR to a folder of your own."
            )
        # PostgreSQL may run as another user, who must pass through; no one else needs to look inside.
        self.folder.chmod(0o711)
        for name in _FOLDERS:
            (self.folder / name).mkdir(exist_ok=True)
            (self.folder / name).chmod(0o700)

    @contextmanager
    def lock(self) -> Generator[None]:
        """Be the only launcher of this state until the block ends.

        Raises:
            AlreadyRunningError: another one is.
        """
        with (self.folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunningError(_holder(self.folder / "lock")) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def is_running(self) -> bool:
        """Tell whether there is a launcher of this state."""
        try:
            with self.lock():
                return False
        except AlreadyRunningError:
            return True


def find(environment: Mapping[str, str]) -> State:
    """Return this checkout's state: the folder named by GERAI_STATE_DIR, else `.gerai` in the checkout."""
    return State((ROOT / environment.get("GERAI_STATE_DIR", ".gerai")).resolve())


def _holder(lock: Path) -> int:
    text = lock.read_text().strip()
    return int(text) if text.isdigit() else 0


def _user_name(uid: int) -> str:
    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
