"""Indexes that are missing, and indexes that only cost."""

from infra.report.section import Section, column, number
from infra.report.units import count, size

READ_WHOLE = Section(
    title="Large tables that are read from end to end",
    sql="""
SELECT relid::regclass::text AS "table", n_live_tup AS "rows", seq_scan AS times,
       seq_tup_read / seq_scan AS rows_each_time, coalesce(idx_scan, 0) AS by_index
  FROM pg_stat_user_tables
 WHERE seq_scan > 0 AND n_live_tup >= $1 AND seq_tup_read / seq_scan >= $1 / 2
 ORDER BY seq_tup_read DESC
 LIMIT 10
""",
    columns=(
        column("table"),
        number("rows", count),
        number("times", count),
        number("rows_each_time", count),
        number("by_index", count, "times by an index"),
    ),
    nothing="None.",
    advice="Find the statement among the slow ones and give it an index; what exports everything may go on.",
    limits=("large_rows",),
    counted=True,
)

# An index that begins with any of the columns serves: few rows are left to look at. So does a partial one,
# when all it leaves out are the rows that refer to nothing.
UNINDEXED_REFERENCES = Section(
    title="Foreign keys without an index",
    sql="""
SELECT c.conrelid::regclass::text AS "table", k.columns, c.confrelid::regclass::text AS refers_to,
       t.n_live_tup AS "rows"
  FROM pg_constraint c
  CROSS JOIN LATERAL (
       SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY n) AS columns,
              string_agg('(' || quote_ident(a.attname) || ' IS NOT NULL)', ' AND ' ORDER BY n) AS present
         FROM unnest(c.conkey) WITH ORDINALITY AS key (attnum, n)
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = key.attnum) k
  LEFT JOIN pg_stat_user_tables t ON t.relid = c.conrelid
 WHERE c.contype = 'f'
   AND NOT EXISTS (
       SELECT FROM pg_index i
        WHERE i.indrelid = c.conrelid AND i.indisvalid
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = k.present)
          AND i.indkey[0] = ANY (c.conkey))
 ORDER BY t.n_live_tup DESC NULLS LAST, 1, 2
""",
    columns=(column("table"), column("columns"), column("refers_to"), number("rows", count)),
    nothing="None.",
    advice="CREATE INDEX CONCURRENTLY on them: without it, deleting what they refer to reads it all.",
)

UNUSED = Section(
    title="Indexes that no query used",
    sql="""
SELECT s.indexrelid::regclass::text AS "index", s.relid::regclass::text AS "table",
       pg_relation_size(s.indexrelid) AS bytes, t.n_tup_ins + t.n_tup_upd AS writes
  FROM pg_stat_user_indexes s
  JOIN pg_index i USING (indexrelid)
  JOIN pg_stat_user_tables t ON t.relid = s.relid
 WHERE s.idx_scan = 0 AND NOT i.indisunique AND NOT i.indisreplident AND pg_relation_size(s.indexrelid) >= $1
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = s.indexrelid)
 ORDER BY bytes DESC
""",
    columns=(
        column("index"),
        column("table"),
        number("bytes", size, "size"),
        number("writes", count, "rows written"),
    ),
    nothing="None.",
    advice="DROP INDEX CONCURRENTLY, once a month of counting and each replica say so: every write pays.",
    limits=("index_bytes",),
    counted=True,
)

# `a` is redundant beside `b` when b begins with the same keys, in the same order, for the same rows.
REDUNDANT = Section(
    title="Indexes that another one makes redundant",
    sql="""
WITH indexes AS (
    SELECT i.*, r.relam,
           pg_get_expr(i.indpred, i.indrelid) AS predicate,
           ARRAY(SELECT concat_ws(' ', pg_get_indexdef(i.indexrelid, n, false), i.indclass[n - 1],
                                  i.indcollation[n - 1], i.indoption[n - 1])
                   FROM generate_series(1, i.indnkeyatts) n ORDER BY n) AS keys,
           ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, false)
                   FROM generate_series(i.indnkeyatts + 1, i.indnatts) n) AS included
      FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid
      JOIN pg_stat_user_indexes s ON s.indexrelid = i.indexrelid
     WHERE i.indisvalid)
SELECT a.indexrelid::regclass::text AS "index", b.indexrelid::regclass::text AS beside,
       a.indrelid::regclass::text AS "table", pg_relation_size(a.indexrelid) AS bytes
  FROM indexes a
  JOIN indexes b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid AND b.relam = a.relam
   AND b.predicate IS NOT DISTINCT FROM a.predicate
   AND b.keys[1:a.indnkeyatts] = a.keys AND a.included <@ (b.included || ARRAY(
       SELECT pg_get_indexdef(b.indexrelid, n, false) FROM generate_series(1, b.indnkeyatts) n))
 WHERE (b.indnkeyatts = a.indnkeyatts OR a.relam = (SELECT oid FROM pg_am WHERE amname = 'btree'))
   AND (NOT a.indisunique OR b.indisunique AND b.indnkeyatts = a.indnkeyatts)
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = a.indexrelid)
   AND (b.keys <> a.keys OR b.included <> a.included OR b.indisunique > a.indisunique
        OR a.indexrelid > b.indexrelid
        OR EXISTS (SELECT FROM pg_constraint WHERE conindid = b.indexrelid))
 ORDER BY bytes DESC, 1, 2
""",
    columns=(column("index"), column("beside"), column("table"), number("bytes", size, "size")),
    nothing="None.",
    advice="DROP INDEX CONCURRENTLY: the other one answers the same questions.",
)

SECTIONS = (READ_WHOLE, UNINDEXED_REFERENCES, UNUSED, REDUNDANT)
