"""The statements that find a page of rows, each at a cost that hardly grows with the table."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Select, func, select
from sqlalchemy.sql.visitors import replacement_traverse

from shared.sorting import SortKey, after, keys_of, labelled, not_before


class Asked(NamedTuple):
    """A page that is asked for: its rows, their order, and where in it the page begins.

    `carried` is what the first page decided for the whole walk, and goes into its cursors.
    """

    statement: Select[Any]
    keys: Sequence[SortKey]
    limit: int
    page: int | None
    after: Sequence[object] | None
    binding: str
    carried: Mapping[str, object]

    @property
    def offset(self) -> int:
        """How many rows come before the page, when it is not found by cursor."""
        return 0 if self.after is not None else ((self.page or 1) - 1) * self.limit


def walked(asked: Asked) -> Select[Any]:
    """Return the statement of a page whose rows an index has in its order."""
    page = asked.statement.add_columns(*labelled(asked.keys)).order_by(*(key.order() for key in asked.keys))
    if asked.after is not None:
        page = page.where(not_before(asked.keys[0], asked.after[0]), after(asked.keys, asked.after))
    return page.limit(asked.limit + 1).offset(asked.offset)


def windowed(asked: Asked, among: Select[Any], most: int) -> Select[Any]:
    """Return the statement of a page for which only the first `most` rows of `among` are looked at."""
    table = asked.keys[-1].column.table
    first = walked(asked._replace(statement=among)).limit(most).offset(None)
    window = first.subquery("window")

    def in_window(element: Any, **_: object) -> ColumnElement[Any] | None:  # noqa: ANN401 - SQLAlchemy's signature
        return window.c[element.name] if isinstance(element, Column) and element.table is table else None

    columns = [window.c[str(column.key)] for column in asked.statement.selected_columns]
    keys = keys_of(window, asked.keys)
    page: Select[Any] = select(*columns, *(key.column for key in keys))
    if asked.statement.whereclause is not None:
        page = page.where(replacement_traverse(asked.statement.whereclause, {}, in_window))
    return page.order_by(*(key.order() for key in keys)).limit(asked.limit + 1).offset(asked.offset)


def gathered(asked: Asked, most: int) -> Select[Any]:
    """Return the statement of a page of up to `most` + 1 candidates; each row tells how many there are."""
    columns = asked.statement.with_only_columns(*labelled(asked.keys), maintain_column_froms=True)
    candidates = columns.limit(most + 1).cte("candidates")
    keys = keys_of(candidates, asked.keys)
    page = select(*candidates.c).order_by(*(key.order() for key in keys))
    if asked.after is not None:
        page = page.where(after(keys, asked.after))
    rows = page.limit(asked.limit + 1).offset(asked.offset).subquery("page")
    keys = keys_of(rows, asked.keys)
    found = select(func.count()).select_from(candidates).scalar_subquery().label("candidates")
    whole = select(*asked.statement.selected_columns, *rows.c, found)
    # Only the rows of the page are read whole.
    return whole.where(asked.keys[-1].column == keys[-1].column).order_by(*(key.order() for key in keys))
