"""Bringing the services' databases to their newest schema."""

import asyncio
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg

from infra.embedded import commands
from infra.embedded.errors import StartError
from infra.embedded.logs import last_lines
from infra.embedded.state import ROOT, State
from infra.embedded.variables import SERVICES, Plan

_DONE = "migrated.json"


async def migrate(state: State, environment: Mapping[str, str], services: Sequence[str] = SERVICES) -> None:
    """Migrate the databases of `services` side by side, as their owners.

    Raises:
        StartError: one cannot be migrated; the text has the end of what its migration printed.
    """
    statuses = await asyncio.gather(*(_migrate(state, environment, service) for service in services))
    for service, status in zip(services, statuses, strict=True):
        if status:
            log = state.log(f"migrate-{service}")
            raise StartError(
                f"The database of {service} could not be migrated. The end of {log}:\n{last_lines(log, 1)}"
            )


async def migrate_changed(plan: Plan, environment: Mapping[str, str]) -> None:
    """Migrate the databases that are not known to be at their newest schema.

    Known is one that reports the revision which the same migration files brought it to at an earlier start.
    That saves each start the time that three migration programs need to find nothing to do.
    """
    done = _read(plan.state)
    now = {service: await _situation(plan, service) for service in SERVICES}
    behind = [service for service in SERVICES if done.get(service) != now[service]]
    await migrate(plan.state, environment, behind)
    now |= {service: await _situation(plan, service) for service in behind}
    (plan.state.folder / _DONE).write_text(json.dumps(now))


async def _situation(plan: Plan, service: str) -> list[str]:
    """Return what tells whether there is anything to migrate: the files and the database's revision."""
    database = plan.database(service)
    connection = await asyncpg.connect(plan.superuser_url, database=database.name)
    try:
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        revision = None
    finally:
        await connection.close()
    return [plan.cluster_id, str(revision), _fingerprint(ROOT / "services" / service / "migrations")]


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted((*folder.rglob("*.py"), *(ROOT / "shared" / "migrations").rglob("*.py"))):
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(state: State) -> dict[str, list[str]]:
    try:
        return json.loads((state.folder / _DONE).read_text())
    except (FileNotFoundError, ValueError):
        return {}


async def _migrate(state: State, environment: Mapping[str, str], service: str) -> int:
    owner = {"ENV_FILE": str(state.environment_file(f"{service}-owner"))}
    command = [sys.executable, "-m", f"services.{service}", "migrate"]
    return await commands.run(command, {**environment, **owner}, ROOT, state.log(f"migrate-{service}"))
