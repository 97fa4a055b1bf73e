"""What the chart renders to is committed, so that a change of a template shows what it changes."""

from difflib import unified_diff
from pathlib import Path

import pytest

from tests.helm.golden import FILES, FOLDER, REWRITE, golden, rendered


@pytest.mark.parametrize("values", FILES, ids=lambda file: file.stem)
def test_values_render_to_what_is_committed(values: Path) -> None:
    file = golden(values)
    before = file.read_text().splitlines() if file.exists() else []
    difference = list(unified_diff(before, rendered(values).splitlines(), str(file), "rendered", lineterm=""))
    if difference:
        pytest.fail(
            "\n".join([*difference, "", f"If that is meant, {REWRITE} writes it anew."]), pytrace=False
        )


def test_each_file_is_of_a_file_of_values() -> None:
    assert {golden(values) for values in FILES} == set(FOLDER.iterdir())
