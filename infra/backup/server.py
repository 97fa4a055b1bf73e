"""The server that is backed up, and PostgreSQL's programs that do it."""

import os
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from infra.backup.errors import BackupError

_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """The URL of a role that may copy the server, and the folder with the programs of its version.

    What the URL leaves out is in libpq's variables: a password that must not be on show is in PGPASSWORD.
    """

    url: str
    programs: Path

    def environment(self) -> dict[str, str]:
        """Return what libpq needs; not on the command line, which everybody can see."""
        parts = urlsplit(self.url)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        trusted = {"PGSSLROOTCERT": options["sslrootcert"]} if "sslrootcert" in options else {}
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PGHOST": parts.hostname or "",
            "PGPORT": str(parts.port or 5432),
            "PGUSER": unquote(parts.username or ""),
            "PGPASSWORD": self.password(),
            "PGSSLMODE": options.get("sslmode", "prefer"),
            **trusted,
        }

    def password(self) -> str:
        """Return the role's password."""
        return unquote(urlsplit(self.url).password or "") or os.environ.get("PGPASSWORD", "")

    @asynccontextmanager
    async def connected(
        self, most_seconds: float | None = None
    ) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
        """Connect to the server until the block ends; no statement may take more than `most_seconds`.

        Raises:
            BackupError: it does not answer, or does not let the role in.
        """
        try:
            connection = await asyncpg.connect(
                self.url, timeout=_CONNECT_SECONDS, command_timeout=most_seconds
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise BackupError(
                f"PostgreSQL does not answer: {str(error) or type(error).__name__}. Start the platform"
                " (./taskw up), or check DATABASE_URL."
            ) from None
        try:
            yield connection
        finally:
            await connection.close()

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return the command line of one of PostgreSQL's programs."""
        return [str(self.programs / program), *arguments]

    def run(self, program: str, *arguments: str) -> None:
        """Run a program to its end.

        Raises:
            BackupError: it failed; the text has what it said.
        """
        command = self.command(program, *arguments)
        result = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        _require(program, result.returncode, result.stderr)

    def pipe(self, program: str, arguments: Sequence[str], target: IO[bytes]) -> None:
        """Copy what a program prints to a file.

        Raises:
            BackupError: it failed; the text has what it said.
        """
        command = self.command(program, *arguments)
        with subprocess.Popen(
            command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            if process.stdout is None or process.stderr is None:
                raise ValueError
            while block := process.stdout.read(1 << 20):
                target.write(block)
            said = process.stderr.read().decode()
        _require(program, process.returncode, said)


def _require(program: str, status: int, said: str) -> None:
    if status:
        raise BackupError(f"{program} failed, so there is no new backup:\n{said.strip()}")
