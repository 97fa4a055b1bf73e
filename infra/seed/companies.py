"""Invented companies and stores: generic trade words and real cities, never a person or a brand.

What number N is depends on N alone, so that running again makes the same rows. E-mail addresses are under
`.example` (RFC 2606). The national part of phone numbers begins with 000, which no country assigns.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from infra.seed.cities import HOME, Cities, City
from shared.text import words

MOST_CLIENTS = 100_000
MOST_STORES = 1_000_000

_TRADES = {
    "Kopi": "Coffee",
    "Roti": "Bakery",
    "Batik": "Textiles",
    "Buku": "Books",
    "Apotek": "Pharmacy",
    "Elektronik": "Electronics",
    "Sepatu": "Shoes",
    "Bangunan": "Hardware",
    "Optik": "Optics",
    "Mebel": "Furniture",
    "Mainan": "Toys",
    "Teh": "Tea",
    "Bakmi": "Noodles",
    "Sayur": "Groceries",
    "Bunga": "Flowers",
    "Sepeda": "Bicycles",
    "Kamera": "Cameras",
    "Musik": "Music",
    "Perhiasan": "Jewellery",
}
_QUALITIES = {
    "Jaya": "Trading",
    "Makmur": "Retail",
    "Sentosa": "Supply",
    "Abadi": "Goods",
    "Nusantara": "House",
    "Sejahtera": "Market",
    "Mandiri": "Outlet",
}
_STREETS = (
    *("Merdeka", "Melati", "Mawar", "Kenanga", "Anggrek", "Cempaka", "Pasar Baru"),
    *("Stasiun", "Pelabuhan", "Alun-Alun", "Pahlawan", "Pemuda", "Mangga"),
)
_STREETS_ABROAD = ("Market Street", "Station Road", "Harbour Street", "Garden Road", "Mill Lane", "Main Street")

_CLIENTS_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_STORES_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_BETWEEN_CLIENTS = timedelta(minutes=5)
_BETWEEN_STORES = timedelta(seconds=30)

_ABROAD_EVERY = 7  # clients
_INACTIVE_EVERY = 20  # clients, of which the one in the middle
_STORES_ABROAD = 0.15
_STORES_INACTIVE = 0.03
_WITH_PHONE, _WITH_EMAIL, _WITH_ADDRESS = 0.8, 0.6, 0.9
_CITY_RADIUS = 0.02  # degrees, about two kilometres
_LONGEST_SLUG = 40


class Demo:
    """Makes the demo data's rows, as the fields that a person would have sent."""

    def __init__(self, home: Cities, world: Cities) -> None:
        self._home = home
        self._world = world
        self._trades = list(_TRADES.items())
        self._qualities = list(_QUALITIES.items())

    def client(self, number: int) -> dict[str, Any]:
        """Return the client of this number, counted from 0."""
        city, brand = self._seat(number), self._brand(number)
        name = f"{brand} {city.name}"
        dice = Dice("client", number)
        return {
            **_identity(dice, _CLIENTS_BEGIN + number * _BETWEEN_CLIENTS),
            "name": name,
            "email": f"halo@{_domain(name, number)}",
            "phone": _phone(city, number) if dice.chance() < _WITH_PHONE else None,
            "tax_id": None,
            "address": _address(city, dice),
            **_place(city),
            "is_active": number % _INACTIVE_EVERY != _INACTIVE_EVERY // 2,
        }

    def store(self, number: int, clients: int) -> dict[str, Any]:
        """Return the store of this number, counted from 0, of one of the first `clients` clients."""
        dice = Dice("store", number)
        # The square gives the first clients more stores, as some companies have.
        owner = int(clients * dice.chance() ** 2)
        city = (self._world if dice.chance() < _STORES_ABROAD else self._home).pick(dice.chance())
        latitude, longitude = _nearby(city, dice)
        has = {"phone": dice.chance() < _WITH_PHONE, "email": dice.chance() < _WITH_EMAIL}
        return {
            **_identity(dice, _STORES_BEGIN + number * _BETWEEN_STORES),
            "client_uuid": client_uuid(owner),
            "code": f"{_slug(city.name)[:3].upper()}-{number + 1:04d}",
            "name": f"{self._brand(owner)} {city.name}",
            "phone": _phone(city, number) if has["phone"] else None,
            "email": f"toko{number + 1}@{_domain(self._company(owner), owner)}" if has["email"] else None,
            "address": _address(city, dice) if dice.chance() < _WITH_ADDRESS else None,
            **_place(city),
            "latitude": latitude,
            "longitude": longitude,
            "is_active": dice.chance() >= _STORES_INACTIVE,
        }
