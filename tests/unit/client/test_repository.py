"""The columns that are derived from what a person sends."""

from typing import Any

import pytest

from services.client.repository.clients import stored_columns
from services.client.schema import ChangeClient

EMPTY: dict[str, Any] = dict.fromkeys(ChangeClient.__struct_fields__)


def columns(**fields: object) -> dict[str, Any]:
    return stored_columns({**EMPTY, "name": "Kopi", "email": "halo@kopi.example", **fields})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("halo@kopi.example", "HALO@Kopi.EXAMPLE"),
        ("caf\u00e9@kopi.example", "cafe\u0301@kopi.example"),
        ("halo@kopi.example", "\uff48alo@kopi.example"),
        ("stra\u00dfe@kopi.example", "STRASSE@kopi.example"),
    ],
)
def test_emails_that_look_the_same_have_one_key(one: str, other: str) -> None:
    assert columns(email=one)["email_key"] == columns(email=other)["email_key"]


def test_text_is_stored_in_one_form() -> None:
    stored = columns(name="  Cafe\u0301  ", address=" Jalan\nMelati ")
    assert (stored["name"], stored["address"]) == ("Caf\u00e9", "Jalan\nMelati")


def test_names_are_sorted_without_regard_to_case_and_spaces() -> None:
    assert columns(name="Kopi   TUA")["name_key"] == columns(name="kopi tua")["name_key"]


def test_a_city_may_be_empty() -> None:
    assert columns(city=None)["city_key"] is None


def test_words_come_from_name_email_phone_and_city() -> None:
    stored = columns(name="Kopi Tu\u00e1", email="halo@kopi-tua.example", phone="+628123", city="Bandung")
    assert stored["search"] == ["kopi", "tua", "halo", "example", "628123", "bandung"]
