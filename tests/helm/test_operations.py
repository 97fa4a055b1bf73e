"""What docs/operations.md says of the chart, the tasks and the files is so."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.chart.readme import CHART
from tests.helm.rendering import helm, render

ROOT = CHART.parents[1]
TEXT = (ROOT / "docs" / "operations.md").read_text()
BLOCKS: list[str] = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
AWS_CLI = ["uv", "tool", "run", "--quiet", "--from", "awscli==1.46.3", "python"]

# Notes how it is called and with what, and prints something that a command can be given.
PRETENDED = """#!/usr/bin/env python3
import json, pathlib, sys
call = {"words": [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]], "given": sys.stdin.read()}
with (pathlib.Path(sys.argv[0]).parent / "calls").open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
print("made-by-nobody-0123456789abcdef")
"""

# What the AWS CLI says of each call, where there is no AWS.
ASKED = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
options = ["--endpoint-url", "http://127.0.0.1:9", "--no-sign-request", "--region", "eu-west-1"]
said = []
for words in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()) as output, contextlib.redirect_stdout(io.StringIO()):
        try:
            create_clidriver().main([*words, *options])
        except SystemExit:
            pass
    said.append(output.getvalue().strip())
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Call:
    """A program that a command started: its words, and what it was given as its input."""

    words: list[str]
    given: str


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """What is called when its commands are run, one after another."""
    folder = tmp_path_factory.mktemp("operations")
    (folder / "infra").symlink_to(ROOT / "infra")
    (folder / "bin").mkdir()
    for name in ("aws", "curl", "eksctl", "helm", "kubectl", "taskw"):
        (folder / "bin" / name).write_text(PRETENDED)
        (folder / "bin" / name).chmod(0o755)
    (folder / "taskw").symlink_to("bin/taskw")
    script = "\n".join(["set -euo pipefail", *BLOCKS, "wait"])
    (folder / "script").write_text(script)
    environment = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "script"],  # noqa: S607 - from PATH
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for at in folder.glob("**/calls") for line in at.read_text().splitlines()]
    return [Call(line["words"], line["given"]) for line in lines]


def test_every_task_and_every_file_it_names_exists() -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
    named = set(re.findall(r"\./taskw ([a-z][a-z:]*)", TEXT))
    assert {"db:provision", "db:report", "image:build", "release", "smoke"} <= named <= set(tasks)
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    files = set(re.findall(r"(?<![\w/])(?:infra|helm)/[\w./-]+", TEXT))
    assert {file for file in files if not (ROOT / file.rstrip(".")).exists()} == set()


def test_its_upgrade_is_one_that_the_chart_takes(tmp_path: Path) -> None:
    [command] = [line for line in COMMANDS if line.startswith("helm upgrade")]
    words = shlex.split(command)[2:]
    digests = {
        name: {"image": {"digest": f"sha256:{'0' * 64}"}} for name in ("gateway", "auth", "client", "store")
    }
    release = tmp_path / "release.json"
    image, backup = {"registry": "registry.example"}, {"image": {"digest": f"sha256:{'0' * 64}"}}
    release.write_text(json.dumps({"image": image, "backup": backup, "services": digests}))
    only_upgrading = {
        "--install",
        "--rollback-on-failure",
        "--wait",
        "--timeout",
        "15m",
        "--history-max",
        "10",
    }
    kept = [str(release) if word == "release.json" else word for word in words if word not in only_upgrading]
    done = helm("template", *[str(CHART) if word == "helm/gerai" else word for word in kept])
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.count(f"registry.example/gerai/auth@sha256:{'0' * 64}") >= 2
    )  # the service, its migration
    known = helm("upgrade", "--help").stdout
    assert [word for word in only_upgrading if word.startswith("--") and f" {word} " not in known] == []


def test_every_command_of_aws_is_one_that_its_program_takes(calls: list[Call]) -> None:
    asked = [
        [call.given if word == "file:///dev/stdin" else word for word in call.words[1:]]
        for call in calls
        if call.words[0] == "aws"
    ]
    assert len(asked) > 40
    inline = [command.replace("file://auth.json", "{}") for command in re.findall(r"`aws ([^`]+)`", TEXT)]
    asked += map(shlex.split, inline)
    done = subprocess.run(
        [*AWS_CLI, "-c", ASKED],
        input=json.dumps(asked),
        env={**os.environ, "AWS_MAX_ATTEMPTS": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    said = dict(zip(map(" ".join, asked), json.loads(done.stdout), strict=True))
    refused = [f"{words}: {text}" for words, text in said.items() if not text.startswith("Could not connect")]
    assert "\n".join(refused) == ""


def test_what_is_filled_in_is_filled_in_whole(calls: list[Call]) -> None:
    for call in calls:
        assert "$" not in call.given
        assert "${" not in " ".join(call.words)
    [cluster] = [yaml.safe_load(call.given) for call in calls if call.words[:2] == ["eksctl", "create"]]
    operators = {each["serviceAccountName"] for each in cluster["iam"]["podIdentityAssociations"]}
    assert operators == {"aws-load-balancer-controller", "cluster-autoscaler", "external-secrets"}


@pytest.fixture(scope="module")
def production() -> list[dict[str, Any]]:
    return render(CHART / "values-production.yaml")


@pytest.fixture(scope="module")
def asked(production: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The properties that the chart asks of each secret at the provider."""
    asked: dict[str, set[str]] = {}
    for each in production:
        if each["kind"] == "ExternalSecret":
            for entry in each["spec"]["data"]:
                asked.setdefault(entry["remoteRef"]["key"], set()).add(entry["remoteRef"]["property"])
    return asked


def test_the_secrets_are_those_that_the_chart_asks_for(asked: dict[str, set[str]]) -> None:
    told: dict[str, set[str]] = {}
    for names, keys in re.findall(r"^\| (`gerai/production/.*?) \| (.*) \|$", TEXT, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", names):
            told[name] = set(re.findall(r"`([^`]+)`", keys))
    assert told == asked


def test_the_secrets_that_are_made_are_those_that_the_chart_asks_for(
    calls: list[Call], asked: dict[str, set[str]]
) -> None:
    made = {
        call.words[call.words.index("--name") + 1]: json.loads(call.given)
        for call in calls
        if call.words[1:3] == ["secretsmanager", "create-secret"] and call.given
    }
    assert {name: set(values) for name, values in made.items()} == asked
    assert all(value for values in made.values() for value in values.values())
    auth, client, store = (made[f"gerai/production/{name}"] for name in ("auth", "client", "store"))
    pairs = {"client": client["OAUTH_CLIENT_SECRET"], "store": store["OAUTH_CLIENT_SECRET"]}
    assert auth["OAUTH_CLIENTS"] == ",".join(f"{name}:{secret}" for name, secret in pairs.items())
    assert auth["jwt.pem"].startswith("-----BEGIN PRIVATE KEY-----\n")


def test_every_value_it_names_is_one_of_the_chart() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    roots = "|".join(values)
    named = set(re.findall(rf"`((?:{roots})\.[A-Za-z.]+)`", TEXT))
    assert len(named) > 8
    for path in named:
        found = values
        parts = path.split(".")
        if parts[0] == "services" and parts[2] not in values["services"][parts[1]]:
            found, parts = values["defaults"], parts[2:]
        for part in parts:
            assert part in found, path
            found = found[part]


def test_objects_it_names_are_those_that_values_refer_to(production: list[dict[str, Any]]) -> None:
    values = yaml.safe_load((CHART / "values-production.yaml").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    assert f"kubectl create configmap {values['trustBundle']['configMap']} " in TEXT
    assert f"--from-file {defaults['trustBundle']['key']}\n" in TEXT
    assert f"`{defaults['externalSecrets']['store']['name']}`" in TEXT
    most = values["defaults"]["autoscaling"]["maxReplicas"]
    pool = defaults["database"]["poolSize"] + 2
    databases = sum("database" in service for service in defaults["services"].values())
    assert (
        f"{databases} services × ({most} + 1 surging) pods × {pool} = {databases * (most + 1) * pool}" in TEXT
    )
    assert production
    autoscaling = values["defaults"]["autoscaling"]
    least, services = autoscaling["minReplicas"], len(defaults["services"])
    assert f"{services} services × {least} pods = {services * least} cores" in TEXT
    assert f"{services} × {most} = {services * most}." in TEXT


def test_variables_of_environments_are_those_of_the_pipeline() -> None:
    pipeline = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    for name in set(re.findall(r"vars\.([A-Z_]+)", pipeline)):
        assert f"`{name}`" in TEXT
