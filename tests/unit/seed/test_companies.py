"""The demo data is what the services' own endpoints would accept, and the same every time."""

from typing import Any

import msgspec
import pytest

from infra.seed.cities import home_and_world
from infra.seed.companies import Demo
from infra.seed.dice import Dice
from services.client.schema import CreateClient
from services.store.schema import CreateStore
from shared.conversion import to_struct
from shared.hours.validation import exception_problems, week_problems
from shared.places import place_problems
from tests.support.clients import THEN

HOME, WORLD = home_and_world()
DEMO = Demo(HOME, WORLD, 100)
CLIENTS = [DEMO.client(number) for number in range(100)]
STORES = [DEMO.store(number) for number in range(1_000)]


def sent(row: dict[str, Any], type_: type[msgspec.Struct]) -> msgspec.Struct:
    """Read a row as if a person had sent it."""
    fields = {name: row[name] for name in type_.__struct_fields__}
    return to_struct(msgspec.to_builtins(fields), type_, strict=True)


def test_clients_are_valid() -> None:
    for row in CLIENTS:
        assert sent(row, CreateClient)
        assert place_problems(row["country"], row["timezone"]) == []


def test_stores_are_valid() -> None:
    for row in STORES:
        assert sent(row, CreateStore)
        assert place_problems(row["country"], row["timezone"]) == []


def test_hours_are_valid() -> None:
    weeks = [DEMO.hours_of_client(number) for number in range(100)]
    weeks += [DEMO.hours_of_store(number) for number in range(1_000)]
    for parts in weeks:
        assert parts.week is None or week_problems(parts.week.hours) == []
        for holiday in parts.exceptions:
            assert exception_problems(holiday) == []
            others = [each for each in parts.exceptions if each is not holiday]
            assert all(each.last < holiday.first or holiday.last < each.first for each in others)


def test_most_clients_and_some_stores_have_hours() -> None:
    clients = [DEMO.hours_of_client(number) for number in range(100)]
    stores = [DEMO.hours_of_store(number) for number in range(1_000)]
    assert 80 < sum(parts.week is not None for parts in clients) < 90
    assert sum(bool(parts.exceptions) for parts in clients) == 50
    assert 50 < sum(parts.week is not None for parts in stores) < 150
    digests = {row["schedule_digest"] for row in STORES}
    assert None in digests
    assert len(digests) == 7


def test_what_must_be_unique_is() -> None:
    for rows, name in ((CLIENTS, "uuid"), (CLIENTS, "email"), (STORES, "uuid"), (STORES, "code")):
        assert len({row[name] for row in rows}) == len(rows)


def test_it_is_the_same_every_time() -> None:
    again = Demo(*home_and_world(), 100)
    assert [again.client(number) for number in range(100)] == CLIENTS
    assert [again.store(number) for number in range(1_000)] == STORES


def test_what_a_store_is_does_not_depend_on_how_many_are_made() -> None:
    fewer = Demo(HOME, WORLD, 20)
    assert [fewer.client(number) for number in range(20)] == CLIENTS[:20]
    assert [fewer.store(number)["uuid"] for number in range(9)] == [row["uuid"] for row in STORES[:9]]


def test_stores_belong_to_the_clients() -> None:
    assert {row["client_uuid"] for row in STORES} <= {row["uuid"] for row in CLIENTS}


def test_stores_are_where_their_city_is() -> None:
    jakarta = [row for row in STORES if row["city"] == "Jakarta"]
    assert jakarta
    for row in jakarta:
        assert row["latitude"] == pytest.approx(-6.21462, abs=0.02)
        assert row["longitude"] == pytest.approx(106.84513, abs=0.02)
        assert (row["country"], row["timezone"]) == ("ID", "Asia/Jakarta")


def test_most_stores_are_in_indonesia_and_some_in_the_world() -> None:
    countries = [row["country"] for row in STORES]
    assert 0.75 < countries.count("ID") / len(countries) < 0.95
    assert len(set(countries)) > 20
    assert {"Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"} <= {row["timezone"] for row in STORES}


def test_nobody_can_be_written_to_or_called() -> None:
    for row in (*CLIENTS, *STORES):
        assert row["email"] is None or row["email"].endswith(".example")
        assert row["phone"] is None or "00" in row["phone"][2:9]


def test_ids_look_like_those_of_the_services() -> None:
    uuid = Dice("store", 1).uuid(THEN)
    assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
    assert uuid.int >> 80 == int(THEN.timestamp() * 1000)
