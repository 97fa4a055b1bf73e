"""The chart's README: a table of its values, made of the `# --` lines above them."""

import re
from collections.abc import Iterator
from pathlib import Path

CHART = Path(__file__).parents[2] / "helm" / "gerai"

_KEY = re.compile(r"^(?P<indent> *)(?P<name>[A-Za-z]+):(?: (?P<value>.*))?$")
_HEAD = (CHART / "README.head.md").read_text()


def render(values: str) -> str:
    """Return the README for the text of a values.yaml."""
    rows = (f"| `{path}` | {default} | {meaning} |\n" for path, default, meaning in _described(values))
    return _HEAD + "".join(rows)


def _described(values: str) -> Iterator[tuple[str, str, str]]:
    path: list[tuple[int, str]] = []
    meaning = ""
    for line in values.splitlines():
        text = line.strip()
        if text.startswith("# -- "):
            meaning = text.removeprefix("# -- ").replace("|", "\\|")
        elif key := _KEY.match(line):
            indent = len(key["indent"])
            path = [*(entry for entry in path if entry[0] < indent), (indent, key["name"])]
            if meaning:
                shown = f"`{key['value']}`" if key["value"] else "see values.yaml"
                yield ".".join(name for _, name in path), shown, meaning
            meaning = ""
