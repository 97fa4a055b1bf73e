"""The command as a person runs it."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from infra.embedded.state import ROOT
from shared.config import DatabaseConfig
from tests.support.databases import TestDatabase


async def reported(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "infra.report", *arguments],
        env={"PATH": os.environ["PATH"], "COLUMNS": "120"} | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def dotenv(config: DatabaseConfig) -> str:
    return (
        f"DB_HOST={config.host}\nDB_PORT={config.port}\nDB_USER={config.user}\nDB_NAME={config.name}\n"
        f"DB_PASSWORD={config.password.reveal()}\nDB_SSLMODE={config.sslmode}\n"
    )


async def test_it_reports_on_the_databases_of_the_running_platform(
    databases: dict[str, TestDatabase], tmp_path: Path
) -> None:
    for service, database in databases.items():
        (tmp_path / f"{service}-owner.env").write_text(dotenv(database.owner))
    done = await reported("--env-folder", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.partition(",")[0] for line in lines if line.startswith("gerai_")] == [
        "gerai_auth",
        "gerai_client",
        "gerai_store",
    ]
    for title in ("Overview", "Foreign keys without an index", "Largest tables", "Connections"):
        assert lines.count(title) == 3
    assert max(len(line) for line in lines) <= 120
    only = await reported("--env-folder", str(tmp_path), "--service", "store")
    assert "gerai_store" in only.stdout
    assert "gerai_auth," not in only.stdout


async def test_it_reports_on_the_database_of_the_url(databases: dict[str, TestDatabase]) -> None:
    config = databases["client"].owner
    url = f"postgresql://{config.user}:{config.password.reveal()}@{config.host}:{config.port}/{config.name}"
    done = await reported(DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("gerai_client, ")


def test_it_ends_in_silence_where_nobody_reads_on(databases: dict[str, TestDatabase]) -> None:
    config = databases["client"].owner
    url = f"postgresql://{config.user}:{config.password.reveal()}@{config.host}:{config.port}/{config.name}"
    command = [sys.executable, "-m", "infra.report"]
    variables = {"PATH": os.environ["PATH"], "DATABASE_URL": url}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=variables, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait() == 0


async def test_it_says_in_a_sentence_why_there_is_no_report(tmp_path: Path) -> None:
    missing = await reported("--env-folder", str(tmp_path))
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.endswith("Start it first: ./taskw up\n")
    refused = await reported(DATABASE_URL="postgresql://nobody@127.0.0.1:1/postgres")
    assert refused.stderr.startswith("The database cannot be asked: ")
    assert len(refused.stderr.splitlines()) == 1
