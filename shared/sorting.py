"""The order of a list, and conditions on where a row stands in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, FromClause, and_, or_

from shared.errors import FieldError, InvalidInput


class SortKey(msgspec.Struct, frozen=True):
    """One column to sort by."""

    column: ColumnElement[Any]
    descending: bool = False

    def order(self) -> ColumnElement[Any]:
        """Return the ORDER BY term."""
        return self.column.desc() if self.descending else self.column.asc()

    def beyond(self, value: object) -> ColumnElement[bool]:
        """Return the condition that a row comes after `value`."""
        return self.column < value if self.descending else self.column > value


class Sorting:
    """The columns a list may be sorted by; the uuid, last, makes every order total."""

    def __init__(
        self, columns: Mapping[str, Column[Any]], unique: Column[Any], *, default: str = "-created_at"
    ) -> None:
        self._columns = columns
        self._unique = unique
        self._default = default

    def keys(self, sort: str | None) -> list[SortKey]:
        """Return the keys that `sort` names, raising InvalidInput for unknown or repeated ones."""
        names = [name.strip() for name in (self._default if sort is None else sort).split(",")]
        plain = [name.removeprefix("-") for name in names]
        if len(set(plain)) < len(plain) or not set(plain) <= set(self._columns):
            allowed = ", ".join(self._columns)
            raise InvalidInput(details=[FieldError("sort", f"must name fields among {allowed}, each once")])
        keys = [
            SortKey(self._columns[bare], name.startswith("-"))
            for name, bare in zip(names, plain, strict=True)
        ]
        return [*keys, SortKey(self._unique, keys[-1].descending)]


def labelled(keys: Sequence[SortKey]) -> list[ColumnElement[Any]]:
    """Return the columns of these keys, each by the name of its place."""
    return [key.column.label(key_name(at)) for at, key in enumerate(keys)]


def keys_of(rows: FromClause, keys: Sequence[SortKey]) -> list[SortKey]:
    """Return the keys of rows that have the columns of `labelled`."""
    return [SortKey(rows.c[key_name(at)], key.descending) for at, key in enumerate(keys)]


def key_name(at: int) -> str:
    """Return the name of the key at this place."""
    return f"sort_key_{at}"


def after(keys: Sequence[SortKey], values: Sequence[object]) -> ColumnElement[bool]:
    """Return the condition that a row comes after the one with these sort values."""
    steps = [
        and_(
            *(key.column == value for key, value in zip(keys[:at], values[:at], strict=True)),
            keys[at].beyond(value),
        )
        for at, value in enumerate(values)
    ]
    return or_(*steps)


def not_before(key: SortKey, value: object) -> ColumnElement[bool]:
    """Return what `after` implies, said in a way that lets an index scan begin there."""
    return key.column <= value if key.descending else key.column >= value
