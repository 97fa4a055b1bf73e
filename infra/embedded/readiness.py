"""Waiting until servers answer, and saying why one does not."""

import asyncio
import http.client
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from infra.embedded.errors import StartError
from infra.embedded.logs import last_lines
from infra.embedded.ports import is_to_itself
from infra.embedded.state import State
from infra.embedded.supervisor import ENDED, Supervisor

_POLL_SECONDS = 0.05
_FAILURE_POLL_SECONDS = 0.5  # asking the process runner takes time from the processes that start
_REQUEST_SECONDS = 2


async def until(
    is_ready: Callable[[], Awaitable[bool]],
    failure: Callable[[], str | None],
    seconds: float,
    overdue: str,
) -> None:
    """Ask `is_ready` again and again until it says yes.

    Raises:
        StartError: `failure` gave a sentence, or `seconds` went by; then `overdue` is the sentence.
    """
    limit = time.monotonic() + seconds
    look_again = 0.0
    while not await is_ready():
        if time.monotonic() > look_again:
            problem = failure() or (overdue if time.monotonic() > limit else None)
            if problem:
                raise StartError(problem)
            look_again = time.monotonic() + _FAILURE_POLL_SECONDS
        await asyncio.sleep(_POLL_SECONDS)


def failure_of(
    state: State, supervisor: Supervisor, programs: Sequence[str], *, patient: bool = False
) -> str | None:
    """Return a sentence with the last log lines of the first of `programs` that has ended, if one has.

    With `patient`, one that is to be started again has not ended yet.
    """
    if supervisor.has_ended:
        return ENDED
    name = supervisor.failed(programs, patient=patient)
    if name is None:
        return None
    return f"{name} did not start. The end of {state.log(name)}:\n{last_lines(state.log(name))}"


async def is_ready(base_url: str) -> bool:
    """Tell whether a process of ours says that it can serve."""
    return await asyncio.to_thread(_status, base_url) == 200


def _status(base_url: str) -> int:
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_REQUEST_SECONDS)
    try:
        connection.connect()
        if is_to_itself(connection.sock):
            return 0
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
