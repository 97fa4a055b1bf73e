"""Who is connected, who waits for whom, and who keeps a transaction open."""

from infra.report.section import Column, Section, column, number
from infra.report.units import count, span, statement

CONNECTIONS = Section(
    title="Connections",
    sql="""
SELECT coalesce(nullif(application_name, ''), '(no name)') AS application, usename AS role,
       coalesce(state, '(hidden)') AS state, count(*) AS connections, now() - min(state_change) AS longest
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
 GROUP BY 1, 2, 3
 ORDER BY connections DESC, 1, 2, 3
""",
    columns=(
        column("application"),
        column("role"),
        column("state"),
        number("connections", count),
        number("longest", span, "longest so"),
    ),
    nothing="Nobody else is connected.",
    advice="All pools together must stay below max_connections: docs/operations.md.",
)

BLOCKED = Section(
    title="Sessions that wait for another's lock",
    sql="""
SELECT w.pid, w.application_name AS application, now() - l.waitstart AS waits,
       concat_ws(' ', l.mode, 'on', coalesce(l.relation::regclass::text, l.locktype)) AS lock,
       b.pid AS blocked_by,
       concat_ws(', ', a.application_name, a.state) AS blocker, now() - a.xact_start AS blocker_open,
       concat_ws(' ⟵ ', w.query, a.query) AS statements
  FROM pg_stat_activity w
  JOIN pg_locks l ON l.pid = w.pid AND NOT l.granted
  CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (pid)
  LEFT JOIN pg_stat_activity a ON a.pid = b.pid
 WHERE w.datname = current_database()
 ORDER BY l.waitstart, w.pid
""",
    columns=(
        number("pid", str),
        column("application"),
        number("waits", span, "waits for"),
        column("lock"),
        number("blocked_by", str),
        column("blocker"),
        number("blocker_open", span, "in transaction"),
        Column("statements", "statement ⟵ the blocker's last", statement),
    ),
    nothing="None.",
    advice="SELECT pg_terminate_backend(PID) of who holds the others up: docs/runbooks/pool-exhausted.md.",
)

LONG_TRANSACTIONS = Section(
    title="Transactions that are open for long",
    sql="""
SELECT pid::text AS who, application_name AS application, state, now() - xact_start AS open,
       now() - state_change AS in_state, query
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND xact_start <= now() - make_interval(secs => $1)
UNION ALL
SELECT gid, '', 'prepared', now() - prepared, now() - prepared, 'ROLLBACK PREPARED ' || quote_literal(gid)
  FROM pg_prepared_xacts
 WHERE database = current_database() AND prepared <= now() - make_interval(secs => $1)
 ORDER BY open DESC
""",
    columns=(
        column("who", "pid"),
        column("application"),
        column("state"),
        number("open", span, "open for"),
        number("in_state", span, "in this state"),
        Column("query", "last statement", statement),
    ),
    nothing="None.",
    advice="While one is open no vacuum removes what died since: end it where it is not at work.",
    limits=("long_transaction_seconds",),
)

SECTIONS = (CONNECTIONS, BLOCKED, LONG_TRANSACTIONS)
