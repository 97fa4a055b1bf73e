"""`./taskw import`, as a person uses it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.platform import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sign_in(tmp_path: Path) -> Path:
    file = tmp_path / "sign-in.json"
    file.write_text(json.dumps({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}))
    return file


def run(platform: Platform, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.bulk", "--url", platform.url("gateway"), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_file_is_imported_and_what_is_wrong_is_told(
    platform: Platform, sign_in: Path, tmp_path: Path
) -> None:
    file = tmp_path / "clients.csv"
    file.write_text("name,email\nKopi,kopi@example.com\nRoti,nowhere\n")
    signed = ("--sign-in", sign_in, "--to", "clients", file)
    dry = run(platform, "--dry-run", *signed)
    assert (dry.returncode, dry.stderr) == (1, "")
    assert "2 rows: would be 1 created, 0 changed, 0 unchanged, 1 failed" in dry.stdout
    assert "line 3: email must be an e-mail address" in dry.stdout
    whole = run(platform, "--atomic", *signed)
    assert "nothing was imported" in whole.stdout
    file.write_text("name,email\nKopi,kopi@example.com\n")
    assert run(platform, *signed).returncode == 0
    again = run(platform, "--upsert", *signed)
    assert (again.returncode, "1 unchanged" in again.stdout) == (0, True)


def test_what_stops_it_is_a_sentence(platform: Platform, sign_in: Path, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text("client_uuid,colour\n")
    refused = run(platform, "--sign-in", sign_in, file)
    assert refused.returncode == 1
    assert "colour is not a column" in refused.stderr.replace("that is known here", "")
    assert "code is a column that is needed" in refused.stderr
    for arguments in (
        ("--sign-in", sign_in, tmp_path / "absent.csv"),
        ("--sign-in", tmp_path / "absent.json", file),
        ("--sign-in", sign_in, tmp_path / "stores.xlsx"),
        ("--email", "nobody@example.com", file),
        ("--sign-in", sign_in, "--url", "http://127.0.0.1:9", file),
    ):
        stopped = run(platform, *arguments)
        assert (stopped.returncode, stopped.stdout) == (1, "")
        assert "Traceback" not in stopped.stderr
        assert stopped.stderr.count("\n") == 1
    assert run(platform, "--colour", file).returncode == 2
