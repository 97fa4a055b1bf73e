"""The process runner (supervisor): its configuration, and a client for its control socket."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from pwd import getpwuid
from typing import Any, cast
from xmlrpc.client import Error as ControlError
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from infra.embedded.errors import StartError
from infra.embedded.logs import last_lines
from infra.embedded.state import State

NAME = "supervisord"

ENDED = "The process runner ended unexpectedly. Start again with ./taskw up."

STOP_SECONDS = 120
"""The longest that stopping everything may take."""

_CONTROL_SECONDS = 15
_CONTROL_INTERFACE = {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"}
_POLL_SECONDS = 0.02
_RETRIES = 20  # waiting a second longer after each; about three minutes in all
_LOG_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """A process to keep running."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    user: str | None = None
    stop_signal: str = "TERM"
    stop_seconds: int = 30
    whole_group: bool = False
    """Whether signals go to the processes it started as well."""


@dataclass(frozen=True)
class Group:
    """Programs that start and stop together; a higher priority starts later and stops earlier."""

    name: str
    priority: int
    programs: Sequence[Program]


def configuration(state: State, groups: Sequence[Group]) -> str:
    """Return the text of supervisord.conf."""
    sections = [
        _section(
            NAME,
            nodaemon="true",
            nocleanup="true",
            logfile="/dev/null",  # it writes to its standard output as well, which is what we keep
            logfile_maxbytes=0,
            pidfile=state.folder / "supervisord.pid",
            minfds=256,
            minprocs=64,
            **({"user": getpwuid(0).pw_name} if os.geteuid() == 0 else {}),
        ),
        _section("unix_http_server", file=state.socket, chmod="0700"),
        _section("rpcinterface:supervisor", **_CONTROL_INTERFACE),
    ]
    for group in groups:
        names = ",".join(program.name for program in group.programs)
        sections.append(_section(f"group:{group.name}", programs=names, priority=group.priority))
        sections += [_program(state, program) for program in group.programs]
    return "\n".join(sections)


class Supervisor:
    """A running process runner."""

    def __init__(self, state: State) -> None:
        """Use the configuration that is in `state`."""
        self._state = state
        self._process: asyncio.subprocess.Process | None = None

    @property
    def _control(self) -> Any:  # noqa: ANN401 - XML-RPC has no types
        """The remote control, on a new connection: supervisor's transport does not survive a failure."""
        transport = SupervisorTransport(None, None, f"unix://{self._state.socket}")
        return ServerProxy("http://127.0.0.1", transport=cast("Any", transport)).supervisor

    @property
    def is_started(self) -> bool:
        """Tell whether there is anything to stop."""
        return self._process is not None

    @property
    def has_ended(self) -> bool:
        """Tell whether it was started and no longer runs."""
        return self._process is not None and self._process.returncode is not None

    async def start(self, environment: Mapping[str, str], folder: Path) -> None:
        """Start it, in a session of its own so that a terminal's Ctrl-C leaves the order of stopping to us.

        Raises:
            StartError: it does not answer.
        """
        self._state.socket.unlink(missing_ok=True)
        log = self._state.log(NAME)
        with log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "supervisor.supervisord", "-c", str(self._state.supervisor)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        limit = time.monotonic() + _CONTROL_SECONDS
        while not self._answers():
            if self._process.returncode is not None or time.monotonic() > limit:
                raise StartError(f"The process runner did not start. Its last lines:\n{last_lines(log)}")
            await asyncio.sleep(_POLL_SECONDS)

    def start_group(self, name: str) -> None:
        """Start the programs of a group, without waiting for them."""
        try:
            self._control.startProcessGroup(name, False)  # noqa: FBT003 - XML-RPC has no named arguments
        except ControlError as error:
            raise StartError(f"The process runner could not start {name}: {error}") from None
        except OSError:
            raise StartError(ENDED) from None

    def failed(self, programs: Iterable[str], *, patient: bool) -> str | None:
        """Return the first of `programs` that has ended; with `patient`, that is not even restarted.

        One that ended and runs again has ended too: `stop`, when it did so, is 0 until then.
        """
        with suppress(ControlError, OSError):
            entries = {entry["name"]: entry for entry in self._control.getAllProcessInfo()}
            known = [entries[program] for program in programs if program in entries]
            return next((entry["name"] for entry in known if _is_over(entry, patient=patient)), None)
        return None

    async def wait(self) -> None:
        """Wait until it has ended."""
        if self._process:
            await self._process.wait()

    async def stop(self) -> None:
        """Stop all programs, the last group first, and then the process runner."""
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
                return

    def _answers(self) -> bool:
        with suppress(ControlError, OSError):
            return bool(self._control.getPID())
        return False


def _is_over(entry: Mapping[str, Any], *, patient: bool) -> bool:
    return entry["statename"] == "FATAL" or bool(entry["stop"] and not patient)


def _program(state: State, program: Program) -> str:
    environment = ",".join(f'{name}="{value}"' for name, value in program.environment.items())
    return _section(
        f"program:{program.name}",
        command=shlex.join(program.command),
        directory=program.folder,
        environment=environment,
        **({"user": program.user} if program.user else {}),
        autostart="false",
        autorestart="true",
        startsecs=1,
        startretries=_RETRIES,
        stopsignal=program.stop_signal,
        stopwaitsecs=program.stop_seconds,
        stopasgroup=str(program.whole_group).lower(),
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=state.log(program.name),
        stdout_logfile_maxbytes=_LOG_BYTES,
        stdout_logfile_backups=1,
    )


def _section(name: str, **options: object) -> str:
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in options.items()]
    return "\n".join([f"[{name}]", *lines, ""])
