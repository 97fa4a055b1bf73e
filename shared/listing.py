"""Lists: pages by number or by cursor, sorted by indexed columns, with a bounded count.

A cursor names the last row of a page by its sort values and uuid (keyset pagination). It grants nothing:
filters and tenant are applied anew, and a cursor of another sort or filter is refused.
"""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta
from sqlalchemy import Column, ColumnElement, RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, Executable

from shared.db import ReadConnection
from shared.errors import FieldError, InvalidInput
from shared.responses import Meta as PageMeta

T = TypeVar("T")

EXACT_TOTAL = 100_000
"""Totals up to this are counted, larger ones estimated."""

PageNumber = Annotated[
    int, Meta(ge=1, le=1_000_000_000, description="Page number; not together with cursor.")
]
Limit = Annotated[int, Meta(ge=1, le=100, description="Rows a page.")]
Cursor = Annotated[str, Meta(max_length=2000, description="The next_cursor of an earlier answer.")]


class ListQuery(msgspec.Struct, kw_only=True, frozen=True):
    """What every list takes."""

    page: PageNumber | None = None
    limit: Limit = 10
    cursor: Cursor | None = None
    sort: Annotated[
        str, Meta(max_length=200, description="Comma-separated fields; a leading - sorts descending.")
    ] = "-created_at"


class Listing(msgspec.Struct, Generic[T], rename={"items": "data"}):
    """One page of rows and where it stands."""

    items: list[T]
    meta: PageMeta


class SortKey(msgspec.Struct, frozen=True):
    """One column to sort by."""

    column: ColumnElement[Any]
    descending: bool

    def order(self) -> ColumnElement[Any]:
        """Return the ORDER BY term."""
        return self.column.desc() if self.descending else self.column.asc()

    def beyond(self, value: object) -> ColumnElement[bool]:
        """Return the condition that a row comes after `value`."""
        return self.column < value if self.descending else self.column > value


class Sorting:
    """The columns a list may be sorted by; the uuid, last, makes every order total."""

    def __init__(self, columns: Mapping[str, Column[Any]], unique: Column[Any]) -> None:
        self._columns = columns
        self._unique = unique

    def keys(self, sort: str) -> list[SortKey]:
        """Return the keys that `sort` names, raising InvalidInput for unknown or repeated ones."""
        names = [name.strip() for name in sort.split(",")]
        plain = [name.removeprefix("-") for name in names]
        if len(set(plain)) < len(plain) or not set(plain) <= set(self._columns):
            allowed = ", ".join(self._columns)
            raise InvalidInput(details=[FieldError("sort", f"must name fields among {allowed}, each once")])
        keys = [
            SortKey(self._columns[bare], name.startswith("-"))
            for name, bare in zip(names, plain, strict=True)
        ]
        return [*keys, SortKey(self._unique, keys[-1].descending)]


async def fetch_page(
    connection: ReadConnection,
    statement: Select[Any],
    query: ListQuery,
    sorting: Sorting,
    scope: object,
) -> Listing[RowMapping]:
    """Return one page of `statement`'s rows, found by the page or cursor of `query`.

    `scope` is whatever besides the query decides which rows the caller sees; a cursor is bound to both.

    Raises:
        InvalidInput: when sort or cursor is not valid here, or page and cursor are combined.
    """
    keys = sorting.keys(query.sort)
    binding = _binding(query, scope)
    page = statement.order_by(*(key.order() for key in keys)).limit(query.limit + 1)
    if query.cursor is None:
        page = page.offset(((query.page or 1) - 1) * query.limit)
    else:
        page = page.where(_after(keys, _read_cursor(query, keys, binding)))
    rows = (await connection.execute(page)).mappings().all()
    items = list(rows[: query.limit])
    more = len(rows) > query.limit
    total, estimated = await _total(connection, statement)
    return Listing(
        items,
        PageMeta(
            page=UNSET if query.cursor else query.page or 1,
            limit=query.limit,
            total=total,
            total_pages=math.ceil(total / query.limit),
            next_cursor=_write_cursor(items[-1], keys, binding) if more else None,
            total_is_estimate=estimated,
        ),
    )


def _after(keys: Sequence[SortKey], values: Sequence[object]) -> ColumnElement[bool]:
    """Return the condition that a row comes after the one with these sort values."""
    steps = [
        and_(
            *(key.column == value for key, value in zip(keys[:at], values[:at], strict=True)),
            keys[at].beyond(value),
        )
        for at, value in enumerate(values)
    ]
    return and_(_not_before(keys[0], values[0]), or_(*steps))


def _not_before(key: SortKey, value: object) -> ColumnElement[bool]:
    # Implied by the steps; said once more so that the planner starts the index scan at this value.
    return key.column <= value if key.descending else key.column >= value


def _binding(query: ListQuery, scope: object) -> str:
    asked = {
        name: getattr(query, name)
        for name in query.__struct_fields__
        if name not in {"page", "limit", "cursor"}
    }
    return msgspec.json.encode([asked, scope], enc_hook=str, order="deterministic").decode()


def _write_cursor(row: RowMapping, keys: Sequence[SortKey], binding: str) -> str:
    values = msgspec.to_builtins([row[key.column] for key in keys])
    content = msgspec.json.encode([_checksum(values, binding), *values])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _read_cursor(query: ListQuery, keys: Sequence[SortKey], binding: str) -> list[object]:
    if query.page is not None:
        raise InvalidInput(details=[FieldError("cursor", "cannot be combined with page")])
    cursor = query.cursor or ""
    refused = InvalidInput(
        details=[FieldError("cursor", "must be a next_cursor of the same filters and sort")]
    )
    try:
        checksum, *values = msgspec.json.decode(_from_base64(cursor), type=list[Any])
        types = [key.column.type.python_type for key in keys]
        converted = [
            msgspec.convert(value, kind, strict=False) for value, kind in zip(values, types, strict=True)
        ]
    except (ValueError, msgspec.MsgspecError):
        raise refused from None
    if checksum != _checksum(values, binding):
        raise refused
    return converted


def _from_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _checksum(values: Sequence[object], binding: str) -> str:
    return hashlib.sha256(msgspec.json.encode([values, binding])).hexdigest()[:16]


async def _total(connection: ReadConnection, statement: Select[Any]) -> tuple[int, bool]:
    """Return how many rows there are, and whether that is an estimate."""
    some = statement.with_only_columns(func.coalesce(1)).order_by(None).limit(EXACT_TOTAL + 1).subquery()
    counted = (await connection.execute(select(func.count()).select_from(some))).scalar_one()
    if counted <= EXACT_TOTAL:
        return counted, False
    plan = (await connection.execute(_Explain(statement))).scalar_one()
    return max(int(plan[0]["Plan"]["Plan Rows"]), counted), True


class _Explain(Executable, ClauseElement):
    """The planner's view of a statement, as JSON."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Explain)
def _compile_explain(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    return "EXPLAIN (FORMAT JSON) " + compiler.process(element.statement, **options)
