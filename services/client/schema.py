"""What the client API takes and answers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from services.client import constants
from shared.listing import ListQuery
from shared.places import RealCountry, RealTimeZone
from shared.schedules.known import Parts
from shared.text import Country, Email, Line, LongText, Phone, ShortText

TaxId = Annotated[Line, Meta(max_length=50)]
PostalCode = Annotated[Line, Meta(max_length=20)]


class CreateClient(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new client company."""

    name: Annotated[ShortText, Meta(examples=["Kopi Nusantara"])]
    email: Annotated[Email, Meta(examples=["halo@kopi-nusantara.example"])]
    phone: Annotated[Phone, Meta(examples=["+622150001234"])] | None = None
    tax_id: TaxId | None = None
    address: LongText | None = None
    city: Annotated[ShortText, Meta(examples=["Jakarta"])] | None = None
    province: ShortText | None = None
    postal_code: PostalCode | None = None
    country: RealCountry = constants.DEFAULT_COUNTRY
    timezone: RealTimeZone = constants.DEFAULT_TIMEZONE
    is_active: bool = True


class ChangeClient(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A JSON Merge Patch (RFC 7396): absent fields stay, null empties the optional ones."""

    name: ShortText | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    phone: Phone | UnsetType | None = UNSET
    tax_id: TaxId | UnsetType | None = UNSET
    address: LongText | UnsetType | None = UNSET
    city: ShortText | UnsetType | None = UNSET
    province: ShortText | UnsetType | None = UNSET
    postal_code: PostalCode | UnsetType | None = UNSET
    country: RealCountry | UnsetType = UNSET
    timezone: RealTimeZone | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class Client(msgspec.Struct, kw_only=True, frozen=True):
    """A client company."""

    uuid: UUID
    name: str
    email: str
    phone: str | None
    tax_id: str | None
    address: str | None
    city: str | None
    province: str | None
    postal_code: str | None
    country: str
    timezone: str
    is_active: bool
    version: int
    created_at: datetime
    updated_at: datetime


class ClientWithSchedule(Client, kw_only=True, frozen=True):
    """A client and what it has of a schedule, as services are told."""

    schedule: Parts


class InternalQuery(msgspec.Struct, kw_only=True, frozen=True):
    """What a service is told besides the client."""

    include: Literal["schedule"] | None = None


class DeleteQuery(msgspec.Struct, kw_only=True, frozen=True):
    """What ends with a client."""

    cascade: Annotated[bool, Meta(description="Closes the client's stores together with it.")] = False


class ClientQuery(ListQuery, kw_only=True, frozen=True):
    """Which clients to list."""

    q: (
        Annotated[
            str, Meta(max_length=200, description="Each word begins a word of name, e-mail, phone or city.")
        ]
        | None
    ) = None
    uuids: Annotated[str, Meta(max_length=4000, description="Up to 100 ids, comma-separated.")] | None = None
    name: ShortText | None = None
    email: Email | None = None
    city: ShortText | None = None
    country: Country | None = None
    is_active: bool | None = None
