"""Scratch databases to migrate up and down, and what there is in them, down to the last grant."""

import subprocess
from pathlib import Path

from infra.embedded import postgres
from infra.postgres.provision import ServiceDatabase, provision
from tests.support.databases import PASSWORD, SERVICES, TestDatabase, described

MIGRATIONS = {name: Path(__file__).parents[2] / "services" / name / "migrations" for name in SERVICES}

_HEAD = "from alembic import op\n\nrevision, down_revision = {number!r}, {before!r}\n\n\n"


async def scratch(superuser_url: str, name: str) -> TestDatabase:
    """Provide an empty database that no other test has."""
    provided = ServiceDatabase(f"scratch_{name}", PASSWORD, PASSWORD)
    await provision(superuser_url, [provided])
    return described(superuser_url, provided)


def numbers(service: str) -> list[str]:
    """Return the revisions of a service, which are named after them, from the first to the newest."""
    return sorted(path.name[:4] for path in MIGRATIONS[service].glob("[0-9]*.py"))


def write_revision(folder: Path, number: int, *steps: str) -> None:
    """Write a revision whose upgrade is made of Python statements, below those that `folder` holds."""
    body = "".join(f"    {step}\n" for step in steps)
    before = f"{number - 1:04}" if number > 1 else None
    head = _HEAD.format(number=f"{number:04}", before=before)
    imports = "from shared.migrations.online import create_index, online\n"
    (folder / f"{number:04}_test.py").write_text(f"{imports}{head}def upgrade():\n{body}")


def dump(database: TestDatabase, folder: Path) -> str:
    """Return everything that there is of a schema, as pg_dump tells it."""
    program = postgres.cluster(folder / "programs").programs / "bin" / "pg_dump"
    owner = database.owner
    done = subprocess.run(
        [str(program), "--schema-only", "--restrict-key=fixed", f"--dbname={owner.name}"],
        env={
            "PGHOST": owner.host,
            "PGPORT": str(owner.port),
            "PGUSER": owner.user,
            "PGPASSWORD": owner.password.reveal(),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
