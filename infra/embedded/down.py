"""`down`: stop the platform from another terminal."""

import os
import signal
import time
from contextlib import suppress

from infra.embedded import leftovers
from infra.embedded.console import Console
from infra.embedded.errors import StartError
from infra.embedded.state import AlreadyRunningError, State
from infra.embedded.supervisor import STOP_SECONDS

_POLL_SECONDS = 0.05


def down(state: State, console: Console) -> None:
    """Stop the platform of this state, or what is left of it.

    Raises:
        StartError: it cannot be stopped.
    """
    if not state.folder.exists():
        console.say("Nothing is running.")
        return
    limit = time.monotonic() + STOP_SECONDS
    asked: int | None = None
    while True:
        try:
            with state.lock():
                found = leftovers.end(state) or asked is not None
                console.say(f"Stopped. All data stays in {state.folder}." if found else "Nothing is running.")
                return
        except AlreadyRunningError as holder:
            if holder.pid != asked:
                _ask(holder.pid, signal.SIGTERM)
                asked = holder.pid
            elif time.monotonic() > limit:
                _ask(holder.pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


def _ask(pid: int, number: int) -> None:
    if pid == 0:  # it has taken the lock this moment and not written its id yet
        return
    try:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    except PermissionError:
        raise StartError(
            f"The platform was started by another user (process {pid}). Stop it as that user."
        ) from None
