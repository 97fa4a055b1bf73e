"""Word-prefix search in PostgreSQL: a tsvector of our own words, so that e-mails and phone numbers split."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Text, cast, false, func
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from shared.text import prefix_query, words


def search_vector(*texts: str | None) -> ColumnElement[Any]:
    """Return the tsvector of the words in `texts`."""
    return func.array_to_tsvector(cast(words(*texts), ARRAY(Text)))


def begins_words(column: Column[Any], q: str) -> ColumnElement[bool]:
    """Return the condition that every word of `q` begins a word in `column`; no word matches nothing."""
    query = prefix_query(q)
    return column.op("@@")(cast(query, TSQUERY)) if query else false()
