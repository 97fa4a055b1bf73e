"""The statements that apply staged rows to a table, set by set, with the change and the event of each row."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Column, DateTime, Table
from sqlalchemy.dialects import postgresql

from shared.events.changes import SCHEMA_VERSION
from shared.search import SearchWords

_CHUNK = """
    FROM import_rows r CROSS JOIN LATERAL json_to_record(r.{source}) AS c({typed})
    WHERE r.import_uuid = $1 AND r.action IS NOT DISTINCT FROM {action}
      AND r.line > $2 AND ($3::bigint[] IS NULL OR r.line = ANY ($3))
    ORDER BY r.line LIMIT $4
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
_CREATE = """
    WITH chunk AS MATERIALIZED (SELECT r.line, r.uuid, r.event, c.* {chunk}), done AS (
        INSERT INTO {table} AS t (uuid, {columns}) SELECT uuid, {values} FROM chunk ORDER BY line
        ON CONFLICT DO NOTHING RETURNING t.*
    ), {record}
"""
_CHANGE = """
    WITH chunk AS MATERIALIZED (SELECT r.line, r.target AS uuid, r.version AS base, r.event, c.* {chunk}),
    previous AS MATERIALIZED (
        SELECT t.* FROM {table} t WHERE t.uuid = ANY (ARRAY(SELECT uuid FROM chunk)) AND t.deleted_at IS NULL
        ORDER BY t.uuid FOR UPDATE
    ), done AS (
        UPDATE {table} t SET {assignments}, updated_at = now(), version = t.version + 1
        FROM chunk JOIN previous USING (uuid)
        WHERE t.uuid = ANY (ARRAY(SELECT uuid FROM chunk)) AND t.uuid = chunk.uuid
          AND previous.version = chunk.base
        RETURNING t.*
    ), {record}
"""
_MATCHES = """
    SELECT r.line, r.columns, r.given, to_jsonb(t) AS current
    FROM import_rows r JOIN {table} t ON {match} AND t.deleted_at IS NULL
    WHERE r.import_uuid = $1 AND r.action IS NULL AND ($4::uuid IS NULL OR {tenant} = $4)
      AND r.line > $2 AND ($3::bigint[] IS NULL OR r.line = ANY ($3))
    ORDER BY r.line LIMIT $5
"""
_MARK_EXISTING = """
    WITH marked AS (
        UPDATE import_rows r SET action = 'failed' FROM {table} t
        WHERE {match} AND t.deleted_at IS NULL AND r.import_uuid = $1 AND r.action IS NULL RETURNING r.line
    )
    SELECT line, count(*) OVER () AS total FROM marked ORDER BY line LIMIT $2
"""


class BulkTable:
    """A table that rows are imported into, and the statements that do it.

    `shown` is the struct that the API shows, `columns` are those that a row gives, `match` tells by which of
    them a staged row `r` is recognised among rows `t`; `tenant` is the column that a tenant is confined to.

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
        match: str,
        tenant: str,
    ) -> None:
        own = [table.c[name] for name in columns]
        names = {"table": table.name, "match": match, "tenant": f"t.{tenant}"}
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
        self.matches = _MATCHES.format(**names)
        self.mark_existing = _MARK_EXISTING.format(**names)
        self.lengths = {
            column.name: length for column in own if (length := getattr(column.type, "length", 0))
        }


def _record(table: Table, aggregate: str, shown: type[msgspec.Struct], verb: str) -> str:
    fields = [table.c[name] for name in shown.__struct_fields__]
    changed = verb == "changed"
    return _RECORD.format(
        aggregate=aggregate,
        verb=verb,
        schema_version=SCHEMA_VERSION,
        before=_shown(fields, "previous") if changed else "NULL",
        after=_shown(fields, "t"),
        joined="JOIN previous USING (uuid)" if changed else "",
    )


def _shown(fields: Sequence[Column[object]], alias: str) -> str:
    """Return the SQL of a row as the API shows it, byte by byte what msgspec makes of its struct."""
    members = (f"'{field.name}', {_json(field, f'{alias}.{field.name}')}" for field in fields)
    return f"jsonb_build_object({', '.join(members)})"


def _json(field: Column[object], source: str) -> str:
    if not isinstance(field.type, DateTime):
        return source
    instant = f"to_char({source} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"replace({instant}, '.000000Z', 'Z')"


def _staged_type(column: Column[object]) -> str:
    return "text[]" if isinstance(column.type, SearchWords) else column.type.compile(postgresql.dialect())


def _stored(column: Column[object], alias: str) -> str:
    source = f"{alias}.{column.name}"
    return f"array_to_tsvector({source})" if isinstance(column.type, SearchWords) else source
