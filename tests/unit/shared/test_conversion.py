from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from shared.conversion import (
    CHECK,
    query_fields,
    to_bool,
    to_instant,
    to_int,
    to_strings,
    to_struct,
    to_uuid,
)
from shared.errors import FieldError, InvalidInput
from shared.text import Email, Phone, ShortText


class Person(msgspec.Struct, forbid_unknown_fields=True):
    name: ShortText
    email: Email
    phone: Phone | None = None
    age: Annotated[int, Meta(ge=0)] = 0


def details(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as raised:
        call()
    return {problem.field: problem.message for problem in raised.value.details}


def test_every_wrong_field_is_named_at_once() -> None:
    source = {"name": "a\x00b", "phone": "0812", "age": "3", "role": "admin"}
    assert set(details(lambda: to_struct(source, Person, strict=True))) == {
        "name",
        "email",
        "phone",
        "age",
        "role",
    }


def test_query_strings_are_read_as_numbers() -> None:
    person = to_struct({"name": "Ana", "email": "a@b.co", "age": "3"}, Person, strict=False)
    assert person.age == 3


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "a\nb",
        "end\n",
        "a\x7f",
        "a\u202eb",
        "a\u200bb",
        "a\ufeff",
        "a\ud800",
        "x" * 201,
        "x" * 1_000_000,
        7,
        None,
        ["a"],
    ],
)
def test_names_that_are_refused(name: object) -> None:
    assert set(details(lambda: to_struct({"name": name, "email": "a@b.co"}, Person, strict=True))) == {"name"}


@pytest.mark.parametrize("name", ["Kopi Susu", "Ñandú 7", "東京店", "O'Brien & Söhne", "emoji 🍜"])
def test_names_that_are_accepted(name: str) -> None:
    assert to_struct({"name": name, "email": "a@b.co"}, Person, strict=True).name == name


@pytest.mark.parametrize(
    "email", ["a", "a@b", "@b.co", "a@.co", "a b@c.de", "a@b..co", "a@b.co\n", "a@@b.co", 'a"@b.co']
)
def test_emails_that_are_refused(email: str) -> None:
    assert set(details(lambda: to_struct({"name": "A", "email": email}, Person, strict=True))) == {"email"}


@pytest.mark.parametrize(
    "email", ["a@b.co", "first.last+tag@sub.example.co.id", "é@münchen.example", "admin@gerai.local"]
)
def test_emails_that_are_accepted(email: str) -> None:
    assert to_struct({"name": "A", "email": email}, Person, strict=True).email == email


def test_a_refused_pattern_is_explained_in_words() -> None:
    messages = details(lambda: to_struct({"name": "A", "email": "x"}, Person, strict=True))
    assert messages["email"] == "must be an e-mail address such as name@example.com"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (to_int, "x"),
        (to_int, "1.5"),
        (to_int, "9" * 6000),
        (to_bool, "maybe"),
        (to_instant, "yesterday"),
        (to_instant, "2026-01-01T00:00:00"),
        (to_uuid, "123"),
        (to_uuid, "0199c5a07d1e7cc3b0f53a1b6c2d4e5f"),
        (to_uuid, "urn:uuid:0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"),
        (to_uuid, "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f\n"),
        (to_strings, ",".join("a" * 101)),
    ],
)
def test_each_reader_names_its_field(read: Callable[[str, Any], object], text: str) -> None:
    assert set(details(lambda: read("here", text))) == {"here"}


def test_readers_return_typed_values() -> None:
    assert to_int("n", "42") == 42
    assert to_bool("b", "true") is True
    assert to_instant("at", "2026-01-31T08:00:00+07:00") == datetime(2026, 1, 31, 1, tzinfo=UTC)
    assert to_strings("list", "a, b,,c") == ["a", "b", "c"]


def test_repeated_query_parameters_are_refused() -> None:
    assert set(details(lambda: query_fields(b"page=1&page=2&q=x"))) == {"page"}


@pytest.mark.parametrize("query", [b"q=%ff", b"q=\xff", b"&".join(b"a%d=1" % n for n in range(51))])
def test_unreadable_query_strings_are_refused(query: bytes) -> None:
    assert set(details(lambda: query_fields(query))) == {"query"}


def test_query_fields_are_decoded() -> None:
    assert query_fields(b"q=kopi+susu&city=S%C3%A3o&empty=") == {"q": "kopi susu", "city": "São", "empty": ""}


class Team(msgspec.Struct):
    people: Annotated[tuple[Person, ...], Meta(max_length=5)] | msgspec.UnsetType = msgspec.UNSET


def test_every_wrong_field_in_a_list_is_named_at_once() -> None:
    ana = {"name": "Ana", "email": "a@b.co"}
    people = [ana, {**ana, "phone": "0812", "role": "admin"}, "Budi", {"name": "", "email": "a@b.co"}]
    assert details(lambda: to_struct({"people": people}, Team, strict=True)).keys() == {
        "people[1].phone",
        "people[1].role",
        "people[2]",
        "people[3].name",
    }


@pytest.mark.parametrize("people", ["Ana", [{"name": ""}] * 6, None])
def test_a_list_that_is_wrong_itself_is_named_alone(people: object) -> None:
    assert details(lambda: to_struct({"people": people}, Team, strict=True)).keys() == {"people"}


def no_nines(field: str, value: int) -> list[FieldError]:
    return [FieldError(field, "has a nine")] if value % 10 == 9 else []


NoNines = Annotated[int, Meta(ge=0, extra={CHECK: no_nines})]


class Numbers(msgspec.Struct):
    first: NoNines
    second: Annotated[NoNines, Meta(le=1000)] | msgspec.UnsetType | None = msgspec.UNSET


def test_a_check_is_made_beside_whatever_else_is_wrong() -> None:
    told = details(lambda: to_struct({"first": 19, "second": "x", "third": 1}, Numbers, strict=True))
    assert told.keys() == {"first", "second", "third"}
    assert told["first"] == "has a nine"
    assert details(lambda: to_struct({"first": -1, "second": 9}, Numbers, strict=True)).keys() == {
        "first",
        "second",
    }


@pytest.mark.parametrize("body", [{"first": 1}, {"first": 1, "second": None}, {"first": 1, "second": 8}])
def test_what_is_absent_or_null_is_not_checked(body: dict[str, Any]) -> None:
    assert to_struct(body, Numbers, strict=True).first == 1
