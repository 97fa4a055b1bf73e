"""What the store API takes and answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from services.store import constants
from shared.listing import ListQuery
from shared.places import RealCountry, RealTimeZone
from shared.responses import SUCCESS
from shared.responses import Meta as PageMeta
from shared.schedules.known import PartKind, Parts
from shared.text import Coordinates, Country, Email, Line, LongText, Phone, ShortText

MOST_RADIUS_M = 50_000

Code = Annotated[Line, Meta(max_length=50, description="Unique within the client.", examples=["JKT-01"])]
PostalCode = Annotated[Line, Meta(max_length=20)]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="Degrees north (WGS 84).", examples=[-6.2146])]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="Degrees east (WGS 84).", examples=[106.8451])]


class CreateStore(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new store of a client; coordinates are given whole or not at all."""

    client_uuid: UUID
    code: Code
    name: Annotated[ShortText, Meta(examples=["Kopi Nusantara Menteng"])]
    phone: Annotated[Phone, Meta(examples=["+622150001234"])] | None = None
    email: Annotated[Email, Meta(examples=["menteng@kopi-nusantara.example"])] | None = None
    address: LongText | None = None
    city: Annotated[ShortText, Meta(examples=["Jakarta"])] | None = None
    province: ShortText | None = None
    postal_code: PostalCode | None = None
    country: RealCountry = constants.DEFAULT_COUNTRY
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    timezone: RealTimeZone = constants.DEFAULT_TIMEZONE
    is_active: bool = True


class ChangeStore(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A JSON Merge Patch (RFC 7396): absent fields stay, null empties the optional ones."""

    code: Code | UnsetType = UNSET
    name: ShortText | UnsetType = UNSET
    phone: Phone | UnsetType | None = UNSET
    email: Email | UnsetType | None = UNSET
    address: LongText | UnsetType | None = UNSET
    city: ShortText | UnsetType | None = UNSET
    province: ShortText | UnsetType | None = UNSET
    postal_code: PostalCode | UnsetType | None = UNSET
    country: RealCountry | UnsetType = UNSET
    latitude: Latitude | UnsetType | None = UNSET
    longitude: Longitude | UnsetType | None = UNSET
    timezone: RealTimeZone | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class Store(msgspec.Struct, kw_only=True, frozen=True):
    """A store of a client."""

    uuid: UUID
    client_uuid: UUID
    code: str
    name: str
    phone: str | None
    email: str | None
    address: str | None
    city: str | None
    province: str | None
    postal_code: str | None
    country: str
    latitude: float | None
    longitude: float | None
    timezone: str
    is_active: bool
    version: int
    created_at: datetime
    updated_at: datetime


class Owner(msgspec.Struct, frozen=True):
    """The part of a store that decides who may see it."""

    client_uuid: UUID


class Client(msgspec.Struct, kw_only=True, frozen=True):
    """What stores need to know of their client."""

    uuid: UUID
    name: str
    email: str
    phone: str | None
    country: str
    timezone: str
    is_active: bool
    version: int


class ClientWithSchedule(Client, kw_only=True, frozen=True):
    """What stores need to know of their client for reads."""

    schedule: Parts

    def facts(self) -> Client:
        """Return the client alone."""
        return Client(**{name: getattr(self, name) for name in Client.__struct_fields__})

    def parts(self) -> "list[ClientPart]":
        """Return the parts of its schedule, one by one."""
        return [
            ClientPart(
                uuid=part.uuid,
                client_uuid=self.uuid,
                kind=kind,
                version=part.version,
                shown=msgspec.to_builtins(part),
            )
            for kind, part in self.schedule.by_kind()
        ]


class ClientPart(msgspec.Struct, kw_only=True, frozen=True):
    """A part of a client's schedule as the client service shows it; `shown` is None when it has ended."""

    uuid: UUID
    client_uuid: UUID
    kind: PartKind
    version: int
    shown: dict[str, Any] | None


class StoreWithClient(Store, kw_only=True, frozen=True):
    """A store with its client; null when the client no longer exists."""

    client: Client | None


class ReadQuery(msgspec.Struct, kw_only=True, frozen=True):
    """What a detail answer has besides the store."""

    include: Annotated[Literal["client"], Meta(description="Embeds the store's client.")] | None = None


AttemptNumber = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class SetFence(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An attempt to delete a client; with `cascade` its stores will end with it."""

    number: AttemptNumber
    cascade: bool


class LiftQuery(msgspec.Struct, kw_only=True, frozen=True):
    """The attempt to delete a client that failed."""

    number: AttemptNumber


class FenceState(msgspec.Struct, kw_only=True, frozen=True):
    """Whether stores of a client are kept from being created, and how many of them live."""

    is_set: bool
    living_stores: int


class StoreQuery(ListQuery, kw_only=True, frozen=True):
    """Which stores to list."""

    q: (
        Annotated[
            str,
            Meta(
                max_length=200,
                description="Each word begins a word of name, code or city.",
                examples=["kopi jak"],
            ),
        ]
        | None
    ) = None
    uuids: (
        Annotated[
            str,
            Meta(
                max_length=4000,
                description="Up to 100 ids, comma-separated.",
                examples=["0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"],
            ),
        ]
        | None
    ) = None
    client_uuid: Annotated[UUID, Meta(examples=["0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"])] | None = None
    code: Annotated[Code, Meta(examples=["JKT-01"])] | None = None
    city: Annotated[ShortText, Meta(examples=["Jakarta"])] | None = None
    country: Country | None = None
    is_active: Annotated[bool, Meta(examples=[True])] | None = None
    near: (
        Annotated[
            Coordinates,
            Meta(
                description="Latitude and longitude in degrees (WGS 84). Lists the stores within radius_m,"
                " the nearest first and with their distance_m; cannot be combined with sort.",
                examples=["-6.2146,106.8451"],
            ),
        ]
        | None
    ) = None
    radius_m: (
        Annotated[float, Meta(gt=0, le=MOST_RADIUS_M, description="Metres around near.", examples=[2000])]
        | None
    ) = None
    open_at: (
        Annotated[
            datetime,
            Meta(
                tz=True,
                description="Lists the stores that are open at this instant (RFC 3339). Those whose hours"
                " nobody knows are not.",
                examples=["2026-01-31T12:00:00Z"],
            ),
        ]
        | None
    ) = None
    open_now: (
        Annotated[
            bool,
            Meta(
                description="With true, lists the stores that are open now; meta.evaluated_at says when that"
                " was. A walk by cursor keeps to it.",
                examples=[True],
            ),
        ]
        | None
    ) = None


class Near(msgspec.Struct, frozen=True):
    """A circle around a place."""

    latitude: float
    longitude: float
    radius_m: float


class Wanted(msgspec.Struct, kw_only=True, frozen=True):
    """What a StoreQuery asks for besides plain fields, read and checked."""

    uuids: Sequence[UUID] | None = None
    near: Near | None = None
    open_at: datetime | None = None


class ListedStore(Store, kw_only=True, frozen=True):
    """A store in a list; with its distance when the list is of those near a place."""

    distance_m: (
        Annotated[float, Meta(description="Metres from near, on a sphere; only with near.", examples=[412.7])]
        | UnsetType
    ) = UNSET


class StoreMeta(PageMeta, kw_only=True, omit_defaults=True):
    """Where a page stands in a list of stores.

    With near, `radius_m` is within which every store is listed: less than asked for when there are more than
    10,000, which `capped` then says. With open_at or open_now, `evaluated_at` is when the stores are open.
    """

    radius_m: float | UnsetType = UNSET
    evaluated_at: datetime | UnsetType = UNSET


class StorePage(msgspec.Struct, kw_only=True):
    """A page of stores."""

    status_code: int = 200
    message: str = SUCCESS
    data: list[ListedStore]
    meta: StoreMeta
