"""How large tables are, and how much of them is not in use."""

from infra.report.section import Section, column, number
from infra.report.units import ago, count, share, size

LARGEST = Section(
    title="Largest tables",
    sql="""
SELECT relid::regclass::text AS "table", n_live_tup AS "rows",
       pg_table_size(relid) AS table_bytes, pg_indexes_size(relid) AS index_bytes
  FROM pg_stat_user_tables
 ORDER BY pg_total_relation_size(relid) DESC
 LIMIT 10
""",
    columns=(
        column("table"),
        number("rows", count),
        number("table_bytes", size, "size"),
        number("index_bytes", size, "indexes"),
    ),
    nothing="There are no tables yet.",
    advice="What grows without end needs an end: look at the periods that are kept (.env.example).",
)

DEAD_ROWS = Section(
    title="Dead rows that vacuum has not removed",
    sql="""
SELECT relid::regclass::text AS "table", n_live_tup AS "rows", n_dead_tup AS dead_rows,
       n_dead_tup / (n_live_tup + n_dead_tup)::float AS dead_share,
       now() - greatest(last_vacuum, last_autovacuum) AS vacuum,
       now() - greatest(last_analyze, last_autoanalyze) AS analyze
  FROM pg_stat_user_tables
 WHERE n_dead_tup >= $1 AND n_dead_tup >= $2 * (n_live_tup + n_dead_tup)
 ORDER BY n_dead_tup DESC
""",
    columns=(
        column("table"),
        number("rows", count),
        number("dead_rows", count),
        number("dead_share", share, "of all"),
        number("vacuum", ago, "last vacuum"),
        number("analyze", ago, "last analyze"),
    ),
    nothing="None to speak of.",
    advice="VACUUM (ANALYZE) the table. If they come back, a transaction keeps them or autovacuum is rare.",
    limits=("dead_rows", "dead_share"),
    counted=True,
)

# What rows of the widths that ANALYZE found would take, against what is taken. A row has a head of 24 bytes
# and a pointer of 4, an entry of a B-tree 8 and 4; both begin at multiples of 8. A page has 8192 bytes, about
# 40 of them its own, and is filled to the fillfactor. A B-tree keeps equal keys once, so it may take less.
BLOAT = Section(
    title="Space that vacuum has freed and nothing fills (estimated)",
    sql="""
WITH widths AS (
    SELECT c.oid, c.relkind, c.reltuples, c.reloptions,
           count(*) AS columns, count(s.avg_width) AS known, sum((1 - s.null_frac) * s.avg_width) AS bytes
      FROM pg_class c
      LEFT JOIN pg_index i ON i.indexrelid = c.oid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attribute o
             ON o.attrelid = i.indrelid AND o.attnum = i.indkey[a.attnum - 1] AND o.attnum > 0
      JOIN pg_class measured ON measured.oid = coalesce(o.attrelid, c.oid)
      LEFT JOIN pg_stats s
             ON s.schemaname = measured.relnamespace::regnamespace::text AND s.tablename = measured.relname
            AND s.attname = coalesce(o.attname, a.attname) AND NOT s.inherited
     WHERE (c.relkind IN ('r', 'm')
            OR c.relkind = 'i' AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree'))
       AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
       AND c.relnamespace::regnamespace::text !~ '^pg_(toast|temp)' AND c.reltuples > 0
     GROUP BY c.oid, i.indrelid),
expected AS (
    SELECT *, pg_relation_size(oid) AS taken,
           reltuples * (CASE relkind WHEN 'i' THEN 12 ELSE 28 END + ceil(bytes / 8) * 8) * 8192 / 8152
             / (coalesce(substring(array_to_string(reloptions, ' ') FROM 'fillfactor=([0-9]+)')::float,
                         CASE relkind WHEN 'i' THEN 90 ELSE 100 END) / 100) AS needed
      FROM widths WHERE known = columns)
SELECT oid::regclass::text AS name, CASE relkind WHEN 'i' THEN 'index' ELSE 'table' END AS kind,
       taken, taken - needed AS unused, (taken - needed) / taken AS part
  FROM expected
 WHERE taken > 0 AND taken - needed >= $1 AND (taken - needed) / taken >= $2
 ORDER BY unused DESC
""",
    columns=(
        column("name"),
        column("kind"),
        number("taken", size, "size"),
        number("unused", size),
        number("part", share, "of it"),
    ),
    nothing="None to speak of, in tables that were analyzed and that this role may read.",
    advice="REINDEX INDEX CONCURRENTLY; a table is filled again by writing, or made anew by pg_repack.",
    limits=("bloat_bytes", "bloat_share"),
)

SECTIONS = (LARGEST, DEAD_ROWS, BLOAT)
