"""Every error of the platform can be raised, formatted and described."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import gateway
import services
import shared
from shared.errors import GeraiError
from shared.openapi import sample
from shared.responses import error_envelope


def load_every_module() -> None:
    for package in (shared, services, gateway):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)


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


def test_codes_are_distinct() -> None:
    codes = [each.code for each in CLASSES if each is not GeraiError]
    assert len(set(codes)) == len(codes)
