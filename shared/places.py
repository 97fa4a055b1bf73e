"""Country codes, and what is wrong with a place."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from shared.conversion import CHECK
from shared.errors import FieldError
from shared.text import Country, TimeZone
from shared.zones import time_zone_problems

_COUNTRY_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ "
    "BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM "
    "DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS "
    "GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
    "KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
    "MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
    "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
    "VN VU WF WS YE YT ZA ZM ZW "
)

COUNTRIES = frozenset(_COUNTRY_CODES.split())
"""The officially assigned alpha-2 codes of ISO 3166-1."""


def country_problems(field: str, code: str) -> list[FieldError]:
    """Return what is wrong with the country that `field` names, empty when nothing is."""
    if code in COUNTRIES:
        return []
    return [FieldError(field, "must be an ISO 3166-1 alpha-2 country code such as ID")]


RealCountry = Annotated[Country, Meta(extra={CHECK: country_problems})]
"""A country of a request's body: that it exists is told together with whatever else is wrong."""

RealTimeZone = Annotated[TimeZone, Meta(extra={CHECK: time_zone_problems})]
"""A time zone of a request's body, likewise."""


def place_problems(country: str | UnsetType, timezone: str | UnsetType) -> list[FieldError]:
    """Return what is wrong with the fields `country` and `timezone` that are given, empty when nothing is."""
    problems: list[FieldError] = []
    if country is not UNSET:
        problems += country_problems("country", country)
    if timezone is not UNSET:
        problems += time_zone_problems("timezone", timezone)
    return problems
