"""Copying what the processes print, and telling what happens to them."""

import asyncio

from infra.embedded import events
from infra.embedded.console import Console
from infra.embedded.logs import Follower
from infra.embedded.state import State
from infra.embedded.supervisor import NAME
from infra.embedded.variables import PROCESSES

_POLL_SECONDS = 0.1


async def watch(state: State, console: Console, *, prefixed: bool) -> None:
    """Print every new log line of the services and the gateway, and each restart, until cancelled.

    With `prefixed`, lines begin with the name of their process; JSON lines stay JSON without. The databases'
    logs are not shown: they report each refused duplicate as an error.
    """
    logs = {process: Follower(state.log(process)) for process in PROCESSES}
    runner = Follower(state.log(NAME))
    while True:
        for process, log in logs.items():
            for line in log.read():
                console.say(f"{process:<8}| {line}" if prefixed else line)
        for line in runner.read():
            if sentence := events.describe(line, state.log(NAME).parent):
                console.say(sentence)
        await asyncio.sleep(_POLL_SECONDS)
