"""Lists: pages by number or by cursor, at a cost that hardly grows with the table.

Where an index has the rows in the order that is asked for, it is walked until the page is full. Elsewhere
what the filters pick is gathered by an index and then sorted: up to 10,000 candidates. Of more, the first
10,000 rows in order are looked at, which soon fill a page, since so many match.

A cursor names the last row of a page by its sort values and uuid (keyset pagination). It grants nothing:
filters and tenant are applied anew, and a cursor of another sort or filter is refused.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Meta
from sqlalchemy import RowMapping, Select, text

from shared.counting import SURELY_MORE, count_rows, count_up_to, estimate_rows
from shared.cursors import read_cursor, write_cursor
from shared.db import ReadConnection
from shared.errors import FieldError, InvalidInput
from shared.pages import Asked, gathered, walked, windowed
from shared.responses import Meta as PageMeta
from shared.sorting import Sorting, SortKey, key_name

T = TypeVar("T")

EXACT_TOTAL = 100_000
"""Totals up to this are counted, larger ones estimated."""

MOST_CANDIDATES = 10_000
"""How many rows are gathered for a page, and how many a search counts."""

DEEPEST_ROW = 10_000
"""Pages by number begin up to here; further on it takes a cursor, whose pages cost the same anywhere."""

PageNumber = Annotated[
    int,
    Meta(
        ge=1,
        le=1_000_000_000,
        description="Page number; not together with cursor. Rows beyond the 10,000th are reached by cursor.",
        examples=[1],
    ),
]
Limit = Annotated[int, Meta(ge=1, le=100, description="Rows a page.", examples=[10])]
Cursor = Annotated[str, Meta(max_length=2000, description="The next_cursor of an earlier answer.")]

# The planner's guess at how many rows match may be far off, of words and of places above all; and a plan for
# any parameters would know nothing of these.
_PLANNING = text(
    "SELECT set_config('enable_seqscan', 'off', true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)


class ListQuery(msgspec.Struct, kw_only=True, frozen=True):
    """What every list takes."""

    page: PageNumber | None = None
    limit: Limit = 10
    cursor: Cursor | None = None
    sort: (
        Annotated[
            str,
            Meta(
                max_length=200,
                description="Comma-separated fields; a leading - sorts descending. By default -created_at.",
                examples=["name,-created_at"],
            ),
        ]
        | None
    ) = None


class Listing(msgspec.Struct, Generic[T], rename={"items": "data"}):
    """One page of rows and where it stands."""

    items: list[T]
    meta: PageMeta


class Picked(NamedTuple):
    """How filters pick the rows of a list that no index has in the order that is asked for.

    They are some of `among`, which indexes do have in every order. A search is what takes as long to count as
    to read.
    """

    among: Select[Any]
    is_search: bool


class Gathered(NamedTuple):
    """A page of what was gathered, with one row more; when not whole, there were more candidates."""

    rows: Sequence[RowMapping]
    listing: Listing[RowMapping]
    is_whole: bool


def asked(
    statement: Select[Any],
    query: ListQuery,
    keys: Sequence[SortKey],
    scope: object,
    carried: Mapping[str, object] | None = None,
) -> Asked:
    """Return the page of `statement`'s rows that `query` asks for, by number or by cursor.

    `scope` is whatever besides the query decides which rows the caller sees; a cursor is bound to both.

    Raises:
        InvalidInput: when the cursor is not valid here, or combined with a page.
    """
    if query.cursor is not None and query.page is not None:
        raise InvalidInput(details=[FieldError("cursor", "cannot be combined with page")])
    binding, kinds = _binding(query, scope), [key.column.type.python_type for key in keys]
    after = None if query.cursor is None else read_cursor(query.cursor, kinds, binding)
    return Asked(statement, keys, query.limit, query.page, after, binding, carried or {})


async def fetch_page(
    connection: ReadConnection,
    statement: Select[Any],
    query: ListQuery,
    sorting: Sorting,
    scope: object,
    *,
    picked: Picked | None = None,
) -> Listing[RowMapping]:
    """Return one page of `statement`'s rows, found by the page or cursor of `query`.

    Raises:
        InvalidInput: as `asked` does, when sort is not valid here, or as `fetch` does.
    """
    return await fetch(connection, asked(statement, query, sorting.keys(query.sort), scope), picked)


async def fetch(connection: ReadConnection, asked: Asked, picked: Picked | None) -> Listing[RowMapping]:
    """Return the page that is asked for; without `picked` an index has its rows in their order.

    Raises:
        InvalidInput: when the page is one of those that only a cursor reaches.
    """
    await plan_by_index(connection)
    if picked is None:
        return await _in_order(connection, asked)
    return await _picked(connection, asked, picked)


async def plan_by_index(connection: ReadConnection) -> None:
    """Let no statement of this transaction scan a table that has an index for it."""
    await connection.execute(_PLANNING)


async def gather(connection: ReadConnection, asked: Asked) -> Gathered:
    """Return a page of what the filters pick: up to MOST_CANDIDATES rows, sorted."""
    rows = await _rows(connection, gathered(asked, MOST_CANDIDATES))
    if rows:
        found = int(rows[0]["candidates"])
    else:
        begins_later = asked.after is not None or asked.offset > 0
        found = await count_rows(connection, asked.statement, MOST_CANDIDATES) if begins_later else 0
    return Gathered(rows, _listing(asked, rows, min(found, MOST_CANDIDATES)), found <= MOST_CANDIDATES)


async def _in_order(connection: ReadConnection, asked: Asked) -> Listing[RowMapping]:
    total, is_estimate = await count_up_to(connection, asked.statement, EXACT_TOTAL)
    _require_near(asked, total)
    rows: Sequence[RowMapping] = []
    if asked.offset < total:
        rows = await _rows(connection, walked(asked))
    return _listing(asked, rows, total, is_estimate=is_estimate)


async def _picked(connection: ReadConnection, asked: Asked, picked: Picked) -> Listing[RowMapping]:
    """Return a page of rows that filters pick: of those gathered, or of too many the first in order.

    Should these not fill the page, a search shows what was gathered of it; the rows of a filter are looked
    for until there are enough.
    """
    expected, rows = await estimate_rows(connection, asked.statement), None
    are_many = expected > SURELY_MORE * MOST_CANDIDATES and asked.offset < DEEPEST_ROW
    if are_many:
        rows = await _first_in_order(connection, asked, picked.among)
    if rows is None:
        found = await gather(connection, asked)
        if found.is_whole:
            return found.listing
        _require_near(asked, MOST_CANDIDATES + 1)
        if not are_many:
            rows = await _first_in_order(connection, asked, picked.among)
        if rows is None:
            rows = found.rows if picked.is_search else await _rows(connection, walked(asked))
    return await _of_many(connection, asked, picked, rows, expected)


async def _of_many(
    connection: ReadConnection, asked: Asked, picked: Picked, rows: Sequence[RowMapping], expected: int
) -> Listing[RowMapping]:
    if not picked.is_search:
        total, is_estimate = await count_up_to(connection, asked.statement, EXACT_TOTAL)
        return _listing(asked, rows, total, is_estimate=is_estimate)
    listing = _listing(asked, rows, max(expected, MOST_CANDIDATES + 1), is_estimate=True)
    listing.meta.capped = True
    return listing


async def _first_in_order(
    connection: ReadConnection, asked: Asked, among: Select[Any]
) -> Sequence[RowMapping] | None:
    """Return the rows of the page if they are among the next MOST_CANDIDATES rows in its order, else None."""
    rows = await _rows(connection, windowed(asked, among, MOST_CANDIDATES))
    if len(rows) > asked.limit:
        return rows
    beyond = walked(asked._replace(statement=among, limit=0, page=None)).offset(MOST_CANDIDATES)
    return None if await _rows(connection, beyond) else rows


async def _rows(connection: ReadConnection, statement: Select[Any]) -> Sequence[RowMapping]:
    return (await connection.execute(statement)).mappings().all()


def _require_near(asked: Asked, total: int) -> None:
    if total > DEEPEST_ROW and asked.offset >= DEEPEST_ROW:
        reason = f"begins beyond row {DEEPEST_ROW:,}: walk there with cursor, the next_cursor of a page"
        raise InvalidInput(details=[FieldError("page", reason)])


def _listing(
    asked: Asked, rows: Sequence[RowMapping], total: int, *, is_estimate: bool = False
) -> Listing[RowMapping]:
    items, cursor = list(rows[: asked.limit]), None
    if len(rows) > asked.limit:
        values = [items[-1][key_name(at)] for at in range(len(asked.keys))]
        cursor = write_cursor(values, asked.carried, asked.binding)
    meta = PageMeta(
        page=UNSET if asked.after is not None else asked.page or 1,
        limit=asked.limit,
        total=total,
        total_pages=math.ceil(total / asked.limit),
        next_cursor=cursor,
        total_is_estimate=is_estimate,
    )
    return Listing(items, meta)


def _binding(query: ListQuery, scope: object) -> str:
    found = {
        name: getattr(query, name)
        for name in query.__struct_fields__
        if name not in {"page", "limit", "cursor"}
    }
    return msgspec.json.encode([found, scope], enc_hook=str, order="deterministic").decode()
