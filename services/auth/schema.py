"""What the auth API takes and answers."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.listing import ListQuery
from shared.text import Email, ShortText

Role = Literal["admin", "manager", "user"]
Roles = Annotated[
    list[Role], Meta(min_length=1, max_length=1, description="Exactly one role.", examples=[["user"]])
]
Name = Annotated[ShortText, Meta(examples=["Sri Wahyuni"])]
UserEmail = Annotated[Email, Meta(examples=["sri@kopi-nusantara.example"])]
Tenant = Annotated[UUID, Meta(description="The client this user is confined to; null for none.")]
NewPassword = Annotated[
    str,
    Meta(
        min_length=8, max_length=128, description="Any characters.", examples=["lima kata acak yang panjang"]
    ),
]
# Longer or shorter than an acceptable one is merely wrong; the bound keeps requests small.
GivenPassword = Annotated[str, Meta(min_length=1, max_length=1024, examples=["lima kata acak yang panjang"])]


class Login(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Who signs in."""

    email: UserEmail
    password: GivenPassword


class Refresh(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The newest refresh token of a session."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class Tokens(msgspec.Struct, kw_only=True, frozen=True):
    """An access token for `expires_in` seconds, and what gets the next one, once."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750
    expires_in: int
    refresh_token: str


class ChangeMe(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A JSON Merge Patch (RFC 7396) of what people may change of themselves."""

    name: Name | UnsetType = UNSET


class ChangePassword(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The password that holds now, and the one that shall."""

    current_password: GivenPassword
    new_password: NewPassword


class CreateUser(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new user. A manager's omitted client_uuid is their own."""

    email: UserEmail
    name: Name
    password: NewPassword
    roles: Roles
    client_uuid: Tenant | UnsetType | None = UNSET
    is_active: bool = True


class ChangeUser(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A JSON Merge Patch (RFC 7396): absent fields stay, a null client_uuid ends the confinement."""

    email: UserEmail | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    password: NewPassword | UnsetType = UNSET
    roles: Roles | UnsetType = UNSET
    client_uuid: Tenant | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET


class User(msgspec.Struct, kw_only=True, frozen=True):
    """A user."""

    uuid: UUID
    email: str
    name: str
    roles: list[Role]
    client_uuid: UUID | None
    is_active: bool
    version: int
    created_at: datetime
    updated_at: datetime


class UserQuery(ListQuery, kw_only=True, frozen=True):
    """Which users to list."""

    q: (
        Annotated[str, Meta(max_length=200, description="Each word begins a word of name or e-mail.")] | None
    ) = None
    uuids: Annotated[str, Meta(max_length=4000, description="Up to 100 ids, comma-separated.")] | None = None
    email: Email | None = None
    role: Role | None = None
    client_uuid: UUID | None = None
    is_active: bool | None = None


Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339, with its offset from UTC.")]


class AuditQuery(ListQuery, kw_only=True, frozen=True, rename={"since": "from", "until": "to"}):
    """Which part of the audit to list."""

    actor: (
        Annotated[
            str,
            Meta(
                max_length=200,
                description="Who did it: the id of a user, service:NAME, anonymous or system.",
                examples=["anonymous"],
            ),
        ]
        | None
    ) = None
    subject: (
        Annotated[UUID, Meta(description="What it happened to: a user, or what else entries name.")] | None
    ) = None
    type: Annotated[str, Meta(max_length=100, examples=["session.opened"])] | None = None
    since: Annotated[Instant, Meta(description="RFC 3339; from then on, inclusive.")] | None = None
    until: Annotated[Instant, Meta(description="RFC 3339; before then, exclusive.")] | None = None
    sort: Annotated[str, Meta(max_length=200, description="occurred_at; by default the newest first.")] = (
        "-occurred_at"
    )


class AuditEntry(msgspec.Struct, kw_only=True, frozen=True):
    """What happened to `subject`, who did it and in which request.

    `subject` is the id of a user, or stands for an account that does not exist, a service or signing keys.
    `actor` is the id of a user, `service:NAME`, `anonymous`, or `system`. `before` and `after` tell a change;
    `after` of another event holds what else is known of it. No password, token, hash of them or address that
    was typed in vain is in them.
    """

    event_id: UUID
    type: str
    actor: str
    subject: UUID
    request_id: str | None
    occurred_at: datetime
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class KeysInUse(msgspec.Struct, kw_only=True, frozen=True):
    """The names of the key that signs and of all that verify, as the audit tells them."""

    algorithm: str
    signing: str
    verifying: list[str]


class ServiceToken(msgspec.Struct, kw_only=True, frozen=True):
    """The answer of the token endpoint (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750
    expires_in: int


class OAuthFailure(msgspec.Struct, kw_only=True, frozen=True):
    """A refusal of the token endpoint (RFC 6749, section 5.2)."""

    error: str
    error_description: str
