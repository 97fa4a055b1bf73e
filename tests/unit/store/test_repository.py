"""The columns that are derived from what a person sends."""

from typing import Any

import pytest

from services.store.repository.stores import stored_columns
from services.store.schema import ChangeStore

EMPTY: dict[str, Any] = dict.fromkeys(ChangeStore.__struct_fields__)


def columns(**fields: object) -> dict[str, Any]:
    return stored_columns({**EMPTY, "code": "JKT-01", "name": "Kopi", **fields})


@pytest.mark.parametrize(
    "twin", ["jkt-01", " JKT-01 ", "\uff2a\uff2b\uff34-01", "JKT-\uff10\uff11", "JKT\uff0d01"]
)
def test_codes_that_look_the_same_have_one_key(twin: str) -> None:
    assert columns(code=twin)["code_key"] == columns(code="JKT-01")["code_key"]


def test_codes_that_look_different_have_different_keys() -> None:
    assert columns(code="JKT-02")["code_key"] != columns(code="JKT-01")["code_key"]


def test_text_is_stored_in_one_form() -> None:
    assert columns(name="  Cafe\u0301 ")["name"] == "Caf\u00e9"


def test_what_is_no_text_stays() -> None:
    stored = columns(latitude=-6.2, longitude=106.8, is_active=False)
    assert (stored["latitude"], stored["longitude"], stored["is_active"]) == (-6.2, 106.8, False)


def test_words_come_from_name_code_and_city() -> None:
    assert columns(city="Banda Aceh", phone="+62811")["search"] == ["kopi", "jkt", "01", "banda", "aceh"]
