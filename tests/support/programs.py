"""Other people's programs, run beside a test for as long as it takes."""

import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.launcher import until

_LIMIT_SECONDS = 60


@contextmanager
def serving(
    command: Sequence[str | Path], url: str, log: Path, environment: Mapping[str, str] | None = None
) -> Generator[None]:
    """Run a program from when `url` answers 2xx until the block ends; `log` gets what it prints.

    Raises:
        AssertionError: it ends before that; the text is what it printed.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is not None or _answers(url), _LIMIT_SECONDS)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(_LIMIT_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
