"""What a service tells of the things it imports."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from shared.bulk.statements import BulkTable
from shared.bulk.transactions import Statements
from shared.conversion import field_errors
from shared.errors import FieldError, InvalidInput
from shared.security.principal import Principal

S = TypeVar("S", bound=msgspec.Struct)


class Row(NamedTuple):
    """A row that is in order: what it is recognised by, within its parent if it has one, and its columns."""

    parent: UUID | None
    key: str
    columns: Mapping[str, Any]


class Kind(ABC):
    """One kind of things: how a row is read, what is checked, what follows.

    `duplicate` is what is said of a row whose key exists. `creation` and `change` are the structs with the
    fields of a new one and with those that can be changed.
    """

    table: BulkTable
    creation: type[msgspec.Struct]
    change: type[msgspec.Struct]
    duplicate: FieldError

    @abstractmethod
    def read(self, principal: Principal, fields: Mapping[str, Any], *, strict: bool) -> Row:
        """Return the row that has these fields.

        Raises:
            GeraiError: saying what is wrong with it, or why the caller may not have it.
        """

    @abstractmethod
    def changed(self, columns: Mapping[str, Any], fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the columns of one that gets these `fields` from a row with `columns`.

        Raises:
            GeraiError: when that would not be in order.
        """

    def merge(
        self, columns: Mapping[str, Any], given: Collection[str], current: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return the columns that `current` gets when it takes over the `given` fields; None if it has them.

        Raises as `changed` does.
        """
        names = self.change.__struct_fields__
        fields = {name: (columns if name in given else current)[name] for name in names}
        if all(current[name] == value for name, value in fields.items()):
            return None
        return self.changed(columns, fields)

    def may_create(self, tenant: UUID | None) -> FieldError | None:
        """Return why a caller confined to `tenant` may not create with an upsert; None when they may."""
        del tenant

    async def refused(self, parents: Sequence[UUID]) -> Mapping[UUID, FieldError]:
        """Return why nothing can be created or changed within some of `parents`; no connection is held."""
        del parents
        return {}

    async def hold(self, statements: Statements, import_uuid: UUID) -> Mapping[UUID, FieldError]:
        """Keep parents as they have to be until the transaction ends; return those that no longer are."""
        del statements, import_uuid
        return {}

    @abstractmethod
    async def announce(self, uuids: Sequence[UUID], parents: Sequence[UUID]) -> None:
        """Let no cached answer from before be used that shows these, or lists of these parents."""

    @abstractmethod
    async def announce_all(self) -> None:
        """Let no cached answer from before be used at all."""


def to_command(fields: Mapping[str, Any], type_: type[S], *, strict: bool) -> S:
    """Return `fields` as `type_`, which forbids unknown ones.

    Raises:
        InvalidInput: with one detail for each field that is missing, unknown or of the wrong form.
    """
    try:
        return msgspec.convert(fields, type_, strict=strict)
    except msgspec.ValidationError:
        raise InvalidInput(details=field_errors(fields, type_, strict=strict)) from None
