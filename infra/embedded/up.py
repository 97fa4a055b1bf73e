"""`up` and `dev`: be the platform's launcher until someone asks to stop."""

import asyncio
import signal
from contextlib import suppress

from infra.embedded import leftovers
from infra.embedded.console import Console
from infra.embedded.errors import StartError
from infra.embedded.platform import Platform
from infra.embedded.ports import require_free
from infra.embedded.settings import read, user_environment
from infra.embedded.state import ROOT, AlreadyRunningError, State


async def up(state: State, console: Console, *, reload: bool) -> None:
    """Run the platform until a signal asks to stop, and stop it.

    Raises:
        StartError: it cannot start, runs already, or can run no longer.
    """
    person = user_environment(ROOT)
    settings = read(person)
    state.prepare()
    try:
        with state.lock():
            if leftovers.end(state):
                console.say("Ended what an interrupted start had left running.")
            require_free(settings.ports())
            await _until_asked_to_stop(Platform(state, settings, person, console), reload=reload)
    except AlreadyRunningError as error:
        raise StartError(
            f"The platform of {ROOT} runs already, started by process {error.pid}. Stop it with ./taskw down."
        ) from None


async def _until_asked_to_stop(platform: Platform, *, reload: bool) -> None:
    asked = asyncio.Event()
    _on_signals(asked)
    running = asyncio.create_task(platform.run(reload=reload))
    waiting = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    finally:
        waiting.cancel()
        await platform.stop()


def _on_signals(asked: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup ignores SIGHUP for the programs it starts, which is to stay so.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, asked.set)
