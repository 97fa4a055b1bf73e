"""What the README says is so."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest
import yaml

from infra.embedded.settings import Settings
from tests.support.platform import ADMIN_EMAIL, ADMIN_PASSWORD, Platform

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_task_is_described() -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
    assert [name for name, task in tasks.items() if not task.get("desc")] == []


def test_every_variable_it_names_is_a_setting() -> None:
    settings = {field.name.upper() for field in msgspec.structs.fields(Settings)}
    named = set(re.findall(r"`([A-Z]+_(?:PORT|URL))`", README))
    assert named
    assert named <= settings


async def test_the_first_request_answers(platform: Platform, tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.fail("this test needs curl, as the README's first request does")
    sign_in = tmp_path / "sign-in.json"
    sign_in.write_text(json.dumps({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}))
    commands = README.partition("## First request")[2].split("```sh\n")[1].split("```")[0]
    commands = commands.replace(".gerai/sign-in.json", str(sign_in))
    commands = commands.replace("http://127.0.0.1:8080", platform.url("gateway"))
    shell = await asyncio.create_subprocess_exec("/bin/sh", "-c", commands, stdout=asyncio.subprocess.PIPE)
    output, _ = await shell.communicate()
    answer = json.loads(output)
    assert (answer["status_code"], answer["message"]) == (200, "Success")
    assert set(answer) == {"status_code", "message", "data", "meta"}
