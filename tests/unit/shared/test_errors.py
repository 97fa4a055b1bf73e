"""Every error of the platform can be raised, formatted and described."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import GeraiError
from shared.openapi import sample
from shared.responses import error_envelope

ROOT = Path(__file__).parents[3]


def load_every_module() -> None:
    for folder in ("shared", "services", "gateway"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.stem != "__main__" and "migrations" not in path.parts:
                importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def error_classes(of: type[GeraiError] = GeraiError) -> Iterator[type[GeraiError]]:
    yield of
    for each in of.__subclasses__():
        yield from error_classes(each)


load_every_module()
CLASSES = sorted(set(error_classes()), key=lambda each: each.__name__)


@pytest.mark.parametrize("error_class", CLASSES, ids=lambda each: each.__name__)
def test_an_error_says_something_with_a_status_and_a_code(error_class: type[GeraiError]) -> None:
    envelope = error_envelope(sample(error_class), "0" * 32)
    assert 400 <= envelope.status_code < 600
    assert envelope.error.code.isupper()
    assert envelope.message.endswith((".", "!")) or "not found" in envelope.message
    assert "{" not in envelope.message


def test_a_code_means_one_thing() -> None:
    meanings = {(each.code, each.status, each.template) for each in CLASSES}
    codes = [code for code, _, _ in meanings]
    assert len(set(codes)) == len(codes)
