from pathlib import Path

import pytest

from infra.go import PACKAGE, CannotBuild, compiler

UNPACKS = '#!/bin/sh\n/bin/mkdir -p "$6/go/bin" && echo "$7" > "$6/go/bin/go"\n'
FAILS = "#!/bin/sh\n/bin/mkdir -p $6/half\necho 'no such package' >&2\nexit 1\n"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o755)
    return file


def test_go_on_path_is_taken(path: Path, tmp_path: Path) -> None:
    program(path / "uv", FAILS)
    go = program(path / "go", "#!/bin/sh\n")
    assert compiler("It is built with Go", cache=tmp_path) == str(go)


def test_where_there_is_none_a_package_brings_it_once(path: Path, tmp_path: Path) -> None:
    program(path / "uv", UNPACKS)
    go = compiler("It is built with Go", cache=tmp_path / "cache")
    assert Path(go).read_text().strip() == PACKAGE
    program(path / "uv", FAILS)
    assert compiler("It is built with Go", cache=tmp_path / "cache") == go


def test_where_neither_can_be_had_it_is_told(path: Path, tmp_path: Path) -> None:
    program(path / "uv", FAILS)
    for _ in range(2):  # what the first try left is not taken for Go
        with pytest.raises(CannotBuild) as raised:
            compiler("It is built with Go", ", or name a cluster", tmp_path)
        told = "It is built with Go, and Go is missing: install Go 1.26 or newer, or name a cluster."
        assert str(raised.value).startswith(told)
        assert "no such package" in str(raised.value)
