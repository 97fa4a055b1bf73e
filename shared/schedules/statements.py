"""The tables of schedules as statements name them, and schedules as one JSON document."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Label, MetaData, Select, Table, Text, cast, func, literal_column, select

from shared.schedules.schema import HoursException, HoursPause, OwnWeek
from shared.schedules.tables import schedule_tables

TABLES = schedule_tables(MetaData(), "owners")


def tag_of_schedule(owner_uuid: UUID) -> str:
    """Return the tag of every cached answer that depends on what this owner has of its own."""
    return f"schedule:{owner_uuid}"


def columns_of(table: Table, type_: type[msgspec.Struct]) -> list[ColumnElement[Any]]:
    """Return the columns of a struct's fields, by the names they have in JSON."""
    names = zip(type_.__struct_fields__, type_.__struct_encode_fields__, strict=True)
    return [table.c[name] if name == shown else table.c[name].label(shown) for name, shown in names]


def parts_column(owner_uuid: ColumnElement[UUID]) -> Label[str]:
    """Return a column with what an owner has of its own, as JSON of `shared.schedules.known.Parts`."""
    weeks, exceptions, _, pauses = TABLES
    listed = func.jsonb_agg(_document(exceptions, HoursException))
    members = {
        "week": _of(owner_uuid, weeks, select(_document(weeks, OwnWeek))).scalar_subquery(),
        "exceptions": func.coalesce(
            _of(owner_uuid, exceptions, select(listed)).scalar_subquery(), literal_column("'[]'::jsonb")
        ),
        "pause": _of(owner_uuid, pauses, select(_document(pauses, HoursPause))).scalar_subquery(),
    }
    return cast(_object(members), Text).label("parts")


def _of(owner_uuid: ColumnElement[UUID], table: Table, statement: Select[Any]) -> Select[Any]:
    return statement.where(table.c.owner_uuid == owner_uuid).correlate_except(table)


def _document(table: Table, type_: type[msgspec.Struct]) -> ColumnElement[Any]:
    names = zip(type_.__struct_encode_fields__, type_.__struct_fields__, strict=True)
    return _object({shown: table.c[name] for shown, name in names})


def _object(members: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    pairs: list[ColumnElement[Any]] = []
    for name, value in members.items():
        pairs += [literal_column(f"'{name}'", Text), value]
    return func.jsonb_build_object(*pairs)
