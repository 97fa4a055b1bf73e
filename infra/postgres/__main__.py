"""`python -m infra.postgres`: make the databases and roles of every service on a server.

It needs nothing but asyncpg, so it runs in a service's image as well, with `infra` mounted.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping

import asyncpg

from infra.postgres.provision import (
    BACKUP,
    MONITOR,
    ServiceDatabase,
    provide_backup,
    provide_monitor,
    provision,
)

DATABASES = ("gerai_auth", "gerai_client", "gerai_store")


def main() -> None:
    """Provide what the environment has passwords for; what goes wrong is told in a sentence."""
    argparse.ArgumentParser(prog="python -m infra.postgres", description=__doc__).parse_args()
    needed = ["DATABASE_URL", *(_variable(role) for name in DATABASES for role in _roles(name))]
    missing = [name for name in needed if not os.environ.get(name)]
    if missing:
        sys.exit(f"These variables are needed: {', '.join(missing)}. DATABASE_URL is that of a superuser.")
    try:
        asyncio.run(_provide(os.environ))
    except (asyncpg.PostgresError, OSError, ValueError) as error:
        sys.exit(f"The server of DATABASE_URL cannot be used: {error}")


async def _provide(environment: Mapping[str, str]) -> None:
    url = environment["DATABASE_URL"]
    passwords = {name: [environment[_variable(role)] for role in _roles(name)] for name in DATABASES}
    await provision(url, [ServiceDatabase(name, *pair) for name, pair in passwords.items()])
    print(f"Databases with their roles: {', '.join(DATABASES)}")
    if password := environment.get(_variable(MONITOR)):
        await provide_monitor(url, password, DATABASES)
        print(f"Role for monitors: {MONITOR}")
    if password := environment.get(_variable(BACKUP)):
        await provide_backup(url, password, DATABASES)
        print(f"Role for backups: {BACKUP}")


def _roles(database: str) -> tuple[str, str]:
    return f"{database}_owner", f"{database}_app"


def _variable(role: str) -> str:
    return f"{role.upper()}_PASSWORD"


if __name__ == "__main__":
    main()
