"""Typed reading of loose mappings: JSON objects, query strings, environments.

Every failure names its field, and all of them are reported at once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
import msgspec.inspect

from shared.errors import FieldError, InvalidInput
from shared.text import EXPLANATIONS

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

CHECK = "gerai.check"
"""Where `msgspec.Meta(extra=...)` of a field holds a `Check` of values that have the right form."""

Check = Callable[[str, Any], Sequence[FieldError]]
"""Returns what is wrong with the field of this name and value."""

_LOCATION = re.compile(r"^(?P<what>.*) - at `\$(?P<path>[^`]*)`$", re.DOTALL)
_PATTERN = re.compile(r"^Expected `str` matching regex (?P<pattern>'.*'|\".*\")$", re.DOTALL)
_CANONICAL_UUID_LENGTH = 36
_MOST_QUERY_FIELDS = 50


def to_struct(source: Mapping[str, Any], type_: type[S], *, strict: bool) -> S:
    """Return `source` as `type_`.

    With `strict` false, text is read as numbers, booleans and instants, as query strings need.

    Raises:
        InvalidInput: with one detail for each field that is missing, unknown or of the wrong form.
    """
    problems = field_errors(source, type_, strict=strict)
    if problems:
        raise InvalidInput(details=problems)
    try:
        return msgspec.convert(source, type_, strict=strict)
    except msgspec.ValidationError as error:  # from a rule between fields
        raise InvalidInput(details=[_located("", str(error))]) from None


def field_errors(source: Mapping[str, Any], type_: type[msgspec.Struct], *, strict: bool) -> list[FieldError]:
    """Return what is wrong with each field of `source` read as `type_`, empty when nothing is."""
    fields = _fields(type_)
    known = {field.encode_name for field in fields}
    problems = [
        FieldError(name, "is not known here, or cannot be set") for name in source if name not in known
    ]
    for field in fields:
        if field.encode_name in source:
            problems += _problems_of(field.encode_name, source[field.encode_name], field.type, strict=strict)
        elif field.required:
            problems.append(FieldError(field.encode_name, "is required"))
    return problems


def to_value(field: str, value: object, type_: type[T], *, strict: bool = False) -> T:
    """Return `value` as `type_`.

    Raises:
        InvalidInput: naming `field`.
    """
    problems = _problems_of(field, value, type_, strict=strict)
    if problems:
        raise InvalidInput(details=problems)
    return msgspec.convert(value, type_, strict=strict)


def to_int(field: str, value: object) -> int:
    """Read a whole number, raising InvalidInput that names `field`."""
    return to_value(field, value, int)


def to_bool(field: str, value: object) -> bool:
    """Read `true` or `false`, raising InvalidInput that names `field`."""
    return to_value(field, value, bool)


def to_instant(field: str, value: object) -> datetime:
    """Read an RFC 3339 instant with an offset, raising InvalidInput that names `field`."""
    instant = to_value(field, value, datetime)
    if instant.tzinfo is None:
        raise InvalidInput(
            details=[FieldError(field, "must carry a UTC offset, such as 2026-01-31T08:00:00Z")]
        )
    return instant


def to_uuid(field: str, value: str) -> UUID:
    """Read a UUID in its canonical form, raising InvalidInput that names `field`."""
    with suppress(msgspec.ValidationError):
        if len(value) == _CANONICAL_UUID_LENGTH:  # msgspec reads the form without hyphens as well
            return msgspec.convert(value, UUID)
    reason = "must be a UUID such as 0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
    raise InvalidInput(details=[FieldError(field, reason)])


def to_strings(field: str, value: object, *, most: int = 100) -> list[str]:
    """Read comma-separated values, dropping empty ones; more than `most` raise InvalidInput."""
    strings = [part.strip() for part in to_value(field, value, str).split(",") if part.strip()]
    if len(strings) > most:
        raise InvalidInput(details=[FieldError(field, f"must name at most {most} values")])
    return strings


def to_uuids(field: str, value: object) -> list[UUID]:
    """Read up to 100 comma-separated UUIDs; no UUID is an empty list. Raises InvalidInput naming `field`."""
    return [to_uuid(field, text) for text in to_strings(field, value)]


def set_fields(patch: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a merge patch that were given, null ones included."""
    return {
        name: value for name, value in msgspec.structs.asdict(patch).items() if value is not msgspec.UNSET
    }


def query_fields(query_string: bytes) -> dict[str, str]:
    """Return the parameters of a query string; each may be given once.

    Raises:
        InvalidInput: for repeated parameters, text that is not UTF-8, or more than 50 of them.
    """
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_QUERY_FIELDS,
        )
    except ValueError:
        reason = f"must be percent-encoded UTF-8 with at most {_MOST_QUERY_FIELDS} parameters"
        raise InvalidInput(details=[FieldError("query", reason)]) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise InvalidInput(details=[FieldError(name, "is given more than once") for name in repeated])
    return fields


@cache
def _fields(type_: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    # msgspec evaluates the annotations anew at each call, which costs more than reading a small request.
    return msgspec.structs.fields(type_)


def _problems_of(
    field: str,
    value: object,
    type_: Any,  # noqa: ANN401 - a type form
    *,
    strict: bool,
) -> list[FieldError]:
    try:
        converted = msgspec.convert(value, type_, strict=strict)
    except msgspec.ValidationError as error:
        first = _located(field, str(error))
        if first.field.startswith(f"{field}["):
            return _problems_within(field, value, type_, strict=strict) or [first]
        return [first]
    check = _check_of(type_)
    return list(check(field, converted)) if check and converted is not None else []


def _problems_within(
    field: str,
    values: object,
    type_: Any,  # noqa: ANN401 - a type form
    *,
    strict: bool,
) -> list[FieldError]:
    """Return what is wrong with each field of a list's structs; msgspec stops at the first."""
    struct = _struct_of_items(type_)
    if struct is None:
        return []
    problems: list[FieldError] = []
    for index, value in enumerate(cast("list[Any]", values)):
        name = f"{field}[{index}]"
        if isinstance(value, dict):
            inner = field_errors(cast("dict[str, Any]", value), struct, strict=strict)
            problems += [FieldError(f"{name}.{each.field}", each.message) for each in inner]
        else:
            problems += _problems_of(name, value, struct, strict=strict)
    return problems


@cache
def _check_of(type_: Any) -> Check | None:  # noqa: ANN401 - a type form
    told = msgspec.inspect.type_info(type_)
    for each in told.types if isinstance(told, msgspec.inspect.UnionType) else (told,):
        extra = cast("dict[str, Check] | None", getattr(each, "extra", None))
        if extra and CHECK in extra:
            return extra[CHECK]
    return None


@cache
def _struct_of_items(type_: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 - a type form
    told = msgspec.inspect.type_info(type_)
    for each in told.types if isinstance(told, msgspec.inspect.UnionType) else (told,):
        items = each.type if isinstance(each, msgspec.inspect.Metadata) else each
        if isinstance(items, msgspec.inspect.CollectionType) and isinstance(
            items.item_type, msgspec.inspect.StructType
        ):
            return items.item_type.cls
    return None


def _located(field: str, message: str) -> FieldError:
    located = _LOCATION.match(message)
    if located:
        field, message = f"{field}{located['path']}", located["what"]
    return FieldError(field, _explained(message))


def _explained(message: str) -> str:
    matched = _PATTERN.match(message)
    if not matched:
        return message
    pattern = matched["pattern"]
    known = (explanation for source, explanation in EXPLANATIONS.items() if repr(source) == pattern)
    return next(known, "is not of the expected form")
