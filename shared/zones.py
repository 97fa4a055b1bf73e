"""Time zones of the IANA database, as the tzdata package has them.

Import this module, and nothing of the system's, wherever a zone is needed: every machine then knows the
same zones and the same changes of clocks.
"""

import zoneinfo
from functools import cache
from zoneinfo import ZoneInfo

from shared.errors import FieldError

# Without a path to look in, zoneinfo reads the tzdata package. What was read before is forgotten.
zoneinfo.reset_tzpath(())
ZoneInfo.clear_cache()

_NO_PLACES = frozenset({"localtime", "posixrules", "Factory"})


@cache
def time_zones() -> frozenset[str]:
    """Return the IANA time zone names that the tzdata package has."""
    return frozenset(zoneinfo.available_timezones() - _NO_PLACES)


def is_time_zone(name: str) -> bool:
    """Tell whether `name` is an IANA time zone."""
    return name in time_zones()


def time_zone(name: str) -> ZoneInfo:
    """Return the rules of a time zone; `is_time_zone` tells which exist.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: when there is none of that name.
    """
    if not is_time_zone(name):
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone is called {name!r}")
    return ZoneInfo(name)


def time_zone_problems(field: str, name: str) -> list[FieldError]:
    """Return what is wrong with the time zone that `field` names, empty when nothing is."""
    if is_time_zone(name):
        return []
    return [FieldError(field, "must be an IANA time zone such as Asia/Jakarta")]
