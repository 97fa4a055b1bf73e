"""Text that people type: what is accepted, how it is normalised, compared and searched.

Uniqueness and sorting use `unique_key` (NFKC, case-folded, spaces collapsed), so that spellings which
look the same are the same (Unicode Standard Annex #15). Look-alikes across scripts stay distinct.
"""

import re
import unicodedata
from typing import Annotated

from msgspec import Meta

# Controls, soft hyphen, bidirectional overrides and isolates, zero-width and filler characters, surrogates.
_INVISIBLE = (
    r"\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
)
_END = r"$(?!\n)"
_SINGLE_LINE = rf"^(?=.*\S)[^\x00-\x1f{_INVISIBLE}]*{_END}"
_MULTI_LINE = rf"^(?=[\s\S]*\S)[^\x00-\x09\x0b-\x1f{_INVISIBLE}]*{_END}"
_LABEL = r"\w(?:[\w-]{0,61}\w)?"
_EMAIL = rf"^[^\s\x00-\x20\"(),:;<>@\[\\\]{_INVISIBLE}]{{1,64}}@(?:{_LABEL}\.)+{_LABEL}{_END}"
_PHONE = r"^\+[1-9][0-9]{6,14}$(?!\n)"
_COUNTRY = r"^[A-Z]{2}$(?!\n)"
_TIME = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)"
_END_TIME = r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$(?!\n)"
_DEGREES = r"-?[0-9]{1,3}(?:\.[0-9]{1,15})?"
_COORDINATES = rf"^{_DEGREES}, ?{_DEGREES}{_END}"

EXPLANATIONS = {
    _SINGLE_LINE: "must be one line of visible text, without control, bidirectional or zero-width characters",
    _MULTI_LINE: "must be visible text; line feeds are fine, other control or zero-width characters are not",
    _EMAIL: "must be an e-mail address such as name@example.com",
    _PHONE: "must be a phone number in E.164 form such as +628123456789",
    _COUNTRY: "must be an ISO 3166-1 alpha-2 country code such as ID",
    _TIME: "must be a time from 00:00 to 23:59, as HH:MM",
    _END_TIME: "must be a time from 00:00 to 24:00, as HH:MM",
    _COORDINATES: "must be latitude and longitude in decimal degrees, such as -6.2146,106.8451",
}
"""What to tell a person whose text does not match one of the patterns above."""

Line = Annotated[str, Meta(pattern=_SINGLE_LINE)]
"""One line of visible text; add a `max_length`."""

ShortText = Annotated[Line, Meta(max_length=200)]
"""A line of up to 200 characters, such as a name or a city."""

LongText = Annotated[str, Meta(max_length=1000, pattern=_MULTI_LINE)]
"""Up to 1,000 characters that may span lines, such as an address."""

Email = Annotated[str, Meta(max_length=254, pattern=_EMAIL)]
"""An e-mail address; internationalised ones too (RFC 6531)."""

Phone = Annotated[str, Meta(max_length=16, pattern=_PHONE)]
"""A phone number in E.164 form (ITU-T E.164)."""

Country = Annotated[str, Meta(pattern=_COUNTRY, description="ISO 3166-1 alpha-2", examples=["ID"])]
"""What looks like a country code; `shared.places` knows which exist."""

Coordinates = Annotated[str, Meta(pattern=_COORDINATES)]
"""What looks like a latitude and a longitude, joined by a comma."""

TimeZone = Annotated[str, Meta(max_length=64, description="IANA time zone", examples=["Asia/Jakarta"])]
"""What may be a time zone name; `shared.zones` knows which exist."""

Time = Annotated[str, Meta(pattern=_TIME, description="Local time", examples=["09:00"])]
"""A time of day to the minute (ISO 8601, extended form); two of them sort as text."""

EndTime = Annotated[str, Meta(pattern=_END_TIME, description="Local time", examples=["17:00"])]
"""A time of day at which something ends; 24:00 is the end of the day (ISO 8601:2004, section 4.2.3)."""

_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 100


def clean(text: str) -> str:
    """Return `text` in NFC without surrounding white space: the form that is stored and shown."""
    return unicodedata.normalize("NFC", text).strip()


def unique_key(text: str) -> str:
    """Return the form on which uniqueness is decided and lists are sorted."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def words(*texts: str | None) -> list[str]:
    """Return the distinct searchable words of `texts`, accents removed, in stable order.

    E-mail addresses and phone numbers fall apart at every character that is no letter or digit.
    """
    text = _without_accents(" ".join(filter(None, texts)))
    found: list[str] = _WORD.findall(text)
    if len(text) > _LONGEST_WORD:
        found = [word[:_LONGEST_WORD] for word in found]
    return list(dict.fromkeys(found))


def prefix_query(text: str) -> str | None:
    """Return a `tsquery` in which every word of `text` begins a word, or None when it has no word.

    Words are letters and digits only, so nothing in them needs escaping
    (https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY).
    """
    return " & ".join(f"'{word}':*" for word in words(text)) or None


def _without_accents(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return folded
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(character for character in decomposed if unicodedata.category(character) != "Mn")
