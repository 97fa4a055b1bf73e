"""Bringing the services' databases to their newest schema."""

import asyncio
import sys
from collections.abc import Mapping

from infra.embedded import commands
from infra.embedded.errors import StartError
from infra.embedded.logs import last_lines
from infra.embedded.state import ROOT, State
from infra.embedded.variables import SERVICES


async def migrate(state: State, environment: Mapping[str, str]) -> None:
    """Migrate the three databases side by side, as their owners.

    Raises:
        StartError: one cannot be migrated; the text has the end of what its migration printed.
    """
    statuses = await asyncio.gather(*(_migrate(state, environment, service) for service in SERVICES))
    for service, status in zip(SERVICES, statuses, strict=True):
        if status:
            log = state.log(f"migrate-{service}")
            raise StartError(
                f"The database of {service} could not be migrated. The end of {log}:\n{last_lines(log)}"
            )


async def _migrate(state: State, environment: Mapping[str, str], service: str) -> int:
    owner = {"ENV_FILE": str(state.environment_file(f"{service}-owner"))}
    command = [sys.executable, "-m", f"services.{service}", "migrate"]
    return await commands.run(command, {**environment, **owner}, ROOT, state.log(f"migrate-{service}"))
