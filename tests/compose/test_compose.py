"""The compose stack's file as Docker Compose reads it, and the secrets that its first start makes."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.backup.options import parser
from infra.backup.vault import read_key
from infra.collector import MANIFEST
from infra.compose.__main__ import files, write
from infra.debian import ProgramMissing
from infra.debian import program as program_of
from infra.embedded.private import Secrets
from infra.embedded.state import ROOT
from infra.postgres.__main__ import DATABASES
from services.auth.config import AuthConfig
from services.client.config import ClientConfig
from services.store.config import StoreConfig
from shared.command import MigrationConfig
from shared.config import load, process_environment
from tests.alerts.test_configuration import ALERTMANAGER, NOBODY, PROMETHEUS

pytestmark = pytest.mark.compose

FILE = ROOT / "docker-compose.yml"
CONFIGS = {"auth": AuthConfig, "client": ClientConfig, "store": StoreConfig}
OURS = {"secrets", "provision", "gateway", *CONFIGS, *(f"migrate-{name}" for name in CONFIGS)}
SERVERS = {"postgres", "redis"}
SILENT = {"tempo", "otel-collector", "redis-exporter"}
"""Whose images hold nothing that a health check could run."""
ASLEEP = {"backup-full", "backup-drill"}
"""What waits for its time; how it went is told by its metrics."""
READERS_OF_THE_SAME = {
    "owner-secrets": {f"migrate-{name}" for name in CONFIGS},
    "postgres-secrets": {"postgres", "postgres-replica"},
    "backup-secrets": {"backup", "backup-full", "backup-drill"},
}
ADMIN = "admin@example.com"


@pytest.fixture(scope="module")
def program() -> str:
    try:
        return program_of("docker-compose", "docker-compose", suite="trixie")  # the first with Compose 2
    except ProgramMissing as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def stack(program: str) -> dict[str, Any]:
    """Every service of every profile, as Compose understands it."""
    return _stack(program, "--profile", "*")


def test_without_a_profile_there_is_the_platform_alone(program: str) -> None:
    assert set(_stack(program)) == OURS | SERVERS


def test_every_service_is_confined(stack: dict[str, Any]) -> None:
    for name, service in stack.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        limits = service["deploy"]["resources"]["limits"]
        assert limits["cpus"], name
        assert limits["memory"], name


def test_no_more_privileges_than_are_explained(stack: dict[str, Any]) -> None:
    assert {name for name, each in stack.items() if each.get("user", "").startswith("0")} == {
        "secrets",
        "otel-collector",
    }
    more = ("cap_add", "privileged", "network_mode")
    assert not [name for name, each in stack.items() if any(each.get(key) for key in more)]


def test_every_image_has_a_version(stack: dict[str, Any]) -> None:
    for name, service in stack.items():
        assert re.fullmatch(r"gerai/[a-z]+:dev|[a-z0-9/_-]+:v?\d+(\.\d+)*(-[a-z]+)?", service["image"]), name


def test_the_collector_is_the_one_that_is_tested(stack: dict[str, Any]) -> None:
    manifest = yaml.safe_load(MANIFEST.read_text())
    parts = [part["gomod"].split() for kind in ("receivers", "extensions") for part in manifest[kind]]
    # The image has the version of the contrib modules in it; those of the core may be a patch behind.
    [version] = {version for module, version in parts if "-contrib/" in module}
    assert (
        stack["otel-collector"]["image"]
        == f"otel/opentelemetry-collector-contrib:{version.removeprefix('v')}"
    )
    core = {version for module, version in parts if "-contrib/" not in module}
    assert core == {f"v{manifest['dist']['version']}"}
    assert manifest["dist"]["version"].split(".")[:2] == version.removeprefix("v").split(".")[:2]


def test_ports_are_for_this_machine_alone(stack: dict[str, Any]) -> None:
    published = {name: each["ports"] for name, each in stack.items() if each.get("ports")}
    assert set(published) == {"gateway", "prometheus", "alertmanager", "grafana"}
    assert {port["host_ip"] for ports in published.values() for port in ports} == {"127.0.0.1"}


def test_each_waits_for_what_it_needs(stack: dict[str, Any]) -> None:
    def needed(name: str) -> dict[str, str]:
        return {other: each["condition"] for other, each in stack[name]["depends_on"].items()}

    done, healthy = "service_completed_successfully", "service_healthy"
    assert needed("postgres") == needed("redis") == {"secrets": done}
    assert needed("provision") == {"postgres": healthy}
    for name in CONFIGS:
        assert needed(f"migrate-{name}") == {"provision": done}
        assert needed(name).items() >= {f"migrate-{name}": done, "redis": healthy}.items()
    assert needed("gateway") == dict.fromkeys(CONFIGS, healthy)
    waited_for = {name for each in stack for name, how in _needed(stack, each) if how == healthy}
    assert all(stack[name]["healthcheck"]["test"] for name in waited_for)


def test_whatever_can_tell_how_it_is_does(stack: dict[str, Any]) -> None:
    asked = {name for name, service in stack.items() if "healthcheck" in service}
    running = {name for name, service in stack.items() if service["restart"] != "no"}
    assert asked == running - SILENT - ASLEEP


def test_observers_start_after_those_they_hand_to(stack: dict[str, Any]) -> None:
    needed = {name: {other for other, _ in _needed(stack, name)} for name in stack}
    assert needed["prometheus"] == {"gateway", "alertmanager"}
    assert needed["tempo"] == {"prometheus"}
    assert needed["otel-collector"] == {"loki", "tempo"}
    assert needed["grafana"] == {"secrets", "prometheus", "loki", "tempo"}


def test_observers_read_the_files_that_are_tested(stack: dict[str, Any]) -> None:
    [prometheus] = [part for part in stack["prometheus"]["command"] if part.startswith("--config.file=")]
    assert _on_this_machine(stack, "prometheus", prometheus.partition("=")[2]) == PROMETHEUS
    for file in (ALERTMANAGER, NOBODY):
        mounted = f"/etc/alertmanager/{Path(file).name}"
        assert _on_this_machine(stack, "alertmanager", mounted) == file


def test_what_is_mounted_is_there(stack: dict[str, Any]) -> None:
    sources = {each["source"] for each in _mounts(stack) if each["type"] == "bind"} - {
        "/var/lib/docker/containers"
    }
    assert all(Path(source).exists() for source in sources)
    assert all(each["read_only"] for each in _mounts(stack) if each["type"] == "bind")


def test_secrets_can_be_written_by_their_maker_alone(stack: dict[str, Any]) -> None:
    mounts = {
        (name, mount["source"], mount.get("read_only", False))
        for name, service in stack.items()
        for mount in service.get("volumes", [])
        if mount["source"].endswith("-secrets")
    }
    assert {name for name, _, read_only in mounts if not read_only} == {"secrets"}
    assert {name for name, source, _ in mounts if source == "kept-secrets"} == {"secrets"}
    for service in CONFIGS:
        assert {source for name, source, _ in mounts if name == service} == {f"{service}-secrets"}
    readers = {source: {name for name, other, _ in mounts if other == source} for _, source, _ in mounts}
    shared = {
        source: names - {"secrets"} for source, names in readers.items() if len(names - {"secrets"}) > 1
    }
    assert shared == READERS_OF_THE_SAME


def test_no_secret_is_in_the_file() -> None:
    services: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    given: set[str] = {name for each in services.values() for name in each.get("environment", {})}
    secret = re.compile(r"PASSWORD|SECRET|TOKEN|OAUTH_CLIENTS|DATABASE_URL")
    assert {name for name in given if secret.search(name)} == {
        *("POSTGRES_PASSWORD_FILE", "REDIS_PASSWORD_FILE", "GF_SECURITY_ADMIN_PASSWORD__FILE")
    }
    assert not re.search(r"://[^/\s:]*:[^@\s]+@", FILE.read_text())


def test_variables_are_those_that_are_explained(stack: dict[str, Any]) -> None:
    explained = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    for name in OURS:
        assert set(stack[name].get("environment") or {}) <= explained | {"ENV_FILE"}, name


@pytest.mark.parametrize("service", CONFIGS)
def test_a_service_starts_with_its_environment_and_its_secrets(
    stack: dict[str, Any], service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = _written(tmp_path)
    environment = _environment(stack[service]) | {"SERVICE_ENVIRONMENT": "production"}
    _only(monkeypatch, environment | {"ENV_FILE": str(written / service / "env")})
    config = load(CONFIGS[service], process_environment())
    assert config.database.user == f"gerai_{service}_app"


@pytest.mark.parametrize("service", CONFIGS)
def test_a_migration_starts_as_the_owner(
    stack: dict[str, Any], service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = _environment(stack[f"migrate-{service}"])
    assert environment["ENV_FILE"] == f"/run/gerai/{service}"
    _only(monkeypatch, environment | {"ENV_FILE": str(_written(tmp_path) / "owners" / service)})
    database = load(MigrationConfig, process_environment()).database
    assert (database.name, database.user) == (f"gerai_{service}", f"gerai_{service}_owner")


def test_provisioning_gets_the_passwords_that_services_have(tmp_path: Path) -> None:
    written = _written(tmp_path)
    given = dict(line.split("=", 1) for line in (written / "provision" / "env").read_text().splitlines())
    for name in DATABASES:
        service = name.removeprefix("gerai_")
        app = f"DB_PASSWORD={given[f'{name.upper()}_APP_PASSWORD']}\n"
        owner = f"DB_PASSWORD={given[f'{name.upper()}_OWNER_PASSWORD']}\n"
        assert app in (written / service / "env").read_text()
        assert (written / "owners" / service).read_text() == owner
    assert (written / "postgres" / "superuser").read_text() in given["DATABASE_URL"]


def test_backups_get_a_role_that_is_provided_and_a_key(stack: dict[str, Any], tmp_path: Path) -> None:
    written = _written(tmp_path)
    line = (written / "backup" / "env").read_text().strip()
    password = re.fullmatch(r"DATABASE_URL=postgresql://gerai_backup:(\S+)@postgres:5432/postgres", line)
    assert password
    assert f"GERAI_BACKUP_PASSWORD={password[1]}\n" in (written / "provision" / "env").read_text()
    read_key(written / "backup" / "backup.key")
    assert "host replication gerai_backup all" in (ROOT / "infra" / "compose" / "pg_hba.conf").read_text()
    for name in ("backup", "backup-full", "backup-drill"):
        assert stack[name]["environment"]["GERAI_BACKUP_KEY_FILE"] == "/run/gerai/backup.key"
    assert parser().parse_args(stack["backup"]["command"]).follow


def test_a_second_start_changes_no_secret(tmp_path: Path) -> None:
    written = _written(tmp_path)
    before = {path: path.read_text() for path in written.rglob("*") if path.is_file()}
    write(written, ADMIN)
    assert {path: path.read_text() for path in written.rglob("*") if path.is_file()} == before


def test_what_all_else_is_made_from_is_for_its_maker_alone(tmp_path: Path) -> None:
    assert (_written(tmp_path) / "kept" / "secrets.json").stat().st_mode & 0o777 == 0o600


def _written(folder: Path) -> Path:
    """Return a folder like the volumes after the first start."""
    for name in files(Secrets(folder / "unused.json"), ADMIN):
        (folder / name).parent.mkdir(exist_ok=True)
    (folder / "kept").mkdir(exist_ok=True)
    write(folder, ADMIN)
    return folder


def _stack(program: str, *options: str) -> dict[str, Any]:
    command = [program, "--file", str(FILE), "--env-file", os.devnull, *options, "config"]
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    quiet = subprocess.run([*command, "--quiet"], env=bare, capture_output=True, text=True, check=False)
    assert (quiet.returncode, quiet.stderr) == (0, "")
    done = subprocess.run(
        [*command, "--format", "json"], env=bare, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)["services"]


def _environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service["environment"].items()}


def _only(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def _mounts(stack: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for service in stack.values():
        yield from service.get("volumes", [])


def _on_this_machine(stack: dict[str, Any], service: str, path: str) -> str:
    """Return the file that a container sees under `path`."""
    mounts = {each["target"]: each["source"] for each in stack[service]["volumes"]}
    folder = str(Path(path).parent)
    return str(Path(mounts[folder], Path(path).name))


def _needed(stack: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    needs: dict[str, Any] = stack[name].get("depends_on") or {}
    for other, each in needs.items():
        yield other, each["condition"]
