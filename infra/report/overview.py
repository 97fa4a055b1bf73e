"""How a database is, in a few figures: memory, connections, transaction ids."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.report.section import Answer, column
from infra.report.units import count, share, size, span

_TITLE = "Overview"
_COLUMNS = (column("what", " "), column("value", " "), column("advice", " "))

# Transaction ids are numbers of 32 bits, and half of them are in the future.
SQL = """
SELECT current_setting('server_version') AS version,
       now() - pg_postmaster_start_time() AS up,
       pg_is_in_recovery() AS replica,
       pg_database_size(current_database()) AS bytes,
       d.blks_hit / nullif((d.blks_hit + d.blks_read)::float, 0) AS from_memory,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       d.numbackends AS own_connections,
       current_setting('max_connections')::int AS most_connections,
       greatest(age(c.datfrozenxid), mxid_age(c.datminmxid)) / 2147483648.0::float AS wraparound,
       d.deadlocks,
       d.temp_bytes,
       d.checksum_failures,
       now() - d.stats_reset AS counted,
       (SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND usesysid IS NOT NULL
           AND NOT pg_has_role(usesysid, 'USAGE') AND NOT pg_has_role('pg_read_all_stats', 'USAGE')) AS hidden
  FROM pg_stat_database d JOIN pg_database c ON c.oid = d.datid
 WHERE d.datname = current_database()
"""


def overview(row: Mapping[str, Any]) -> Answer:
    """Return the figures of SQL's only row, each with what to do where it is bad."""
    rows = [{"what": what, "value": value, "advice": advice} for what, value, advice in _lines(row)]
    return Answer(_TITLE, _COLUMNS, rows, "")


def _lines(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    kind = ", a replica" if row["replica"] else ""
    yield "server", f"PostgreSQL {row['version']}, up {span(row['up'])}{kind}", ""
    yield "size", size(row["bytes"]), ""
    yield from _memory(row)
    yield from _connections(row)
    far = row["wraparound"] > 0.5
    wraparound = "vacuum is kept from its work: look for long transactions and old replication slots"
    yield "transaction ids used", share(row["wraparound"]), wraparound if far else ""
    deadlocks = "the server's log tells which statements: lock rows in one order" if row["deadlocks"] else ""
    yield "deadlocks", count(row["deadlocks"]), deadlocks
    spilled = (
        "sorts that do not fit into work_mem; the log tells which" if row["temp_bytes"] > 1 << 30 else ""
    )
    yield "temporary files", size(row["temp_bytes"]), spilled
    if row["checksum_failures"]:
        yield "broken pages", count(row["checksum_failures"]), "the disk lies: restore, and replace it"
    yield "counted", counted_since(row), ""


def _memory(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    rate = row["from_memory"]
    low = rate is not None and rate < 0.99
    advice = "below 99 %: more memory for the server, or indexes where whole tables are read" if low else ""
    yield "read from memory", share(rate), advice


def _connections(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    used, most = row["connections"], row["most_connections"]
    advice = "above 80 %: fewer pods, smaller pools, or a larger server" if used > 0.8 * most else ""
    text = f"{count(used)} of {count(most)}, {count(row['own_connections'])} of them to this database"
    yield "connections", text, advice
    if row["hidden"]:
        yield (
            "hidden sessions",
            count(row["hidden"]),
            "this role may not see what they do: grant it pg_monitor",
        )


def counted_since(row: Mapping[str, Any]) -> str:
    """Return since when the server has counted what the other topics look at."""
    return f"for {span(row['counted'])}" if row["counted"] else "since it was made, or since a crash"
