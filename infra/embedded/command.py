"""The command line: `up`, `dev`, `down` and `migrate`."""

import argparse
import asyncio
import os
import traceback

from infra.embedded import variables
from infra.embedded.console import Console
from infra.embedded.down import down
from infra.embedded.errors import StartError
from infra.embedded.logs import last_lines
from infra.embedded.migrations import migrate
from infra.embedded.state import State, find
from infra.embedded.up import up

_COMMANDS = {
    "up": "Start the platform, and stop it with Ctrl-C.",
    "dev": "Start the platform, restart each process when its code changes, and stop it with Ctrl-C.",
    "down": "Stop the platform from another terminal. Its data stays.",
    "migrate": "Bring the running platform's databases to the newest schema.",
}
_EPILOG = "What can be set is set by variables, in the environment or in .env: see .env.example."


def main() -> int:
    """Carry out the command; what goes wrong is told in a sentence."""
    parser = argparse.ArgumentParser(prog="./taskw", description="The platform on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, explanation in _COMMANDS.items():
        commands.add_parser(name, help=explanation, description=explanation, epilog=_EPILOG)
    console = Console()
    state = find(os.environ)
    try:
        _run(parser.parse_args().command, state, console)
    except StartError as error:
        console.say(str(error))
    except OSError as error:
        console.say(f"Cannot use {error.filename or 'a file or port'}: {error.strerror or error}.")
    except Exception:  # noqa: BLE001 - a person gets a sentence; the details are for us
        console.say(f"Something went wrong in the launcher itself. The details are in {_record(state)}.")
    else:
        return 0
    finally:
        console.close()
    return 1


def _run(command: str, state: State, console: Console) -> None:
    if command == "down":
        down(state, console)
    elif command == "migrate":
        asyncio.run(_migrate(state, console))
    else:
        asyncio.run(up(state, console, reload=command == "dev"))


async def _migrate(state: State, console: Console) -> None:
    if not state.environment_file("auth-owner").exists():
        raise StartError("There are no databases yet. Start the platform first: ./taskw up.")
    try:
        await migrate(state, variables.inherited(os.environ))
    except StartError as error:
        hint = "" if state.is_running() else "\nThe platform is not running. Start it first: ./taskw up."
        raise StartError(f"{error}{hint}") from None
    for service in variables.SERVICES:
        console.say(f"{service}: {last_lines(state.log(f'migrate-{service}'), 1).strip()}")


def _record(state: State) -> str:
    file = state.log("launcher")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(traceback.format_exc())
    return str(file)
