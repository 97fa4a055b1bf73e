"""Finding and ending processes that an interrupted start left behind."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from infra.embedded.state import MARK

_SUPERVISOR = "supervisor.supervisord"
_SUPERVISOR_SECONDS = 90
_PROCESS_SECONDS = 20
_POLL_SECONDS = 0.02


def of_pid_file(file: Path, program: str, folder: Path) -> psutil.Process | None:
    """Return the process whose id `file` holds, if it is `program` working in `folder`.

    Ids are used again, above all in containers: the id alone proves nothing.
    """
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(file.read_text().split()[0]))
        if process.name().startswith(program) and Path(process.cwd()) == folder.resolve():
            return process
    return None


def end(process: psutil.Process, signals: Sequence[int], seconds: float) -> None:
    """Send each signal in turn until the process has ended, waiting at most `seconds` after each."""
    for number in signals:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if _has_ended(process):
                return
            time.sleep(_POLL_SECONDS)


def _has_ended(process: psutil.Process) -> bool:
    """Count a zombie as ended: in a container there may be no one to reap it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def stop(child: subprocess.Popen[bytes], number: int, seconds: float) -> None:
    """Send a signal to a child and wait for its end, by force after `seconds`."""
    child.send_signal(number)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def of_state(folder: Path) -> list[psutil.Process]:
    """Return the processes that carry the mark of the platform whose state is in `folder`."""
    return [process for process in psutil.process_iter() if _carries(process, str(folder))]


def end_supervised(folder: Path) -> int:
    """End the process runner of a platform, or what it left behind, and return how many processes that were.

    A process runner that lives stops its processes in their proper order. Databases whose process runner
    died are not ended here: they have signals of their own.
    """
    found = of_state(folder)
    runners = [process for process in found if _SUPERVISOR in " ".join(_command(process))]
    for process in runners:
        end(process, (signal.SIGTERM, signal.SIGKILL), _SUPERVISOR_SECONDS)
    for process in of_state(folder):
        if not _is_database(process):
            end(process, (signal.SIGTERM, signal.SIGKILL), _PROCESS_SECONDS)
    return len(found)


def _carries(process: psutil.Process, mark: str) -> bool:
    with suppress(psutil.Error, OSError):
        return process.pid != os.getpid() and process.environ().get(MARK) == mark
    return False


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _is_database(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.name().startswith(("postgres", "redis-server"))
    return False
