"""What `./taskw` does: put Task and uv into `.tools/`, then run the task.

Only the standard library is used, since this runs before anything is installed. Both tools come from the
package index that pip is configured for.
"""

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
PINS = ("uv==0.13.9", "go-task-bin==3.54.0")

_PIP_SETTINGS = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_ROOT_USER_ACTION": "ignore",
    "PIP_USER": "0",
}
_SYSTEM_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/cert.pem",  # macOS
)
_LAST_LINES = 5
_FROM_KERNEL = 0x80  # SI_KERNEL of sigaction(2)


class WrapperError(Exception):
    """Why no task can be run, as a sentence for the person who typed the command."""


def main(arguments: list[str]) -> int:
    """Run Task with `arguments` and return its exit status."""
    try:
        prepare(TOOLS)
    except WrapperError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot put the tools into {TOOLS}: {error.strerror} ({error.filename}).", file=sys.stderr)
        return 1
    return run([str(TOOLS / "bin" / "task"), "--exit-code", *arguments], task_environment(dict(os.environ)))


def prepare(folder: Path) -> None:
    """Make `folder` hold exactly the pinned tools; does nothing when it does.

    Two callers at once are fine: the second waits for the first. What an interrupted one left is replaced.

    Raises:
        WrapperError: pip is missing, or could not install.
    """
    if is_complete(folder):
        return
    folder.mkdir(exist_ok=True)
    with _lock(folder / ".lock"):
        if is_complete(folder):
            return
        _clear(folder)
        print(f"Putting {' and '.join(PINS)} into {folder} …", file=sys.stderr)
        _install(folder)
        _stamp(folder).write_text(_contents())


def is_complete(folder: Path) -> bool:
    """Tell whether `folder` was finished with these pins, on this kind of machine."""
    try:
        stamped = _stamp(folder).read_text() == _contents()
    except OSError:
        return False
    return stamped and all(os.access(folder / "bin" / name, os.X_OK) for name in ("uv", "task"))


def task_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return `environment` with the tools first on PATH and uv bound to this checkout and this Python."""
    for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONHOME"):
        environment.pop(name, None)
    environment["PATH"] = f"{TOOLS / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
    if not (ROOT / ".venv" / "pyvenv.cfg").exists():
        environment.setdefault("UV_PYTHON", sys.executable)
    if any(Path(bundle).exists() for bundle in _SYSTEM_CERTIFICATES):
        environment.setdefault(
            "UV_SYSTEM_CERTS", "true"
        )  # as pip does, for networks with their own authority
    if not _has_writable_home():
        environment.setdefault("UV_CACHE_DIR", str(TOOLS / "cache"))
    return environment


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run Task and pass on the signals that reach only this process.

    Task keeps a signal to itself: it counts on the terminal, which gives one to every process of the
    foreground group. One that `kill` or a parent process sends would never reach the platform.
    """
    watched = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup, where it is to stay ignored
        watched.add(signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    child = subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, watched),  # noqa: PLW1509 - there is one thread
    )
    while child.poll() is None:
        number = _next_sent(watched)
        if number != signal.SIGCHLD:
            for pid in _children(child.pid) or [child.pid]:
                _send(pid, number)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _next_sent(watched: set[signal.Signals]) -> int:
    """Wait for a signal, passing over an interrupt that a terminal gave to the whole group."""
    if sys.platform != "linux":  # no way to tell who sent it, and an interrupt is most likely a terminal's
        while (number := signal.sigwait(watched)) == signal.SIGINT:
            pass
        return number
    while True:
        received = signal.sigwaitinfo(watched)
        if received.si_signo != signal.SIGINT or received.si_code != _FROM_KERNEL:
            return received.si_signo


def _contents() -> str:
    return "\n".join((*PINS, sysconfig.get_platform(), ""))


def _stamp(folder: Path) -> Path:
    return folder / "complete"


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == ".lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _install(folder: Path) -> None:
    """Install with the running Python's pip, which asks least of a machine, else with a new venv's own."""
    if importlib.util.find_spec("pip"):
        python, into = sys.executable, ["--target", str(folder)]
    else:
        _make_venv(folder)
        python, into = str(folder / "bin" / "python"), []
    command = [python, "-m", "pip", "install", "--quiet", *into, *PINS]
    result = subprocess.run(
        command,
        env=os.environ | _PIP_SETTINGS,
        text=True,
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        check=False,
    )
    if result.returncode:
        raise WrapperError(
            f"pip could not install {' and '.join(PINS)}. If this machine does not reach the package index,"
            " set PIP_INDEX_URL or HTTPS_PROXY and try again. pip said:\n" + _last_lines(result.stderr)
        )


def _make_venv(folder: Path) -> None:
    command = [sys.executable, "-m", "venv", str(folder)]
    result = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        raise WrapperError(
            f"{sys.executable} has neither pip nor a working venv module. Install one of them"
            " (Debian and Ubuntu: apt install python3-pip), or run taskw with another Python."
        )


def _last_lines(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-_LAST_LINES:])


@contextmanager
def _lock(path: Path) -> Generator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _has_writable_home() -> bool:
    """Tell whether uv can keep its cache where it does by default."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~"), ".cache"))  # noqa: PTH111 - Path.expanduser raises for users without a home
    while not cache.exists() and cache != cache.parent:
        cache = cache.parent
    return os.access(cache, os.W_OK)


def _children(parent: int) -> list[int]:
    return [pid for pid, its_parent in _processes() if its_parent == parent]


def _processes() -> Iterator[tuple[int, int]]:
    """Yield the id of each process and of its parent, from /proc, or from ps where there is none."""
    statuses = list(Path("/proc").glob("[0-9]*/stat"))
    for path in statuses:
        with suppress(OSError):  # it has ended meanwhile
            yield int(path.parent.name), int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
    if not statuses:
        listing = subprocess.run(
            ["/bin/ps", "-Ao", "pid=,ppid="], capture_output=True, text=True, check=False
        )
        for line in listing.stdout.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
