"""What is in an image, and what is not."""

import json
import re
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.embedded.state import ROOT
from infra.wrapper import PINS
from tests.image.conftest import SERVICES
from tests.support.containers import DOCKERFILE, REVISION, Containers

MOST_BYTES = 150_000_000
NEVER_IN_CODE = {".env", ".git", ".gerai", ".venv", "tests", "infra", "helm", "docs", "benchmarks", "uv.lock"}
STRANGERS = {"gateway": {"sqlalchemy", "asyncpg", "alembic", "redis", "hiredis"}}
TOOLS = {"pip", "uv", "pytest", "ruff", "pyright", "hypothesis", "faker", "supervisor"}


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def files(containers: Containers, images: dict[str, str], service: str) -> Generator[Path]:
    with containers.files(images[service]) as folder:
        yield folder


@pytest.fixture(scope="module")
def described(containers: Containers, images: dict[str, str], service: str) -> dict[str, Any]:
    return json.loads(containers.podman("image", "inspect", images[service]))[0]["Config"]


def test_it_holds_the_code_of_its_service_and_no_other(files: Path, service: str) -> None:
    own = Path("gateway") if service == "gateway" else Path("services", service)
    code = {path.relative_to(files / "app") for path in _code(files)}
    assert code == {path.relative_to(ROOT) for part in (own, Path("shared")) for path in _tracked(part)}


def test_it_holds_nothing_secret_and_nothing_of_how_it_was_made(files: Path) -> None:
    paths = [path for path in (files / "app").rglob("*") if ".venv" not in path.parts]
    assert not [path for path in paths if set(path.relative_to(files).parts) & NEVER_IN_CODE]
    assert not list((files / "app").rglob(".env*"))
    assert not [path for path in paths if path.is_file() and b"PRIVATE KEY-----\n" in path.read_bytes()]
    assert not [path for path in (files / "build", files / "root" / ".cache") if path.exists()]


def test_it_holds_the_packages_of_its_service_and_no_other(files: Path, service: str) -> None:
    export = ["export", "--frozen", "--no-default-groups", "--no-hashes", "--package", f"gerai-{service}"]
    done = subprocess.run(
        ["uv", *export],  # noqa: S607 - the checkout's
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    locked = set(re.findall(r"^([a-z0-9._-]+)==(\S+)", done.stdout, re.MULTILINE))
    [site] = files.glob("app/.venv/lib/*/site-packages")
    installed = {_package(folder) for folder in site.glob("*.dist-info")}
    assert installed <= locked
    assert not {name for name, _ in installed} & (TOOLS | STRANGERS.get(service, set()))


def test_its_code_need_not_be_compiled_again(files: Path) -> None:
    sources = [path for path in _code(files) if path.suffix == ".py"]
    assert not [
        path for path in sources if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))
    ]


def test_its_files_belong_to_another_user(files: Path) -> None:
    found = [path for path in (files / "app").rglob("*") if not path.is_symlink()]
    assert {path.stat().st_uid for path in found} == {0}
    assert not [path for path in found if path.stat().st_mode & 0o022]


def test_it_is_small(containers: Containers, images: dict[str, str], base: str, service: str) -> None:
    assert containers.size(images[service]) - containers.size(base) < MOST_BYTES


def test_it_starts_what_the_chart_starts(described: dict[str, Any], service: str) -> None:
    values = yaml.safe_load((ROOT / "helm" / "gerai" / "values.yaml").read_text())
    assert described["Entrypoint"] == ["python", "-m", values["services"][service]["module"]]
    assert described.get("Cmd") is None
    assert described["WorkingDir"] == "/app"


def test_it_runs_as_nobody(described: dict[str, Any]) -> None:
    assert described["User"] == "65532:65532"


def test_it_says_what_it_was_built_from(described: dict[str, Any], service: str) -> None:
    assert described["Labels"]["org.opencontainers.image.revision"] == REVISION
    assert described["Labels"]["org.opencontainers.image.title"] == f"gerai-{service}"
    assert f"SERVICE_REVISION={REVISION}" in described["Env"]
    assert "PYTHONUNBUFFERED=1" in described["Env"]


def test_uv_is_the_one_that_a_checkout_uses() -> None:
    [pin] = [pin for pin in PINS if pin.startswith("uv==")]
    assert f"pip install --no-cache-dir --quiet {pin}\n" in DOCKERFILE.read_text()


def test_a_build_sees_no_secret_and_no_more_than_it_needs(containers: Containers, tmp_path: Path) -> None:
    wanted = {
        "pyproject.toml",
        "uv.lock",
        "services/auth/errors.py",
        "shared/pyproject.toml",
        "gateway/proxy.py",
    }
    unwanted = {
        *(
            ".env",
            ".env.local",
            "services/auth/.env",
            "gateway/key.pem",
            ".git/config",
            ".gerai/secrets.json",
        ),
        *("tests/conftest.py", "infra/wrapper.py", "shared/__pycache__/errors.cpython-313.pyc", "notes.txt"),
    }
    for name in wanted | unwanted:
        path = tmp_path / "context" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("something")
    (tmp_path / "context" / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    recipe = tmp_path / "Recipe"
    recipe.write_text("FROM scratch\nCOPY . /\n")
    with containers.files(containers.build_from(recipe, tmp_path / "context")) as seen:
        assert {str(path.relative_to(seen)) for path in seen.rglob("*") if path.is_file()} == wanted


def _code(files: Path) -> list[Path]:
    """Return the files below /app that are neither packages nor bytecode."""
    found = (files / "app").rglob("*")
    return [path for path in found if path.is_file() and not {".venv", "__pycache__"} & set(path.parts)]


def _tracked(part: Path) -> list[Path]:
    found = (ROOT / part).rglob("*")
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _package(folder: Path) -> tuple[str, str]:
    name, version = folder.name.removesuffix(".dist-info").split("-")
    return name.lower().replace("_", "-"), version
