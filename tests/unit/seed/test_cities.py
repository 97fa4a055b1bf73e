import pytest

from infra.seed.cities import Cities, City


def city(name: str, population: int) -> City:
    return City(name, "ID", 0, 0, "Asia/Jakarta", "62", population)


CITIES = Cities([city("small", 10), city("large", 80), city("empty", 0), city("middle", 10)])


@pytest.mark.parametrize(
    ("chance", "name"),
    [(0, "large"), (0.79, "large"), (0.81, "middle"), (0.89, "middle"), (0.91, "small"), (0.999999, "small")],
)
def test_people_decide_which_city_is_picked(chance: float, name: str) -> None:
    assert CITIES.pick(chance).name == name


def test_ranks_begin_anew() -> None:
    assert [CITIES.ranked(index).name for index in range(5)] == ["large", "middle", "small", "empty", "large"]
