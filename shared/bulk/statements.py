"""The statements that apply staged rows to a table, set by set, with the change and the event of each row."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Column, DateTime, Table
from sqlalchemy.dialects import postgresql

from shared.events.changes import SCHEMA_VERSION
from shared.search import SearchWords

# The rows are limited before anything is made of them, or each chunk would cost as much as all that are left.
_CHUNK = """
    FROM (
        SELECT * FROM import_rows
        WHERE import_uuid = $1 AND action IS NOT DISTINCT FROM {action}
          AND line > $2 AND ($3::bigint[] IS NULL OR line = ANY ($3))
        ORDER BY line LIMIT $4
    ) r CROSS JOIN LATERAL json_to_record(r.{source}) AS c({typed})
"""
_RECORD = """
    recorded AS (
        INSERT INTO changes (event_id, aggregate_type, aggregate_id, version, type, schema_version, actor,
                             request_id, before, after, traceparent, tracestate, occurred_at)
        SELECT chunk.event, '{aggregate}', t.uuid, t.version, '{aggregate}.{verb}', {schema_version}, $5,
               $6, {before}, {after}, $7, $8, now()
        FROM done t JOIN chunk USING (uuid) {joined} ORDER BY chunk.line
        RETURNING id
    ), queued AS (INSERT INTO outbox (change_id) SELECT id FROM recorded ORDER BY id)
    SELECT max(chunk.line) AS last, count(*) AS found, count(t.uuid) AS done,
           array_agg(chunk.line) FILTER (WHERE t.uuid IS NULL) AS missed
    FROM chunk LEFT JOIN done t USING (uuid)
"""
# The instant of a transaction is the same in all its rows: it is written out once for all of them.
_MOMENT = "moment AS MATERIALIZED (SELECT {instant} AS written)"
_CREATE = """
    WITH {moment}, chunk AS MATERIALIZED (SELECT r.line, r.uuid, r.event, c.* {chunk}), done AS (
        INSERT INTO {table} AS t (uuid, {columns}) SELECT uuid, {values} FROM chunk ORDER BY line
        ON CONFLICT DO NOTHING RETURNING {returned}
    ), {record}
"""
_CHANGE = """
    WITH {moment}, chunk AS MATERIALIZED (
        SELECT r.line, r.target AS uuid, r.version AS base, r.event, c.* {chunk}
    ), previous AS MATERIALIZED (
        SELECT t.* FROM {table} t WHERE t.uuid = ANY (ARRAY(SELECT uuid FROM chunk)) AND t.deleted_at IS NULL
        ORDER BY t.uuid FOR UPDATE
    ), done AS (
        UPDATE {table} t SET {assignments}, updated_at = now(), version = t.version + 1
        FROM chunk JOIN previous USING (uuid)
        WHERE t.uuid = ANY (ARRAY(SELECT uuid FROM chunk)) AND t.uuid = chunk.uuid
          AND previous.version = chunk.base
        RETURNING {returned}
    ), {record}
"""
# Whoever plans these may know the table as it was long before, or not at all. So the row is asked for as the
# first one by an order that only the index of the key has: nothing else finds it without reading many.
_EXISTING = """
    SELECT t.* FROM (
        SELECT * FROM {table} t WHERE ({key}) >= ({staged}) AND t.deleted_at IS NULL ORDER BY {key} LIMIT 1
    ) t WHERE ({key}) = ({staged})
"""
_MATCHES = """
    SELECT r.line, r.columns, r.given, to_jsonb(t) AS current
    FROM (
        SELECT * FROM import_rows
        WHERE import_uuid = $1 AND action IS NULL
          AND line > $2 AND ($3::bigint[] IS NULL OR line = ANY ($3))
        ORDER BY line LIMIT $5
    ) r LEFT JOIN LATERAL ({existing} AND ($4::uuid IS NULL OR {tenant} = $4)) t ON true
    ORDER BY r.line
"""
_MARK_EXISTING = """
    WITH marked AS (
        UPDATE import_rows r SET action = 'failed'
        WHERE r.import_uuid = $1 AND r.action IS NULL AND EXISTS ({existing}) RETURNING r.line
    )
    SELECT line, count(*) OVER () AS total FROM marked ORDER BY line LIMIT $2
"""


class BulkTable:
    """A table that rows are imported into, and the statements that do it.

    `shown` is the struct that the API shows, `columns` are those that a row gives, `key` those by which it is
    recognised, and what a staged row has of them; they have a unique index of living rows. `tenant` is the
    column that a tenant is confined to.

    The statements take the import's id, the last line that is done, the lines to look at or null for all, and
    how many; those that change something also actor, request id, traceparent and tracestate. They answer with
    the last line, how many rows they found, how many they applied, and which lines they did not.
    """

    def __init__(
        self,
        table: Table,
        aggregate: str,
        shown: type[msgspec.Struct],
        *,
        columns: Sequence[str],
        key: Mapping[str, str],
        tenant: str,
    ) -> None:
        own = [table.c[name] for name in columns]
        returned = ", ".join(f"t.{name}" for name in shown.__struct_fields__)
        moment = _MOMENT.format(instant=_instant("now()"))
        names = {"table": table.name, "tenant": f"t.{tenant}", "returned": returned, "moment": moment}
        typed = ", ".join(f"{column.name} {_staged_type(column)}" for column in own)
        self.create = _CREATE.format(
            **names,
            columns=", ".join(columns),
            values=", ".join(_stored(column, "chunk") for column in own),
            chunk=_CHUNK.format(source="columns", typed=typed, action="NULL"),
            record=_record(table, aggregate, shown, "created"),
        )
        self.change = _CHANGE.format(
            **names,
            assignments=", ".join(f"{column.name} = {_stored(column, 'chunk')}" for column in own),
            chunk=_CHUNK.format(source="merged", typed=typed, action="'change'"),
            record=_record(table, aggregate, shown, "changed"),
        )
        existing = _existing(table, key)
        self.matches = _MATCHES.format(**names, existing=existing)
        self.mark_existing = _MARK_EXISTING.format(existing=existing)
        self.lengths = {
            column.name: length for column in own if (length := getattr(column.type, "length", 0))
        }


def _existing(table: Table, key: Mapping[str, str]) -> str:
    columns = ", ".join(f"t.{name}" for name in key)
    return _EXISTING.format(
        table=table.name, key=columns, staged=", ".join(f"r.{name}" for name in key.values())
    )


def _record(table: Table, aggregate: str, shown: type[msgspec.Struct], verb: str) -> str:
    fields = [table.c[name] for name in shown.__struct_fields__]
    changed = verb == "changed"
    return _RECORD.format(
        aggregate=aggregate,
        verb=verb,
        schema_version=SCHEMA_VERSION,
        before=_shown(fields, "previous") if changed else "NULL",
        after=_shown(fields, "t", made_now=("updated_at",) if changed else ("created_at", "updated_at")),
        joined="JOIN previous USING (uuid)" if changed else "",
    )


def _shown(fields: Sequence[Column[object]], alias: str, made_now: Sequence[str] = ()) -> str:
    """Return the SQL of a row as the API shows it, byte by byte what msgspec makes of its struct."""
    values = {
        field.name: "(SELECT written FROM moment)"
        if field.name in made_now
        else _json(field, f"{alias}.{field.name}")
        for field in fields
    }
    members = (f"'{name}', {value}" for name, value in values.items())
    return f"jsonb_build_object({', '.join(members)})"


def _json(field: Column[object], source: str) -> str:
    return _instant(source) if isinstance(field.type, DateTime) else source


def _instant(source: str) -> str:
    instant = f"to_char({source} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"replace({instant}, '.000000Z', 'Z')"


def _staged_type(column: Column[object]) -> str:
    return "text[]" if isinstance(column.type, SearchWords) else column.type.compile(postgresql.dialect())


def _stored(column: Column[object], alias: str) -> str:
    source = f"{alias}.{column.name}"
    return f"array_to_tsvector({source})" if isinstance(column.type, SearchWords) else source
