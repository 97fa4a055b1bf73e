"""Demo data for a platform that starts for the first time."""

import sys
from collections.abc import Mapping

from infra.embedded import commands
from infra.embedded.console import Console
from infra.embedded.logs import last_lines
from infra.embedded.state import ROOT, State

_MODULE = "infra.seed"
_PROGRAM = ROOT / "infra" / "seed" / "__main__.py"
_NAME = "demo-data"


async def load(state: State, environment: Mapping[str, str], cluster_id: str, console: Console) -> None:
    """Load demo data unless this database cluster had it before. A failure is told and stops nothing."""
    if not _PROGRAM.exists() or cluster_id in _loaded(state):
        return
    with console.stage("demo data"):
        status = await commands.run([sys.executable, "-m", _MODULE], environment, ROOT, state.log(_NAME))
    if status:
        log = state.log(_NAME)
        console.say(
            f"  Demo data could not be loaded, so there is none. The end of {log}:\n{last_lines(log, 1)}"
        )
        return
    with state.demo_data.open("a") as file:
        file.write(f"{cluster_id}\n")


def _loaded(state: State) -> list[str]:
    return state.demo_data.read_text().split() if state.demo_data.exists() else []
