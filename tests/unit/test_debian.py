from pathlib import Path

import pytest

from infra.debian import ProgramMissing, program


def _program(folder: Path) -> Path:
    folder.mkdir(parents=True)
    file = folder / "promtool"
    file.touch(mode=0o755)
    return file


def test_a_program_on_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = _program(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert program("promtool", "prometheus", tmp_path / "cache") == str(installed)


def test_else_one_that_was_unpacked_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    unpacked = _program(tmp_path / "cache" / "prometheus" / "usr" / "bin")
    assert program("promtool", "prometheus", tmp_path / "cache") == str(unpacked)


def test_where_there_is_no_debian_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ProgramMissing, match="promtool is missing; on Debian it is in the package prometheus"
    ):
        program("promtool", "prometheus", tmp_path / "cache")


def test_what_apt_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("apt-get", "dpkg"):
        file = tmp_path / name
        file.write_text("#!/bin/sh\necho 'Unable to locate package' >&2\nexit 100\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match=r"promtool is missing.*Unable to locate package"):
        program("promtool", "prometheus", tmp_path / "cache")
