from pathlib import Path

import pytest

from infra.go import CannotBuild, compiler


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_go_on_path_is_taken(path: Path) -> None:
    go = path / "go"
    go.write_text("#!/bin/sh\n")
    go.chmod(0o755)
    assert compiler("It is built with Go") == str(go)


@pytest.mark.parametrize("instead", ["", ", or name a cluster"])
def test_where_there_is_none_it_is_told_why_and_what_to_do(instead: str) -> None:
    with pytest.raises(CannotBuild) as raised:
        compiler("It is built with Go", instead)
    assert str(raised.value) == f"It is built with Go, and Go is missing: install Go 1.26 or newer{instead}."
