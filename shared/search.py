"""Word-prefix search in PostgreSQL: a tsvector of our own words, so that e-mails and phone numbers split."""

from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Text,
    TypeDecorator,
    cast,
    false,
    func,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, TSVECTOR

from shared.text import prefix_query


class SearchWords(TypeDecorator[list[str]]):
    """The type of a tsvector column that is written as a list of words: `shared.text.words`."""

    impl = TSVECTOR
    cache_ok = True

    def bind_expression(self, bindparam: BindParameter[list[str]]) -> ColumnElement[list[str]]:
        """Let the database make the tsvector, so that no word is parsed or stemmed."""
        return func.array_to_tsvector(type_coerce(bindparam, ARRAY(Text)))


def begins_words(column: Column[Any], q: str) -> ColumnElement[bool]:
    """Return the condition that every word of `q` begins a word in `column`; no word matches nothing."""
    query = prefix_query(q)
    return column.op("@@")(cast(query, TSQUERY)) if query else false()
