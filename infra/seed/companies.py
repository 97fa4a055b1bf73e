"""Invented companies and stores: generic trade words and real cities, never a person or a brand.

What has number N depends on N alone (and the store's owner on how many clients there are), so that running
again makes the same rows. E-mail addresses are under `.example` (RFC 2606). The national part of phone
numbers begins with 00, which no country assigns.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from infra.seed.cities import HOME, Cities, City
from infra.seed.dice import Dice
from infra.seed.hours import holidays_of_client, week_of_client, week_of_store
from services.store.repository.workhours import digest_of
from shared.schedules.known import Parts
from shared.text import words

_TRADES = (
    *(
        ("Kopi", "Coffee"),
        ("Roti", "Bakery"),
        ("Batik", "Textiles"),
        ("Buku", "Books"),
        ("Apotek", "Pharmacy"),
    ),
    *(("Elektronik", "Electronics"), ("Sepatu", "Shoes"), ("Bangunan", "Hardware"), ("Optik", "Optics")),
    *(
        ("Mebel", "Furniture"),
        ("Mainan", "Toys"),
        ("Teh", "Tea"),
        ("Bakmi", "Noodles"),
        ("Sayur", "Groceries"),
    ),
    *(
        ("Bunga", "Flowers"),
        ("Sepeda", "Bicycles"),
        ("Kamera", "Cameras"),
        ("Musik", "Music"),
        ("Kain", "Fabrics"),
    ),
)
_QUALITIES = (
    *(("Jaya", "Trading"), ("Makmur", "Retail"), ("Sentosa", "Supply"), ("Abadi", "Goods")),
    *(("Nusantara", "House"), ("Sejahtera", "Market"), ("Mandiri", "Outlet")),
)
_STREETS = (
    *("Jalan Merdeka", "Jalan Melati", "Jalan Mawar", "Jalan Kenanga", "Jalan Anggrek", "Jalan Cempaka"),
    *("Jalan Pasar Baru", "Jalan Stasiun", "Jalan Pelabuhan", "Jalan Alun-Alun", "Jalan Pemuda"),
)
_STREETS_ABROAD = (
    "Market Street",
    "Station Road",
    "Harbour Street",
    "Garden Road",
    "Mill Lane",
    "Main Street",
)

_CLIENTS_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_STORES_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_BETWEEN_CLIENTS = timedelta(minutes=5)
_BETWEEN_STORES = timedelta(seconds=30)

_CLIENTS_ABROAD_EVERY = 7
_CLIENTS_INACTIVE_EVERY = 20
_STORES_ABROAD = 0.15
_STORES_INACTIVE = 0.03
_WITH_PHONE, _WITH_EMAIL, _WITH_ADDRESS = 0.8, 0.6, 0.9
_CITY_RADIUS = 0.02  # degrees, about two kilometres
_LONGEST_SLUG = 40


class Company(msgspec.Struct, frozen=True):
    """What a client shares with its stores."""

    uuid: UUID
    brand: str
    domain: str


class Demo:
    """Makes rows of demo data: the fields that a person would have sent, with id and times."""

    def __init__(self, home: Cities, world: Cities, clients: int) -> None:
        self._home = home
        self._world = world
        self._companies = [self._company(number) for number in range(clients)]

    def client(self, number: int) -> dict[str, Any]:
        """Return the client of this number, counted from 0."""
        company, city, dice = self._companies[number], self._seat(number), Dice("client", number)
        return {
            **_identity(company.uuid, _CLIENTS_BEGIN + number * _BETWEEN_CLIENTS),
            "name": f"{company.brand} {city.name}",
            "email": f"halo@{company.domain}",
            "phone": _phone(city, number),
            "tax_id": None,
            "address": _address(city, dice),
            **_place(city),
            "is_active": number % _CLIENTS_INACTIVE_EVERY != _CLIENTS_INACTIVE_EVERY // 2,
        }

    def store(self, number: int) -> dict[str, Any]:
        """Return the store of this number, counted from 0."""
        dice, created_at = Dice("store", number), _STORES_BEGIN + number * _BETWEEN_STORES
        company = self._owner(dice)
        city = (self._world if dice.chance() < _STORES_ABROAD else self._home).pick(dice.chance())
        return {
            **_identity(dice.uuid(created_at), created_at),
            "client_uuid": company.uuid,
            "code": f"{_abbreviation(city)}-{number + 1:04d}",
            "name": f"{company.brand} {city.name}",
            "phone": _phone(city, number) if dice.chance() < _WITH_PHONE else None,
            "email": f"toko{number + 1}@{company.domain}" if dice.chance() < _WITH_EMAIL else None,
            "address": _address(city, dice) if dice.chance() < _WITH_ADDRESS else None,
            **_place(city),
            "latitude": _near(city.latitude, dice, 90),
            "longitude": _near(city.longitude, dice, 180),
            "is_active": dice.chance() >= _STORES_INACTIVE,
            "schedule_digest": digest_of(self.hours_of_store(number)),
        }

    def hours_of_client(self, number: int) -> Parts:
        """Return what the client of this number has of a schedule."""
        began = _CLIENTS_BEGIN + number * _BETWEEN_CLIENTS
        holidays = tuple(holidays_of_client(number, began))
        return Parts(week=week_of_client(number, began), exceptions=holidays)

    def hours_of_store(self, number: int) -> Parts:
        """Return what the store of this number has of a schedule of its own."""
        return Parts(week=week_of_store(number, _STORES_BEGIN + number * _BETWEEN_STORES))

    def client_uuids(self) -> list[UUID]:
        """Return the ids of all clients."""
        return [company.uuid for company in self._companies]

    def _company(self, number: int) -> Company:
        city = self._seat(number)
        language = int(city.country != HOME)
        brand = f"{_TRADES[number % len(_TRADES)][language]} {_QUALITIES[number % len(_QUALITIES)][language]}"
        uuid = Dice("client", number).uuid(_CLIENTS_BEGIN + number * _BETWEEN_CLIENTS)
        return Company(uuid, brand, f"{_slug(f'{brand} {city.name}')}-{number + 1}.example")

    def _owner(self, dice: Dice) -> Company:
        """Return one of the companies; the first ones have more stores than the last."""
        return self._companies[int(len(self._companies) * dice.chance() ** 2)]

    def _seat(self, number: int) -> City:
        abroad = number % _CLIENTS_ABROAD_EVERY == _CLIENTS_ABROAD_EVERY - 1
        return (self._world if abroad else self._home).ranked(number)


def _identity(uuid: UUID, created_at: datetime) -> dict[str, Any]:
    return {"uuid": uuid, "created_at": created_at, "updated_at": created_at, "version": 1}


def _place(city: City) -> dict[str, Any]:
    return {
        "city": city.name,
        "province": None,
        "postal_code": None,
        "country": city.country,
        "timezone": city.timezone,
    }


def _abbreviation(city: City) -> str:
    return _slug(city.name).replace("-", "")[:3].upper()


def _phone(city: City, number: int) -> str | None:
    return f"+{city.dialling}00{number + 1:07d}" if city.dialling else None


def _address(city: City, dice: Dice) -> str:
    house = 1 + int(dice.chance() * 199)
    if city.country == HOME:
        return f"{dice.choice(_STREETS)} No. {house}"
    return f"{house} {dice.choice(_STREETS_ABROAD)}"


def _near(degrees: float, dice: Dice, most: float) -> float:
    """Return a place in the city: coordinates close to its centre's, within the range that exists."""
    place = degrees + (2 * dice.chance() - 1) * _CITY_RADIUS
    return round(max(-most, min(most, place)), 5)


@cache
def _slug(text: str) -> str:
    """Return `text` as ASCII letters and digits joined by hyphens."""
    ascii_words = (word.encode("ascii", "ignore").decode() for word in words(text))
    return "-".join(word for word in ascii_words if word)[:_LONGEST_SLUG].strip("-") or "city"
